//! `GET /v1/user-attributes/{name}`: one attribute.

use axum::{Json, extract::State};
use shared::{
    domain::attribute::AttributeName,
    http::{ETag, PathId, Problem, Session},
};

use super::{AttributeBody, open};
use crate::App;

/// Why an attribute is not shown.
#[derive(Debug)]
pub enum ReadError {
    /// There is no such attribute.
    Unknown,
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unknown => Self::not_found(),
        }
    }
}

/// Shows one attribute to API Owners.
#[utoipa::path(
    get, path = "/v1/user-attributes/{name}",
    params(("name" = AttributeName, Path, description = "The attribute's name.")),
    responses(
        (status = 200, description = "The attribute.", body = AttributeBody, headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage attributes."),
    ),
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
) -> Result<(ETag, Json<AttributeBody>), Problem> {
    let (_, definitions) = open(&app, &session).await?;
    let definition = definitions.named(&name).cloned().ok_or(ReadError::Unknown)?;
    Ok((ETag(definition.version), Json(definition.into())))
}

#[cfg(test)]
mod tests {
    use harness::Sample;
    use serde_json::json;

    use crate::{
        attributes::create::tests::{company, define},
        change::tests::{portal, send},
    };

    #[tokio::test]
    async fn one_attribute_is_shown_with_its_version() {
        let (bench, owner) = portal().await;
        let created = define(&bench, &owner, &company(&json!({"required": true}))).await;

        let (reply, calls) = bench.calls(send(&bench, Sample::of("settings-attributes-read").by(&owner))).await;

        assert_eq!((reply.status, &reply.body), (200, &created.body));
        assert_eq!(reply.headers["etag"], "\"1\"");
        assert_eq!(calls.len(), 1);
    }

    #[tokio::test]
    async fn what_is_not_defined_is_not_found() {
        let (bench, owner) = portal().await;
        define(&bench, &owner, &company(&json!({}))).await;
        for name in ["colour", "Company", "%20", "%ff"] {
            let reply = send(&bench, Sample::of("settings-attributes-read").by(&owner).parameter("name", name)).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{name}");
        }
    }
}
