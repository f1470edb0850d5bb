//! The clients' way to the network: notes each call and lets it fail where a test asked for that.

use crate::calls::{Call, Calls, Failure, Fault};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// A client over another one.
#[derive(Debug)]
pub struct Tap {
    inner: SharedHttpClient,
    calls: Arc<Calls>,
}

impl Tap {
    /// Notes in `calls` what goes through `inner`.
    pub fn new(inner: SharedHttpClient, calls: Arc<Calls>) -> Self {
        Self { inner, calls }
    }
}

impl HttpClient for Tap {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Tapped { inner, calls: self.calls.clone() })
    }
}

#[derive(Debug)]
struct Tapped {
    inner: SharedHttpConnector,
    calls: Arc<Calls>,
}

impl HttpConnector for Tapped {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !self.calls.in_use() {
            return self.inner.call(request);
        }
        let (inner, calls) = (self.inner.clone(), self.calls.clone());
        HttpConnectorFuture::new(async move {
            let call = described(&request);
            let plan = calls.note(&call);
            if let Some(meanwhile) = plan.meanwhile {
                meanwhile.await;
            }
            match plan.fault {
                None => inner.call(request).await,
                Some(fault) => {
                    if fault.carried_out {
                        inner.call(request).await?;
                    }
                    failed(&call, &fault)
                }
            }
        })
    }
}

/// A request in the words of the service that it is for: all but SES name their operation in a header.
fn described(request: &HttpRequest) -> Call {
    let operation = match request.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
        Some(("DynamoDB_20120810", operation)) => format!("DynamoDB.{operation}"),
        Some(("DynamoDBStreams_20120810", operation)) => format!("DynamoDBStreams.{operation}"),
        Some(("AWSCognitoIdentityProviderService", operation)) => format!("Cognito.{operation}"),
        Some((service, operation)) => format!("{service}.{operation}"),
        None if request.uri().ends_with("/v2/email/outbound-emails") => "SES.SendEmail".to_owned(),
        None => format!("{} {}", request.method(), request.uri()),
    };
    let request = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    Call { operation, request }
}

fn failed(call: &Call, fault: &Fault) -> Result<HttpResponse, ConnectorError> {
    let named = |code: &str, message: &str| json!({"__type": code, "message": message});
    match &fault.what {
        Failure::Refused { status, code, message } => answer(*status, code, &named(code, message)),
        Failure::Conflict => conflict(&call.request),
        Failure::Throttled if call.operation.starts_with("DynamoDB") => answer(
            400,
            "ThrottlingException",
            &named("ThrottlingException", "Throughput exceeds the current capacity."),
        ),
        Failure::Throttled => {
            answer(429, "TooManyRequestsException", &named("TooManyRequestsException", "Rate exceeded"))
        }
        Failure::Dropped => Err(ConnectorError::io("the connection was reset".into())),
    }
}

/// A conflict ends a transaction with a reason per item; any other write says so itself.
fn conflict(request: &Value) -> Result<HttpResponse, ConnectorError> {
    let Some(items) = request.get("TransactItems").and_then(Value::as_array) else {
        let code = "TransactionConflictException";
        let message = "Transaction is ongoing for the item";
        return answer(400, code, &json!({"__type": code, "message": message}));
    };
    let codes: Vec<_> =
        (0..items.len()).map(|position| if position == 0 { "TransactionConflict" } else { "None" }).collect();
    let code = "TransactionCanceledException";
    let body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        ),
        "CancellationReasons": codes.iter().map(|code| json!({"Code": code})).collect::<Vec<_>>(),
    });
    answer(400, code, &body)
}

fn answer(status: u16, code: &str, body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::user(error.into()))?;
    let mut response = HttpResponse::new(status, body.to_string().into());
    response.headers_mut().insert("x-amzn-errortype", code.to_owned());
    Ok(response)
}
