//! `CloudFormation`'s side: the custom resource's request and the answer that it waits for.

use std::fmt;

use aws_lambda_events::event::cloudformation::CloudFormationCustomResourceRequest;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use aws_smithy_types::body::SdkBody;
use lambda_runtime::Error;
use serde::Serialize;

use crate::{
    App, Parameters, lay,
    parameters::{ParametersError, Properties},
};

/// What the custom resource asks.
pub type Request = CloudFormationCustomResourceRequest<Properties, Properties>;

/// The custom resource's name for itself; it never changes, so `CloudFormation` never replaces it.
const PHYSICAL_ID: &str = "portal";

/// What `CloudFormation` is told. Without it, a deployment waits until its time is up.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    status: &'static str,
    reason: String,
    physical_resource_id: &'static str,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    #[serde(skip)]
    response_url: String,
}

impl fmt::Debug for Answer {
    /// Leaves out the address that the answer goes to: whoever has it can answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, reason, physical_resource_id, stack_id, request_id, logical_resource_id, response_url: _ } =
            self;
        f.debug_struct("Answer")
            .field("status", status)
            .field("reason", reason)
            .field("physical_resource_id", physical_resource_id)
            .field("stack_id", stack_id)
            .field("request_id", request_id)
            .field("logical_resource_id", logical_resource_id)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// Whether the deployment goes on.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == "SUCCESS"
    }
}

/// Why a deployment fails here.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    #[error("the tables could not be written; the function's log says why")]
    Store(#[from] shared::store::StoreError),
    #[error("an unknown kind of request")]
    UnknownKind,
}

/// Lays the foundation on creation and update, and leaves everything on deletion. Every path has an answer.
pub async fn answer(app: &App, request: Request) -> Answer {
    let (result, response_url, stack_id, request_id, logical_resource_id) = match request {
        Request::Create(create) => {
            let result = lay_for(app, &create.resource_properties, None).await;
            (result, create.response_url, create.stack_id, create.request_id, create.logical_resource_id)
        }
        Request::Update(update) => {
            let old = Some(&update.old_resource_properties);
            let result = lay_for(app, &update.resource_properties, old).await;
            (result, update.response_url, update.stack_id, update.request_id, update.logical_resource_id)
        }
        // The tables outlive the stack, and what is in them with it.
        Request::Delete(delete) => {
            (Ok(()), delete.response_url, delete.stack_id, delete.request_id, delete.logical_resource_id)
        }
        _ => (Err(Failure::UnknownKind), String::new(), String::new(), String::new(), String::new()),
    };
    let (status, reason) = match result {
        Ok(()) => ("SUCCESS", String::new()),
        Err(failure) => {
            tracing::error!(error = ?failure, "the foundation could not be laid");
            ("FAILED", failure.to_string())
        }
    };
    let physical_resource_id = PHYSICAL_ID;
    Answer { status, reason, physical_resource_id, stack_id, request_id, logical_resource_id, response_url }
}

async fn lay_for(app: &App, properties: &Properties, old: Option<&Properties>) -> Result<(), Failure> {
    let parameters = Parameters::try_from(properties)?;
    // Parameters that could not be understood never took effect: then there are no former ones.
    let previous = old.and_then(|old| Parameters::try_from(old).ok());
    Ok(lay(app, &parameters, previous.as_ref()).await?)
}

/// Puts the answer where `CloudFormation` looks for it.
///
/// # Errors
/// When it cannot be put there; Lambda then tries the whole request again. No error names the address, which opens
/// whatever it is signed for and belongs in no log.
pub async fn send(answer: &Answer) -> Result<(), Error> {
    // The address is signed without a content type; one more header would be refused.
    let mut request = HttpRequest::new(SdkBody::from(serde_json::to_vec(answer)?));
    request.set_method("PUT")?;
    request.set_uri(answer.response_url.as_str())?;
    // The client that the AWS SDK brings: a second one would be twice as much to build and to load.
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build();
    let status = connector.call(request).await?.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("the answer was refused with status {}", status.as_u16()).into())
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Bytes, extract};
    use harness::{Bench, Fault, Sample};
    use http::{HeaderMap, Method, StatusCode, Uri};
    use serde_json::{Value, json};
    use tokio::{net::TcpListener, sync::mpsc};

    use super::*;

    fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), clock: bench.clock.clone() }
    }

    /// A sample event with some of its properties changed.
    fn sample(name: &str, properties: &Value) -> Request {
        let mut event = Sample::of(name).event();
        for (property, value) in properties.as_object().unwrap() {
            event["ResourceProperties"][property] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    /// What `CloudFormation`'s bucket gets, and the address of a bucket that answers with `status`.
    async fn bucket(status: StatusCode) -> (String, mpsc::UnboundedReceiver<(Method, Uri, HeaderMap, Bytes)>) {
        let (put, received) = mpsc::unbounded_channel();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(async move |request: extract::Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            put.send((parts.method, parts.uri, parts.headers, body)).unwrap();
            status
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        (format!("http://{address}/arn%3Aaws%3Acloudformation?X-Amz-SignedHeaders=host&X-Amz-Signature=s"), received)
    }

    #[tokio::test]
    async fn the_address_of_an_answer_is_not_printed() {
        let bench = Bench::new().await;
        let answer = answer(&app(&bench), sample("bootstrap-delete", &json!({}))).await;

        let printed = format!("{answer:?}");

        assert!(!answer.response_url.is_empty());
        assert!(printed.contains("SUCCESS") && !printed.contains("http"), "{printed}");
    }

    #[tokio::test]
    async fn each_sample_event_is_answered_in_its_own_name() {
        let bench = Bench::without_foundation().await;
        for name in ["bootstrap-create", "bootstrap-update", "bootstrap-delete"] {
            let event = Sample::of(name).event();

            let answer = answer(&app(&bench), sample(name, &json!({}))).await;

            assert!(answer.is_success(), "{name}: {}", answer.reason);
            let expected = json!({
                "Status": "SUCCESS", "Reason": "", "PhysicalResourceId": "portal", "StackId": event["StackId"],
                "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
            });
            assert_eq!(serde_json::to_value(&answer).unwrap(), expected, "{name}");
            assert_eq!(event["ResponseURL"], answer.response_url, "{name}");
        }
    }

    #[tokio::test]
    async fn an_update_tells_the_former_parameters_from_the_new_ones() {
        let bench = Bench::without_foundation().await;
        answer(&app(&bench), sample("bootstrap-create", &json!({}))).await;
        assert_eq!(bench.store.settings().await.unwrap().portal_name.as_str(), "Developer portal");

        answer(&app(&bench), sample("bootstrap-update", &json!({}))).await;

        assert_eq!(bench.store.settings().await.unwrap().portal_name.as_str(), "Example APIs");
    }

    #[tokio::test]
    async fn a_deletion_leaves_everything_and_asks_nothing_of_its_parameters() {
        let bench = Bench::without_foundation().await;
        answer(&app(&bench), sample("bootstrap-create", &json!({}))).await;
        let before = bench.rows().await;

        let answer = answer(&app(&bench), sample("bootstrap-delete", &json!({"Sender": "nobody"}))).await;

        assert!(answer.is_success());
        assert_eq!(bench.rows().await, before);
    }

    #[tokio::test]
    async fn a_parameter_that_cannot_be_used_fails_the_deployment_with_a_sentence() {
        let bench = Bench::without_foundation().await;
        let faults = [
            (json!({"Sender": "nobody"}), "the parameter Sender cannot be used: This is not an e-mail address."),
            (json!({"OwnerEmail": "@"}), "the parameter OwnerEmail cannot be used: This is not an e-mail address."),
            (
                json!({"OwnerFirstName": ""}),
                "the parameter OwnerFirstName cannot be used: A name has 1 to 100 characters and no control characters.",
            ),
            (
                json!({"PortalName": "a\nb"}),
                "the parameter PortalName cannot be used: A name has 1 to 100 characters and no control characters.",
            ),
        ];
        for (properties, sentence) in faults {
            for name in ["bootstrap-create", "bootstrap-update"] {
                let answer = answer(&app(&bench), sample(name, &properties)).await;

                assert_eq!((answer.status, answer.reason.as_str()), ("FAILED", sentence));
                assert_eq!(answer.physical_resource_id, "portal");
            }
        }
        assert!(bench.rows().await.is_empty());
    }

    #[tokio::test]
    async fn former_parameters_that_could_not_be_used_stand_in_no_updates_way() {
        let bench = Bench::without_foundation().await;
        let mut event = Sample::of("bootstrap-update").event();
        event["OldResourceProperties"]["Sender"] = json!("nobody");

        let answer = answer(&app(&bench), serde_json::from_value(event).unwrap()).await;

        assert!(answer.is_success());
        assert_eq!(bench.store.settings().await.unwrap().portal_name.as_str(), "Example APIs");
    }

    #[tokio::test]
    async fn tables_that_cannot_be_written_fail_the_deployment_and_the_next_one_finishes() {
        let bench = Bench::without_foundation().await;
        let refused =
            Fault::refused("ResourceNotFoundException", "arn:aws:dynamodb:eu-west-1:123456789012:table/Portal");
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", refused);

        let failed = answer(&app(&bench), sample("bootstrap-create", &json!({}))).await;
        let repeated = answer(&app(&bench), sample("bootstrap-create", &json!({}))).await;

        let sentence = "the tables could not be written; the function's log says why";
        assert_eq!((failed.status, failed.reason.as_str()), ("FAILED", sentence));
        assert!(repeated.is_success());
        assert_eq!(bench.mail_events("grace@example.com").await, ["invitation"]);
    }

    #[tokio::test]
    async fn the_answer_is_put_where_cloudformation_looks_with_no_header_that_breaks_its_signature() {
        let bench = Bench::without_foundation().await;
        let (address, mut received) = bucket(StatusCode::OK).await;
        let mut event = Sample::of("bootstrap-create").event();
        event["ResponseURL"] = json!(address);
        let answer = answer(&app(&bench), serde_json::from_value(event).unwrap()).await;

        send(&answer).await.unwrap();

        let (method, uri, headers, body) = received.recv().await.unwrap();
        assert_eq!(method, Method::PUT);
        assert!(address.ends_with(&uri.to_string()), "{uri}");
        assert!(!headers.contains_key("content-type") && !headers.contains_key("transfer-encoding"), "{headers:?}");
        assert_eq!(headers["content-length"], body.len().to_string());
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, serde_json::to_value(&answer).unwrap());
    }

    #[tokio::test]
    async fn an_answer_that_is_not_taken_is_an_error_that_keeps_the_signed_address_to_itself() {
        let bench = Bench::without_foundation().await;
        let mut answer = answer(&app(&bench), sample("bootstrap-delete", &json!({}))).await;
        let (refusing, _received) = bucket(StatusCode::FORBIDDEN).await;

        for address in [refusing, "http://127.0.0.1:1/?X-Amz-Signature=s".to_owned()] {
            answer.response_url = address;
            let error = send(&answer).await.unwrap_err();

            assert!(!format!("{error:?} {error}").contains("X-Amz"), "{error:?}");
        }
    }
}
