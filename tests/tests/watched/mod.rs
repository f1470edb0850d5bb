//! A function at work: what its calls need, held to what `template.yaml` allows it.

use std::collections::BTreeSet;

use harness::{Bench, Fault, Reply, Sample};
use local_services::{Call, Template};
use serde_json::{Value, json};

use crate::{
    functions,
    roles::{FOR_LAMBDA, actions, resources, statements},
};

/// The contract, in which every audited action is named.
const API: &str = include_str!("../../../docs/api.md");

/// What is done or may be done: to what (a table, an index, the pool, what SES sends by), and the action.
type Permissions = BTreeSet<(String, String)>;

/// The pool, whose address in the template depends on whose it is.
const POOL: &str = "Pool";
/// What SES sends from, and through.
const SES: [&str; 2] = ["Identities", "ConfigurationSet"];
/// Calls that Cognito answers to everybody who holds the token that they carry.
const WITHOUT_PERMISSION: [&str; 1] = ["RevokeToken"];

/// A function at work, and what it needed so far.
pub struct Watched<'a> {
    function: &'static str,
    bench: &'a Bench,
    needed: Permissions,
}

impl<'a> Watched<'a> {
    /// The function in `functions/<function>`, which has done nothing yet.
    pub fn new(function: &'static str, bench: &'a Bench) -> Self {
        Self { function, bench, needed: Permissions::new() }
    }

    /// Sends it a request, which is answered as expected.
    pub async fn send(&mut self, sample: Sample, expected: u16) -> Reply {
        let router = functions::router(self.bench, self.function);
        let reply = self.watch(sample.send(router)).await;
        assert_eq!(reply.status, expected, "{reply:?}");
        reply
    }

    /// Takes down what `work` of the function needs.
    pub async fn watch<T>(&mut self, work: impl Future<Output = T>) -> T {
        let (result, calls) = self.bench.calls(work).await;
        self.needed.extend(calls.iter().flat_map(|call| needed_by(self.bench, call)));
        result
    }

    /// Lets the next call of `operation` fail, for the way back that a function then takes.
    pub fn fail(&self, operation: &str) {
        self.bench.services.calls().fail_next(operation, Fault::refused("AccessDeniedException", "no"));
    }

    /// Holds what was needed to what is allowed, both ways.
    pub fn matches_the_template(self) {
        let allowed = allowed(self.function);
        let missing: Vec<_> = self.needed.difference(&allowed).collect();
        let superfluous: Vec<_> = allowed.difference(&self.needed).collect();
        assert!(missing.is_empty(), "functions/{} needs and may not: {missing:?}", self.function);
        assert!(superfluous.is_empty(), "functions/{} may and does not need: {superfluous:?}", self.function);
        assert_eq!(self.bench.services.calls().outstanding(), 0);
    }
}

/// What a call needs. IAM asks for the writes of a transaction one by one.
fn needed_by(bench: &Bench, call: &Call) -> Permissions {
    let table = |value: &Value| match value.as_str().unwrap() {
        name if name == bench.services.portal_table() => "PortalTable".to_owned(),
        name if name == bench.services.mail_table() => "MailTable".to_owned(),
        name => panic!("no table is called {name}"),
    };
    let dynamodb = |action: &str| format!("dynamodb:{action}");
    let request = &call.request;
    keeps_the_audit(request);
    match call.operation.split_once('.').unwrap() {
        ("DynamoDB", "TransactWriteItems") => {
            let items = request["TransactItems"].as_array().unwrap().iter();
            let writes = items.flat_map(|item| item.as_object().unwrap());
            writes
                .map(|(kind, write)| {
                    let action = if kind == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{kind}Item") };
                    (table(&write["TableName"]), dynamodb(action))
                })
                .collect()
        }
        ("DynamoDB", action @ ("BatchGetItem" | "BatchWriteItem")) => {
            let tables = request["RequestItems"].as_object().unwrap().keys();
            tables.map(|name| (table(&json!(name)), dynamodb(action))).collect()
        }
        ("DynamoDB", action) => {
            let index = request["IndexName"].as_str().map(|name| format!("/index/{name}")).unwrap_or_default();
            [(format!("{}{index}", table(&request["TableName"])), dynamodb(action))].into()
        }
        ("Cognito", action) if WITHOUT_PERMISSION.contains(&action) => Permissions::new(),
        ("Cognito", action) => [(POOL.to_owned(), format!("cognito-idp:{action}"))].into(),
        ("SES", action) => {
            assert!(request["ConfigurationSetName"].is_string(), "{request}");
            SES.map(|place| (place.to_owned(), format!("ses:{action}"))).into()
        }
        (service, action) => panic!("nobody is allowed {action} of {service}"),
    }
}

/// Holds a call to what the audit is: events are added, under actions that `docs/api.md` names, and never changed or
/// removed.
fn keeps_the_audit(request: &Value) {
    let writes = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    for (kind, write) in writes {
        let key = if kind == "Put" { &write["Item"] } else { &write["Key"] };
        if key["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("AUDIT#")) {
            assert_eq!(kind, "Put", "an audit event is only ever added: {write}");
            assert_eq!(write["ConditionExpression"], "attribute_not_exists(#pk)", "{write}");
            let action = key["action"]["S"].as_str().unwrap();
            assert!(API.contains(&format!("`{action}`")), "docs/api.md does not name the audit action {action}");
        }
    }
    assert!(!request["Key"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("AUDIT#")), "{request}");
}

/// What the template allows the function in `functions/<name>`.
fn allowed(name: &str) -> Permissions {
    let template = Template::deployed().unwrap();
    let code = format!("functions/{name}/");
    let mut functions = template.of_kind("AWS::Serverless::Function");
    let function = functions.find(|function| function.properties["CodeUri"] == code.as_str()).unwrap();
    let mut allowed = Permissions::new();
    for statement in statements(&function) {
        assert_eq!(statement["Effect"], "Allow");
        if actions(statement).all(|action| FOR_LAMBDA.contains(&action)) {
            continue;
        }
        for resource in resources(statement).iter().map(place) {
            allowed.extend(actions(statement).map(|action| (resource.clone(), action.to_owned())));
        }
    }
    allowed
}

/// What a policy's resource names.
fn place(resource: &Value) -> String {
    if let Some([table, Value::String(attribute)]) = resource["Fn::GetAtt"].as_array().map(Vec::as_slice) {
        assert_eq!(attribute, "Arn");
        return table.as_str().unwrap().to_owned();
    }
    match &resource["Fn::Sub"] {
        Value::String(arn) if arn.starts_with("arn:") && arn.ends_with(":identity/*") => SES[0].to_owned(),
        Value::String(index) => index.replacen("${", "", 1).replacen(".Arn}", "", 1),
        Value::Array(parts) if parts[0].as_str().unwrap().ends_with(":userpool/${Pool}") => POOL.to_owned(),
        Value::Array(parts) if parts[0].as_str().unwrap().ends_with(":configuration-set/${Set}") => SES[1].to_owned(),
        other => panic!("no table, index, pool or mail: {other}"),
    }
}
