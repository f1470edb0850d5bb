//! `GET /v1/email-templates`: every mail that the portal sends, and whether its templates were changed.

use axum::extract::State;
use serde::Serialize;
use shared::{
    domain::rights::{Action, decide},
    http::{Instant, PageBody, Problem, Session, admit},
    mail::{Event, link_of},
};
use utoipa::ToSchema;

use super::{VariableBody, shown_variables};
use crate::App;

/// An event's templates in the list, without the templates themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedTemplate)]
pub struct ListedTemplate {
    #[schema(value_type = Event)]
    event: &'static str,
    /// Whether they are others than the built-in ones.
    changed: bool,
    /// Whether text and HTML carry a link in every case.
    needs_link: bool,
    /// What a template of this mail may name.
    variables: Vec<VariableBody>,
    updated_at: Option<Instant>,
}

/// Lists the templates of every event; all of them are one page.
#[utoipa::path(
    get, path = "/v1/email-templates",
    responses(
        (status = 200, description = "Every event, on one page.", body = PageBody<ListedTemplate>),
        (status = 403, description = "`forbidden`: only API Owners manage templates."),
    ),
)]
pub async fn list(State(app): State<App>, session: Session) -> Result<PageBody<ListedTemplate>, Problem> {
    let facts = app.store.changed_templates(&session.user_id, &Event::ALL).await?;
    let caller = admit(&session, facts.caller)?;
    decide(&caller, Action::ManageMailTemplates)?;
    let items = facts.changed.into_iter().map(|(event, changed)| ListedTemplate {
        event: event.as_str(),
        changed: changed.is_some(),
        needs_link: link_of(event).is_some(),
        variables: shown_variables(event, &facts.portal_name),
        updated_at: changed.map(|changed| Instant(changed.updated_at)),
    });
    Ok(PageBody { items: items.collect(), next_cursor: None })
}

#[cfg(test)]
mod tests {
    use harness::Sample;
    use serde_json::{Value, json};
    use shared::mail::Event;

    use crate::{
        change::tests::{portal, send},
        templates::change::tests::{change, only_owners},
    };

    #[tokio::test]
    async fn every_mail_is_listed_with_what_it_can_say_and_whether_it_was_changed() {
        let (bench, owner) = portal().await;
        change(&bench, &owner, "rejected", &json!({"subject": "No"})).await;

        let (reply, calls) = bench.calls(send(&bench, Sample::of("settings-list-templates").by(&owner))).await;

        assert_eq!((reply.status, &reply.body["next_cursor"]), (200, &Value::Null));
        let items = reply.body["items"].as_array().unwrap();
        let events: Vec<_> = items.iter().map(|item| item["event"].as_str().unwrap()).collect();
        assert_eq!(events, Event::ALL.map(Event::as_str));
        let changed: Vec<_> = items.iter().filter(|item| item["changed"] == true).collect();
        assert_eq!((changed.len(), &changed[0]["event"]), (1, &json!("rejected")));
        assert!(changed[0]["updated_at"].is_string() && items[0]["updated_at"].is_null());
        assert_eq!(items[0]["variables"][0]["name"], "expires_at");
        assert_eq!(calls.len(), 1);
    }

    #[tokio::test]
    async fn only_owners_list_templates() {
        let (bench, owner) = portal().await;

        only_owners(&bench, &owner, "settings-list-templates").await;
    }
}
