//! Values that people give to attributes: what fits a definition, and who may change what.

use serde_json::{Map, Number, Value};

use super::{Definition, Definitions, Kind, Visibility};
use crate::domain::Fault;

/// The longest text, in characters after trimming.
pub const MAX_TEXT: usize = 1000;
/// How much all values of a person may hold together, in bytes of JSON.
pub const MAX_VALUES_SIZE: usize = 16 * 1024;
/// The largest number, and smallest below zero: whole ones up to here are exact for everybody who reads JSON.
const MAX_NUMBER: f64 = 9_007_199_254_740_991.0;
/// The number closest to zero that is none: DynamoDB knows an end there too.
const MIN_NUMBER: f64 = 1e-9;

/// Who gives values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Somebody who signs up: what is on the form, and every required field of it.
    Applicant,
    /// The person themselves, later.
    Person,
    /// An API Owner.
    Owner,
}

/// Where in `attributes` a fault is: the name as it was sent, `None` for all of them together.
pub type Place = Option<String>;

impl Definition {
    /// Reads a value; `None` for a text of nothing but white space, which is none.
    ///
    /// # Errors
    /// What is wrong, without the value.
    fn read(&self, value: &Value) -> Result<Option<Value>, Fault> {
        match &self.kind {
            Kind::String { pattern } => {
                let text = text(value)?;
                if text.is_empty() {
                    return Ok(None);
                }
                if text.chars().count() > MAX_TEXT || text.contains(breaks_lines) {
                    let detail = format!("This has at most {MAX_TEXT} characters and no control characters.");
                    return Err(Fault::new("invalid_text", detail));
                }
                if pattern.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
                    return Err(Fault::new("pattern_mismatch", "This does not have the form that is asked for."));
                }
                Ok(Some(text.into()))
            }
            Kind::Number => number(value).map(Some),
            Kind::Boolean if value.is_boolean() => Ok(Some(value.clone())),
            Kind::Boolean => Err(Fault::new("not_a_boolean", "This field is true or false.")),
            Kind::Choice { choices } => {
                let chosen = text(value)?;
                if chosen.is_empty() {
                    return Ok(None);
                }
                if choices.iter().any(|choice| choice == chosen) {
                    return Ok(Some(chosen.into()));
                }
                Err(Fault::new("unknown_choice", "This is none of the possible values."))
            }
        }
    }
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_str().map(str::trim).ok_or_else(|| Fault::new("not_a_string", "This field is a string."))
}

fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Reads a number in the one form in which equal numbers are written alike.
fn number(value: &Value) -> Result<Value, Fault> {
    let number = value.as_f64().ok_or_else(|| Fault::new("not_a_number", "This field is a number."))?;
    if number.abs() > MAX_NUMBER || (number != 0.0 && number.abs() < MIN_NUMBER) {
        let detail = "This number is too large, or too close to zero.";
        return Err(Fault::new("out_of_range", detail));
    }
    if number.fract() != 0.0 {
        return Ok(Number::from_f64(number).map_or(Value::Null, Value::Number));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within what an i64 holds")]
    let whole = number as i64;
    Ok(whole.into())
}

/// The values that `change` (by name; `null` and blank texts clear) makes of `current`, both of which a row keeps by id.
/// Values of attributes that are not defined any more go: nobody is shown them, and nothing will ever count them again. Of
/// an applicant they stay, whose claim is not taken back where somebody defines an attribute meanwhile and gives a value.
///
/// # Errors
/// Every fault, each with its place.
pub fn merge(
    definitions: &Definitions,
    current: &Map<String, Value>,
    change: &Map<String, Value>,
    by: Writer,
) -> Result<Map<String, Value>, Vec<(Place, Fault)>> {
    let mut after = if by == Writer::Applicant { current.clone() } else { definitions.values_of(current) };
    let mut faults = Vec::new();
    for (name, value) in change {
        let definition = definitions.named(name).filter(|definition| by != Writer::Applicant || definition.on_form);
        let written = match definition {
            Some(definition) => write(definition, value, &mut after, by),
            None => Err(Fault::new("unknown_field", "No such field.")),
        };
        faults.extend(written.err().map(|fault| (Some(name.clone()), fault)));
    }
    if by == Writer::Applicant {
        let missing = definitions.on_form().filter(|definition| definition.required);
        let missing = missing.filter(|definition| !after.contains_key(definition.id.as_str()));
        for name in missing.map(|definition| definition.name.as_str()) {
            if !faults.iter().any(|(place, _)| place.as_deref() == Some(name)) {
                faults.push((Some(name.to_owned()), required()));
            }
        }
    }
    if Value::Object(definitions.values_of(&after)).to_string().len() > MAX_VALUES_SIZE {
        faults.push((None, Fault::new("too_large", "All of these together are too much.")));
    }
    if faults.is_empty() { Ok(after) } else { Err(faults) }
}

fn required() -> Fault {
    Fault::new("required", "This field is required.")
}

/// Writes one value into `after`, or takes it away. What stands there already is no change, also where its definition would
/// not let it in any more.
fn write(definition: &Definition, value: &Value, after: &mut Map<String, Value>, by: Writer) -> Result<(), Fault> {
    let id = definition.id.as_str();
    if after.get(id) == Some(value) {
        return Ok(());
    }
    let new = if value.is_null() { None } else { definition.read(value)? };
    if new.as_ref() == after.get(id) {
        return Ok(());
    }
    if definition.write_once && by != Writer::Owner && after.contains_key(id) {
        return Err(Fault::new("write_once", "This is set for good; an API Owner can change it."));
    }
    match new {
        Some(new) => drop(after.insert(id.to_owned(), new)),
        None if definition.required => return Err(required()),
        None => drop(after.remove(id)),
    }
    Ok(())
}

impl Definitions {
    /// The values of a row that some attribute still has, by id.
    fn values_of(&self, values: &Map<String, Value>) -> Map<String, Value> {
        let kept = self.iter().filter_map(|definition| values.get_key_value(definition.id.as_str()));
        kept.map(|(id, value)| (id.clone(), value.clone())).collect()
    }

    /// The values of a row whose attribute is not defined any more, in the order of its ids.
    pub fn orphaned<'v>(&self, values: &'v Map<String, Value>) -> impl Iterator<Item = &'v Value> {
        let known = |id: &str| self.iter().any(|definition| definition.id.as_str() == id);
        values.iter().filter(move |(id, _)| !known(id)).map(|(_, value)| value)
    }

    /// The values of a row by name, those whose definition is `seen`; `null` where there is none.
    pub fn shown(&self, values: &Map<String, Value>, seen: impl Fn(Visibility) -> bool) -> Map<String, Value> {
        self.iter()
            .filter(|definition| seen(definition.visibility))
            .map(|definition| {
                let value = values.get(definition.id.as_str()).cloned().unwrap_or_default();
                (definition.name.as_str().to_owned(), value)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::attribute::{
        Pattern,
        tests::{definition, definitions},
    };

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("no object") };
        object
    }

    fn all() -> Definitions {
        definitions([
            definition("company", |company| company.required = true),
            definition("vat_id", |vat| vat.kind = Kind::String { pattern: Pattern::parse("[A-Z]{2}[0-9]+").ok() }),
            definition("staff", |staff| staff.kind = Kind::Number),
            definition("reseller", |reseller| reseller.kind = Kind::Boolean),
            definition("plan", |plan| plan.kind = Kind::Choice { choices: vec!["Free".into(), "Paid".into()] }),
            definition("tier", |tier| tier.on_form = false),
            definition("tax", |tax| tax.write_once = true),
        ])
    }

    fn shown(values: &Map<String, Value>) -> Value {
        let mut shown = all().shown(values, |_| true);
        shown.retain(|_, value| !value.is_null());
        Value::Object(shown)
    }

    /// The values by name after `change`, or the faults by place.
    fn after(current: Value, change: Value, by: Writer) -> Result<Value, Vec<(String, &'static str)>> {
        let current = match merge(&all(), &Map::new(), &object(current), Writer::Owner) {
            Ok(current) => current,
            Err(faults) => panic!("{faults:?}"),
        };
        let faults = |faults: Vec<(Place, Fault)>| {
            faults.into_iter().map(|(place, fault)| (place.unwrap_or_default(), fault.code)).collect()
        };
        merge(&all(), &current, &object(change), by).map(|values| shown(&values)).map_err(faults)
    }

    fn fault(name: &str, value: Value) -> &'static str {
        let change = Map::from_iter([(name.to_owned(), value)]);
        after(json!({}), Value::Object(change), Writer::Person).unwrap_err()[0].1
    }

    #[test]
    fn values_of_every_type_are_taken_in_one_form() {
        let sent = json!({
            "company": " Acme Ltd ", "vat_id": "DE42", "staff": 7.0, "reseller": false, "plan": "Paid", "tax": " "
        });

        let expected = json!({"company": "Acme Ltd", "vat_id": "DE42", "staff": 7, "reseller": false, "plan": "Paid"});
        assert_eq!(after(json!({}), sent, Writer::Applicant), Ok(expected));
        let numbers = [json!(-0.0), json!(9_007_199_254_740_991_i64), json!(-0.5), json!(1e-9)];
        for (number, kept) in
            numbers.into_iter().zip([json!(0), json!(9_007_199_254_740_991_i64), json!(-0.5), json!(1e-9)])
        {
            assert_eq!(after(json!({}), json!({"staff": number}), Writer::Person), Ok(json!({"staff": kept})));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (name, value, code) in [
            ("company", json!(7), "not_a_string"),
            ("company", json!("a\nb"), "invalid_text"),
            ("company", json!("a\u{2028}b"), "invalid_text"),
            ("company", json!("x".repeat(1001)), "invalid_text"),
            ("company", json!({"a": 1}), "not_a_string"),
            ("vat_id", json!("de42"), "pattern_mismatch"),
            ("staff", json!("7"), "not_a_number"),
            ("staff", json!(9_007_199_254_740_992_i64), "out_of_range"),
            ("staff", json!(1e300), "out_of_range"),
            ("staff", json!(-1e-10), "out_of_range"),
            ("reseller", json!("true"), "not_a_boolean"),
            ("plan", json!("free"), "unknown_choice"),
            ("plan", json!(["Free"]), "not_a_string"),
            ("colour", json!("red"), "unknown_field"),
        ] {
            assert_eq!(fault(name, value.clone()), code, "{name} {value}");
        }
        assert!(after(json!({}), json!({"company": "é".repeat(1000)}), Writer::Person).is_ok());
    }

    #[test]
    fn who_signs_up_fills_in_what_is_required_and_nothing_beside_the_form() {
        let faults = after(json!({}), json!({"tier": "gold", "staff": "x"}), Writer::Applicant).unwrap_err();

        let expected = [("staff", "not_a_number"), ("tier", "unknown_field"), ("company", "required")];
        assert_eq!(faults, expected.map(|(name, code)| (name.to_owned(), code)));
        for nothing in [json!({}), json!({"company": null}), json!({"company": "  "})] {
            let faults = after(json!({}), nothing, Writer::Applicant).unwrap_err();
            assert_eq!(faults, [("company".to_owned(), "required")]);
        }
        assert!(after(json!({"company": "Acme"}), json!({}), Writer::Applicant).is_ok());
    }

    #[test]
    fn what_is_required_is_changed_and_never_cleared_and_nobody_is_held_to_it_later() {
        for by in [Writer::Person, Writer::Owner] {
            assert!(after(json!({}), json!({"tier": "gold", "company": null}), by).is_ok());
            let cleared = after(json!({"company": "Acme"}), json!({"company": null}), by);
            assert_eq!(cleared, Err(vec![("company".to_owned(), "required")]));
            let changed = after(json!({"company": "Acme", "tier": "gold"}), json!({"company": "B", "tier": null}), by);
            assert_eq!(changed, Ok(json!({"company": "B"})));
        }
    }

    #[test]
    fn what_is_written_once_is_changed_by_owners_alone() {
        for by in [Writer::Person, Writer::Applicant] {
            let change = |tax: Value| after(json!({"company": "A", "tax": "1"}), json!({"tax": tax}), by);
            assert!(change(json!(" 1 ")).is_ok(), "the same value is no change");
            for other in [json!("2"), json!(null), json!("")] {
                assert_eq!(change(other), Err(vec![("tax".to_owned(), "write_once")]));
            }
            assert!(after(json!({"company": "A"}), json!({"tax": "2"}), by).is_ok());
        }
        let changed = after(json!({"tax": "1"}), json!({"tax": "2"}), Writer::Owner);
        assert_eq!(changed, Ok(json!({"tax": "2"})));
        assert_eq!(after(json!({"tax": "1"}), json!({"tax": null}), Writer::Owner), Ok(json!({})));
    }

    #[test]
    fn what_was_let_in_once_may_be_sent_back_whatever_the_definition_says_now() {
        let before = definitions([definition("plan", |_| {})]);
        let current = merge(&before, &Map::new(), &object(json!({"plan": "Gold"})), Writer::Owner).unwrap();
        let id = before.named("plan").unwrap().id.clone();
        for write_once in [false, true] {
            let now = definitions([definition("plan", |plan| {
                plan.id = id.clone();
                plan.kind = Kind::Choice { choices: vec!["Free".into()] };
                plan.write_once = write_once;
            })]);
            let change = |value: &str| merge(&now, &current, &object(json!({"plan": value})), Writer::Person);

            assert_eq!(change("Gold").unwrap(), current);
            assert_eq!(change("Silver").unwrap_err()[0].1.code, "unknown_choice");
        }
    }

    #[test]
    fn the_values_of_a_person_have_a_largest_size_together() {
        let many: Vec<_> = (0..20).map(|number| format!("a{number}")).collect();
        let defined = definitions(many.iter().map(|name| definition(name, |_| {})));
        let change = many.iter().map(|name| (name.clone(), json!("x".repeat(900)))).collect();

        let faults = merge(&defined, &Map::new(), &change, Writer::Person).unwrap_err();

        assert_eq!(faults.len(), 1);
        assert_eq!((&faults[0].0, faults[0].1.code), (&None, "too_large"));
    }

    #[test]
    fn a_name_that_is_used_anew_has_nobodys_old_value() {
        let old = definitions([definition("company", |_| {})]);
        let values = merge(&old, &Map::new(), &object(json!({"company": "Acme"})), Writer::Owner).unwrap();
        let another = definition("company", |anew| anew.id = definition("another", |_| {}).id);
        let anew = old.without(&old.named("company").unwrap().id).with(another).unwrap();

        assert_eq!(anew.shown(&values, |_| true), object(json!({"company": null})));
        assert_eq!(anew.orphaned(&values).collect::<Vec<_>>(), [&json!("Acme")]);
        assert_eq!(old.orphaned(&values).count(), 0);
    }

    #[test]
    fn a_change_drops_values_that_nothing_defines_any_more_and_an_acceptance_does_not() {
        let old = definitions([definition("company", |_| {}), definition("plan", |_| {})]);
        let both = object(json!({"company": "Acme", "plan": "Gold"}));
        let values = merge(&old, &Map::new(), &both, Writer::Owner).unwrap();
        let now = old.without(&old.named("company").unwrap().id);

        let after = merge(&now, &values, &Map::new(), Writer::Person).unwrap();

        assert_eq!(old.shown(&after, |_| true), object(json!({"company": null, "plan": "Gold"})));
        assert_eq!((after.len(), now.orphaned(&after).count()), (1, 0));
        assert_eq!(merge(&now, &values, &Map::new(), Writer::Applicant).unwrap(), values);
    }

    #[test]
    fn only_what_is_seen_is_shown() {
        let both =
            definitions([definition("mine", |_| {}), definition("ours", |ours| ours.visibility = Visibility::Admins)]);
        let values = object(json!({"mine": "1", "ours": "2"}));
        let values = merge(&both, &Map::new(), &values, Writer::Owner).unwrap();

        let shown = both.shown(&values, |visibility| visibility == Visibility::Admins);

        assert_eq!(shown, object(json!({"ours": "2"})));
    }
}
