//! CloudFormation's side: the custom resource's request and the answer that it waits for.

use aws_lambda_events::event::cloudformation::CloudFormationCustomResourceRequest;
use lambda_runtime::Error;
use serde::Serialize;

use crate::{
    App, Parameters, lay,
    parameters::{ParametersError, Properties},
};

/// What the custom resource asks.
pub type Request = CloudFormationCustomResourceRequest<Properties, Properties>;

/// The custom resource's name for itself; it never changes, so CloudFormation never replaces it.
const PHYSICAL_ID: &str = "portal";

/// What CloudFormation is told. Without it, a deployment waits until its time is up.
#[derive(Debug, PartialEq, Eq, Serialize)]
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

/// Puts the answer where CloudFormation looks for it.
///
/// # Errors
/// When it cannot be put there; Lambda then tries the whole request again.
pub async fn send(answer: &Answer) -> Result<(), Error> {
    let body = serde_json::to_vec(answer)?;
    // The address is signed without a content type; one more header would be refused.
    let response = reqwest::Client::new().put(&answer.response_url).body(body).send().await?;
    response.error_for_status()?;
    Ok(())
}
