//! The filter patterns of an event source, as far as the template uses them.

use serde_json::Value;

/// A pattern: every field that it names has to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Vec<(String, Field)>);

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Nested(Pattern),
    AnyOf(Vec<Rule>),
}

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    Equals(Value),
    Prefix(String),
    Exists(bool),
}

/// A pattern that is not understood here: to take it for another one would start the function for other records.
#[derive(Debug, thiserror::Error)]
#[error("the filter pattern {0} in the template is not understood by the local portal")]
pub struct PatternError(String);

impl Pattern {
    /// Reads a pattern.
    pub fn read(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError(text.to_owned());
        let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
        Self::of(&value).ok_or_else(wrong)
    }

    fn of(value: &Value) -> Option<Self> {
        let fields = value.as_object()?.iter().map(|(name, value)| {
            let field = match value {
                Value::Object(_) => Field::Nested(Self::of(value)?),
                Value::Array(rules) => Field::AnyOf(rules.iter().map(Rule::of).collect::<Option<_>>()?),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
            Some((name.clone(), field))
        });
        fields.collect::<Option<_>>().map(Self)
    }

    /// Whether a record fits.
    pub fn fits(&self, record: &Value) -> bool {
        self.0.iter().all(|(name, field)| match (field, record.get(name)) {
            (Field::Nested(pattern), Some(value)) => pattern.fits(value),
            (Field::Nested(_), None) => false,
            (Field::AnyOf(rules), value) => rules.iter().any(|rule| rule.fits(value)),
        })
    }
}

impl Rule {
    fn of(value: &Value) -> Option<Self> {
        let Value::Object(rule) = value else { return Some(Self::Equals(value.clone())) };
        let mut entries = rule.iter();
        match (entries.next()?, entries.next()) {
            ((name, Value::String(prefix)), None) if name == "prefix" => Some(Self::Prefix(prefix.clone())),
            ((name, Value::Bool(exists)), None) if name == "exists" => Some(Self::Exists(*exists)),
            _ => None,
        }
    }

    fn fits(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Equals(wanted) => value == Some(wanted),
            Self::Prefix(prefix) => value.and_then(Value::as_str).is_some_and(|text| text.starts_with(prefix)),
            Self::Exists(exists) => value.is_some() == *exists,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OUTBOX: &str = r#"{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"OUTBOX#"}]}}}}"#;

    #[test]
    fn every_field_has_to_fit() {
        let pattern = Pattern::read(OUTBOX).unwrap();
        let record = |name, pk| json!({"eventName": name, "dynamodb": {"Keys": {"pk": {"S": pk}}}});

        assert!(pattern.fits(&record("INSERT", "OUTBOX#1")));
        assert!(!pattern.fits(&record("MODIFY", "OUTBOX#1")));
        assert!(!pattern.fits(&record("INSERT", "LINK#1")));
        assert!(!pattern.fits(&json!({"eventName": "INSERT"})));
    }

    #[test]
    fn one_rule_of_several_is_enough() {
        let pattern = Pattern::read(r#"{"a": [1, null, {"exists": false}]}"#).unwrap();

        assert!(pattern.fits(&json!({"a": 1})) && pattern.fits(&json!({"a": null})) && pattern.fits(&json!({})));
        assert!(!pattern.fits(&json!({"a": 2})));
    }

    #[test]
    fn a_rule_that_is_not_understood_is_no_rule() {
        for text in [r#"{"a": [{"anything-but": "x"}]}"#, r#"{"a": "x"}"#, "[]", "{"] {
            assert!(Pattern::read(text).is_err(), "{text}");
        }
    }
}
