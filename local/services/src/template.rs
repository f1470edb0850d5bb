//! `template.yaml`, read: what is deployed is declared there once, and the local portal takes it from the same place.
//!
//! The short tags of `CloudFormation` become their long form: `!Ref A` is `{"Ref": "A"}`, `!GetAtt A.Arn` is
//! `{"Fn::GetAtt": ["A", "Arn"]}`, any other `!F x` is `{"Fn::F": x}`. Nothing is evaluated.

use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use yaml_serde::Value as Yaml;

/// The template that this build deploys, compiled in so that no working directory matters.
const DEPLOYED: &str = include_str!("../../../template.yaml");

/// A template document.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    document: Value,
}

/// Why a template is of no use.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TemplateError {
    /// It is not YAML.
    #[error("the template is not YAML: {0}")]
    Syntax(String),
    /// It holds something that JSON has no word for.
    #[error("the template holds {0}, which no template may")]
    Foreign(&'static str),
    /// A resource that is needed is not there, or not of the kind that it has to be.
    #[error("the template declares no {kind} named {logical_id}")]
    Missing {
        /// The logical id looked for.
        logical_id: String,
        /// The resource type looked for.
        kind: &'static str,
    },
}

/// A resource of the template.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The name that the template gives it.
    pub logical_id: &'a str,
    /// Its type, `AWS::DynamoDB::Table` for one.
    pub kind: &'a str,
    /// Its properties; null if it has none.
    pub properties: &'a Value,
}

/// An event of a function: a route, a schedule, a stream.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The logical id of the function that it starts.
    pub function: &'a str,
    /// The name that the template gives it.
    pub name: &'a str,
    /// Its type: `HttpApi`, `Schedule`, `ScheduleV2`, `DynamoDB`.
    pub kind: &'a str,
    /// Its properties; null if it has none.
    pub properties: &'a Value,
}

impl Template {
    /// The template that is deployed; read once per process.
    pub fn deployed() -> Result<&'static Self, TemplateError> {
        static READ: OnceLock<Result<Template, TemplateError>> = OnceLock::new();
        READ.get_or_init(|| Self::parse(DEPLOYED)).as_ref().map_err(Clone::clone)
    }

    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let yaml: Yaml = yaml_serde::from_str(text).map_err(|error| TemplateError::Syntax(error.to_string()))?;
        Ok(Self { document: json_of(yaml)? })
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Every resource, in the order of the names.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        object(self.document.get("Resources")).filter_map(|(logical_id, body)| {
            let kind = body.get("Type")?.as_str()?;
            Some(Resource { logical_id, kind, properties: body.get("Properties").unwrap_or(&Value::Null) })
        })
    }

    /// The resource of that name and type.
    pub fn resource(&self, logical_id: &str, kind: &'static str) -> Result<Resource<'_>, TemplateError> {
        self.resources()
            .find(|resource| resource.logical_id == logical_id && resource.kind == kind)
            .ok_or_else(|| TemplateError::Missing { logical_id: logical_id.to_owned(), kind })
    }

    /// Every resource of that type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = Resource<'_>> {
        self.resources().filter(move |resource| resource.kind == kind)
    }

    /// Every event of every function.
    pub fn events(&self) -> impl Iterator<Item = Event<'_>> {
        self.of_kind("AWS::Serverless::Function").flat_map(|function| {
            object(function.properties.get("Events")).filter_map(move |(name, body)| {
                let properties = body.get("Properties").unwrap_or(&Value::Null);
                Some(Event { function: function.logical_id, name, kind: body.get("Type")?.as_str()?, properties })
            })
        })
    }
}

/// The logical id (or parameter) that a `!Ref` or `!GetAtt` names.
pub fn referenced(value: &Value) -> Option<&str> {
    match value.get("Ref") {
        Some(named) => named.as_str(),
        None => value.get("Fn::GetAtt")?.get(0)?.as_str(),
    }
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn json_of(yaml: Yaml) -> Result<Value, TemplateError> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => json!(whole),
            (None, Some(fraction)) => json!(fraction),
            (None, None) => return Err(TemplateError::Foreign("a number out of range")),
        },
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(json_of).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => Value::Object(
            entries.into_iter().map(|(key, value)| Ok((key_of(&key)?, json_of(value)?))).collect::<Result<_, _>>()?,
        ),
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            intrinsic(tag.trim_start_matches('!'), json_of(tagged.value)?)
        }
    })
}

fn key_of(key: &Yaml) -> Result<String, TemplateError> {
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(value) => Ok(value.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => {
            Err(TemplateError::Foreign("a key that is no text"))
        }
    }
}

fn intrinsic(tag: &str, argument: Value) -> Value {
    let (name, argument) = match (tag, argument) {
        ("Ref" | "Condition", argument) => (tag.to_owned(), argument),
        ("GetAtt", Value::String(path)) => {
            ("Fn::GetAtt".to_owned(), path.split_once('.').map_or(json!([path]), |(id, name)| json!([id, name])))
        }
        (other, argument) => (format!("Fn::{other}"), argument),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
Resources:
  Codes:
    Type: AWS::DynamoDB::Table
    Properties: { BillingMode: PAY_PER_REQUEST, TableName: !Sub "${AWS::StackName}-codes" }
  RedeemFunction:
    Type: AWS::Serverless::Function
    Properties:
      Environment: { Variables: { TABLE: !Ref Codes, ARN: !GetAtt Codes.Arn, WHICH: !If [A, 1, !Ref "AWS::NoValue"] } }
      Events:
        Post: { Type: HttpApi, Properties: { Path: /v1/redemptions, Method: POST } }
        Daily: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 day) } }
"#;

    #[test]
    fn short_tags_become_their_long_form() {
        let template = Template::parse(SAMPLE).unwrap();

        let function = template.resource("RedeemFunction", "AWS::Serverless::Function").unwrap();
        let variables = function.properties.pointer("/Environment/Variables").unwrap();
        assert_eq!(variables["ARN"], json!({"Fn::GetAtt": ["Codes", "Arn"]}));
        assert_eq!(variables["WHICH"], json!({"Fn::If": ["A", 1, {"Ref": "AWS::NoValue"}]}));
        assert_eq!(referenced(&variables["TABLE"]), Some("Codes"));
        assert_eq!(referenced(&variables["ARN"]), Some("Codes"));
    }

    #[test]
    fn a_functions_events_are_listed_with_their_function() {
        let template = Template::parse(SAMPLE).unwrap();

        let events: Vec<_> = template.events().map(|event| (event.function, event.name, event.kind)).collect();
        assert_eq!(events, [("RedeemFunction", "Daily", "ScheduleV2"), ("RedeemFunction", "Post", "HttpApi")]);
    }

    #[test]
    fn a_resource_of_another_type_is_missing() {
        let template = Template::parse(SAMPLE).unwrap();

        let found = template.resource("Codes", "AWS::Cognito::UserPool");
        assert!(matches!(found, Err(TemplateError::Missing { .. })));
    }

    #[test]
    fn the_deployed_template_declares_what_runs_here() {
        let template = Template::deployed().unwrap();

        for table in ["PortalTable", "MailTable"] {
            assert!(template.resource(table, "AWS::DynamoDB::Table").is_ok(), "{table}");
        }
        assert_eq!(template.of_kind("AWS::Cognito::UserPool").count(), 1);
        assert_eq!(template.of_kind("AWS::Cognito::UserPoolClient").count(), 1);
    }
}
