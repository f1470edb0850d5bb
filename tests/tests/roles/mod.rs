//! What `template.yaml` lets a function do: the statements of its role.

use local_services::{
    Template,
    template::{Resource, referenced},
};
use serde_json::Value;

/// What everything says that Lambda does in a function's name, and that is no call of the function.
pub const FOR_LAMBDA: [&str; 7] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
];

/// The role that a function runs as.
pub fn role(function: &Resource<'_>) -> Resource<'static> {
    let role = referenced(&function.properties["Role"]).unwrap();
    Template::deployed().unwrap().resource(role, "AWS::IAM::Role").unwrap()
}

/// The statements of a function's own policy.
pub fn statements(function: &Resource<'_>) -> impl Iterator<Item = &'static Value> {
    let policies = role(function).properties["Policies"].as_array().unwrap().iter();
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap())
}

/// What a statement is about: the resources that it lists, or the one that it names.
pub fn resources(statement: &Value) -> &[Value] {
    let named = &statement["Resource"];
    named.as_array().map_or(std::slice::from_ref(named), Vec::as_slice)
}

/// The actions that a statement allows.
pub fn actions(statement: &Value) -> impl Iterator<Item = &str> {
    statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap())
}
