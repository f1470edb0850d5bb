//! `GET /v1/settings/public`: what the sign-up form needs.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    domain::{name::Name, password::PasswordPolicy},
    http::Problem,
};
use utoipa::ToSchema;

use crate::{App, attributes::FormAttribute};

/// What anybody may know of the settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicSettings)]
pub struct PublicSettings {
    portal_name: Name,
    /// Whether anybody may register.
    self_registration: bool,
    /// Whether a registration is confirmed by a mailed link; otherwise it takes a password at once.
    email_confirmation: bool,
    /// Whether people other than API Owners may log in.
    sign_in: bool,
    password_policy: PasswordPolicy,
    /// Those on the form, in their order.
    attributes: Vec<FormAttribute>,
}

/// Shows what the sign-up form needs.
#[utoipa::path(
    get, path = "/v1/settings/public",
    responses(
        (status = 200, description = "What the sign-up form needs.", body = PublicSettings),
    ),
)]
pub async fn public(State(app): State<App>) -> Result<Json<PublicSettings>, Problem> {
    let (settings, attributes) = app.store.settings_and_attributes().await?;
    Ok(Json(PublicSettings {
        portal_name: settings.portal_name,
        self_registration: settings.self_registration,
        email_confirmation: settings.email_confirmation,
        sign_in: settings.sign_in,
        password_policy: settings.password_policy,
        attributes: attributes.on_form().map(FormAttribute::from).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Sample};
    use serde_json::json;
    use shared::domain::name::Name;

    use crate::{
        attributes::create::tests::define,
        change::tests::{portal, send},
    };

    #[tokio::test]
    async fn anybody_reads_what_the_form_needs_and_no_more() {
        let bench = Bench::new().await;

        let (reply, calls) = bench.calls(send(&bench, Sample::of("settings-public"))).await;

        let shown = json!({
            "portal_name": "Developer portal",
            "self_registration": true,
            "email_confirmation": true,
            "sign_in": true,
            "password_policy": {"min_length": 12, "min_numerics": 0, "min_specials": 0, "mixed_case": false},
            "attributes": [],
        });
        assert_eq!((reply.status, reply.body), (200, shown));
        assert_eq!(reply.headers["cache-control"], "no-store");
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem"]);
    }

    #[tokio::test]
    async fn a_change_shows_with_the_next_request() {
        let bench = Bench::new().await;
        let change = |settings: &mut shared::domain::settings::Settings| {
            settings.portal_name = Name::parse("Example APIs").unwrap();
            settings.self_registration = false;
            settings.password_policy.mixed_case = true;
        };
        bench.set(change).await;

        let body = send(&bench, Sample::of("settings-public")).await.body;

        let shown = (&body["portal_name"], &body["self_registration"], &body["password_policy"]["mixed_case"]);
        assert_eq!(shown, (&json!("Example APIs"), &json!(false), &json!(true)));
    }

    #[tokio::test]
    async fn the_form_is_told_its_attributes_in_their_order_and_nothing_beside() {
        let (bench, owner) = portal().await;
        for body in [
            json!({"name": "plan", "label": "Plan", "type": "choice", "choices": ["Free", "Paid"], "order": 2}),
            json!({"name": "company", "label": "Company", "type": "string", "pattern": "[A-Z].*", "required": true}),
            json!({"name": "tier", "label": "Tier", "type": "string", "on_form": false}),
        ] {
            assert_eq!(define(&bench, &owner, &body).await.status, 201);
        }

        let (reply, calls) = bench.calls(send(&bench, Sample::of("settings-public"))).await;

        let shown = json!([
            {"name": "company", "label": "Company", "type": "string", "choices": null, "pattern": "[A-Z].*", "required": true},
            {"name": "plan", "label": "Plan", "type": "choice", "choices": ["Free", "Paid"], "pattern": null, "required": false},
        ]);
        assert_eq!((reply.status, &reply.body["attributes"]), (200, &shown));
        assert_eq!(calls.len(), 1);
    }

    #[tokio::test]
    async fn a_failing_table_is_told_without_its_inside() {
        let bench = Bench::new().await;
        let refused = Fault::refused("ResourceNotFoundException", "arn:secret");
        bench.services.calls().fail_next("DynamoDB.BatchGetItem", refused);

        let reply = send(&bench, Sample::of("settings-public")).await;

        assert_eq!((reply.status, reply.problem()), (500, "internal"));
        assert!(!reply.body.to_string().contains("arn:"));
    }
}
