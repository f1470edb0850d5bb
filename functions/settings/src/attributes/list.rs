//! `GET /v1/user-attributes`: every attribute, in the order in which forms show them.

use axum::extract::State;
use shared::{
    domain::attribute::Definition,
    http::{PageBody, Paging, Parameters, Problem, Session},
};

use super::{AttributeBody, open};
use crate::App;

/// Lists the attributes.
#[utoipa::path(
    get, path = "/v1/user-attributes",
    params(Paging),
    responses(
        (status = 200, description = "A page, in their order.", body = PageBody<AttributeBody>),
        (status = 403, description = "`forbidden`: only API Owners manage attributes."),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    parameters: Parameters,
) -> Result<PageBody<AttributeBody>, Problem> {
    let (_, definitions) = open(&app, &session).await?;
    let listing = parameters.listing("user attributes")?;
    let behind = |definition: &&Definition| listing.after.as_ref().is_none_or(|after| position(definition) > *after);
    let mut left = definitions.iter().filter(behind).peekable();
    let page: Vec<_> = left.by_ref().take(usize::from(listing.limit)).cloned().collect();
    let next = page.last().filter(|_| left.peek().is_some()).map(position);
    Ok(listing.page(page.into_iter().map(AttributeBody::from).collect(), next))
}

/// Where an attribute stands in the list, as text that sorts as they do.
fn position(definition: &Definition) -> String {
    format!("{:04}#{}", definition.order, definition.id)
}

#[cfg(test)]
mod tests {
    use harness::{Reply, Sample};
    use serde_json::json;

    use crate::{
        attributes::create::tests::define,
        change::tests::{portal, send},
    };

    fn names(reply: &Reply) -> Vec<&str> {
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn attributes_are_listed_in_their_order_page_by_page() {
        let (bench, owner) = portal().await;
        for (name, order) in [("last", 1000), ("second", 10), ("first", 2), ("third", 10)] {
            let body = json!({"name": name, "label": name, "type": "boolean", "order": order});
            assert_eq!(define(&bench, &owner, &body).await.status, 201);
        }
        let list =
            async |query: &str| send(&bench, Sample::of("settings-attributes-list").by(&owner).query(query)).await;

        let (whole, calls) = bench.calls(list("")).await;

        assert_eq!(names(&whole), ["first", "second", "third", "last"]);
        assert!(whole.body["next_cursor"].is_null());
        assert_eq!(calls.len(), 1);
        let page = list("limit=3").await;
        assert_eq!(names(&page), ["first", "second", "third"]);
        let rest = list(&format!("limit=3&cursor={}", page.body["next_cursor"].as_str().unwrap())).await;
        assert_eq!((names(&rest), rest.body["next_cursor"].is_null()), (vec!["last"], true));
        assert_eq!(list("cursor=%21").await.faults(), [("/cursor", "invalid_cursor")]);
    }

    #[tokio::test]
    async fn a_portal_begins_without_any() {
        let (bench, owner) = portal().await;

        let reply = send(&bench, Sample::of("settings-attributes-list").by(&owner)).await;

        assert_eq!((reply.status, reply.body), (200, json!({"items": [], "next_cursor": null})));
    }
}
