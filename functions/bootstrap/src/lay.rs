//! Laying the foundation, once or again.

use shared::{
    domain::{
        audit::{Actor, Origin},
        settings::Settings,
    },
    store::{SettingsChange, StoreError},
};

use crate::{App, Parameters};

/// Lays what is missing and invites the first API Owner, unless their address is known. Sender and portal name
/// are set at the first time, and later only where `previous`, the parameters of the last deployment, had another value:
/// what an API Owner has set or cleared since is not overwritten by a deployment that changes something else.
///
/// # Errors
/// [`StoreError`]; what was laid so far stays, and may be laid again.
pub async fn lay(app: &App, parameters: &Parameters, previous: Option<&Parameters>) -> Result<(), StoreError> {
    let origin = Origin::new(Actor::System, "bootstrap", app.clock.now());
    let mut first = Settings { sender: parameters.sender.clone(), ..Settings::default() };
    if let Some(name) = &parameters.portal_name {
        first.portal_name = name.clone();
    }
    app.store.lay_foundation(&first, &origin).await?;
    if let Some(previous) = previous {
        set_what_changed(app, parameters, previous, &origin).await?;
    }
    if let Some(owner) = &parameters.owner {
        let invited = app.store.invite_first_owner(owner.clone(), &origin).await?;
        tracing::info!(invited, "first API Owner");
    }
    Ok(())
}

async fn set_what_changed(
    app: &App,
    parameters: &Parameters,
    previous: &Parameters,
    origin: &Origin,
) -> Result<(), StoreError> {
    let before = app.store.settings().await?;
    let mut after = before.clone();
    if parameters.sender.is_some() && parameters.sender != previous.sender {
        after.sender.clone_from(&parameters.sender);
    }
    if let Some(name) = &parameters.portal_name
        && parameters.portal_name != previous.portal_name
    {
        after.portal_name = name.clone();
    }
    if after == before {
        return Ok(());
    }
    match app.store.change_settings(&before, after, origin).await? {
        SettingsChange::Done => Ok(()),
        SettingsChange::Overtaken => Err(StoreError::Busy),
    }
}

#[cfg(test)]
mod tests {
    use harness::{Bench, email};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::{
        domain::{
            link::{PlainToken, Purpose},
            name::Name,
            user::{Role, Source, Status},
        },
        store::{FirstOwner, Stage},
    };

    use super::*;

    fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), clock: bench.clock.clone() }
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn parameters() -> Parameters {
        let owner =
            FirstOwner { email: email("grace@example.com"), first_name: name("Grace"), last_name: name("Hopper") };
        let (sender, portal_name) = (Some(email("portal@example.com")), Some(name("Example APIs")));
        Parameters { owner: Some(owner), sender, portal_name }
    }

    async fn deployed() -> Bench {
        let bench = Bench::without_foundation().await;
        lay(&app(&bench), &parameters(), None).await.unwrap();
        bench
    }

    /// Sender and portal name as they are set, and as the mailer knows them.
    async fn settings(bench: &Bench) -> (Option<String>, String) {
        let settings = bench.store.settings().await.unwrap();
        let rows = bench.rows_in("SETTINGS").await;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row["sender"] == json!(settings.sender)), "{rows:?}");
        assert!(rows.iter().all(|row| row["portal_name"] == json!(settings.portal_name)), "{rows:?}");
        (settings.sender.map(|sender| sender.as_str().to_owned()), settings.portal_name.as_str().to_owned())
    }

    #[tokio::test]
    async fn a_new_portal_has_its_default_place_settings_and_an_invited_owner() {
        let bench = deployed().await;

        let mut keys: Vec<_> = bench.rows().await.iter().map(|row| row["pk"].as_str().unwrap().to_owned()).collect();
        for key in &mut keys {
            let kind = key.split('#').next().unwrap().to_owned();
            *key = if key.ends_with("00000000000000") { key.clone() } else { kind };
        }
        keys.sort();
        let expected = [
            "AUDIT",
            "EMAIL",
            "INVITATION",
            "ORG#org_00000000000000000000000000",
            "OUTBOX",
            "OWNERS",
            "SETTINGS",
            "SETTINGS",
            "TEAM#team_00000000000000000000000000",
            "USER",
        ];
        assert_eq!(keys, expected);
        assert_eq!(settings(&bench).await, (Some("portal@example.com".to_owned()), "Example APIs".to_owned()));
        let owners = bench.rows_in("OWNERS").await.remove(0);
        assert_eq!((&owners["active"], &owners["members"]), (&json!(0), &json!({})));
    }

    #[tokio::test]
    async fn the_first_owner_is_invited_for_as_long_as_invitations_work() {
        let bench = deployed().await;
        let expires_at = bench.now() + SignedDuration::from_hours(7 * 24);

        let known = bench.store.login_facts(&email("grace@example.com")).await.unwrap().account.unwrap();
        let user = bench.read(&known.user_id).await;
        assert_eq!((user.status, user.role, user.source), (Status::Invited, Role::ApiOwner, Source::ApiOwner));
        assert_eq!((user.organisation_id, user.team_ids.len(), known.stage), (None, 0, Stage::Invited));
        let entry = bench.rows_in("OUTBOX#").await.remove(0);
        let order = json!({
            "user_id": user.id, "purpose": "accept", "link_version": 1, "expires_at": expires_at.as_millisecond(),
        });
        assert_eq!((&entry["event"], &entry["link"]), (&json!("invitation"), &order));
        assert_eq!(known.invitation.unwrap().expires_at, expires_at);
    }

    #[tokio::test]
    async fn the_invitations_mail_leads_to_its_page_and_its_link_ends_with_it() {
        let bench = deployed().await;
        bench.advance(SignedDuration::from_hours(1));

        let token = bench.token("grace@example.com").await;

        let mail = bench.mails("grace@example.com").await.remove(0);
        assert_eq!(
            (mail.event.as_deref(), mail.from.as_str()),
            (Some("invitation"), "\"Example APIs\" <portal@example.com>")
        );
        let text = mail.text.unwrap();
        assert!(text.contains(&format!("https://portal.example.com/accept#token={token}\n")), "{text}");
        let facts = bench.store.link_facts(&PlainToken::parse(&token).unwrap().hashed()).await.unwrap();
        let link = facts.link.unwrap();
        let end = bench.now() + SignedDuration::from_hours(7 * 24 - 1);
        assert!(link.is_usable(Purpose::Accept, end - SignedDuration::from_millis(1)));
        assert!(!link.is_usable(Purpose::Accept, end));
    }

    #[tokio::test]
    async fn a_repeat_changes_nothing_and_sends_no_second_mail() {
        let bench = deployed().await;
        bench.mails("grace@example.com").await;
        let before = bench.rows().await;
        bench.advance(SignedDuration::from_hours(1));

        lay(&app(&bench), &parameters(), None).await.unwrap();
        lay(&app(&bench), &parameters(), Some(&parameters())).await.unwrap();

        assert_eq!(bench.rows().await, before);
        assert_eq!(bench.mail_events("grace@example.com").await, ["invitation"]);
    }

    #[tokio::test]
    async fn an_invitation_that_nobody_used_is_sent_again_once_its_time_has_passed() {
        let bench = deployed().await;
        let owner = parameters().owner.unwrap().email;
        let first = bench.token(owner.as_str()).await;
        bench.advance(SignedDuration::from_hours(7 * 24));

        lay(&app(&bench), &parameters(), Some(&parameters())).await.unwrap();

        let second = bench.token(owner.as_str()).await;
        assert_ne!(first, second);
        let token = PlainToken::parse(&second).unwrap().hashed();
        let opened = bench.store.opened_invitation(&token, bench.now()).await.unwrap().unwrap();
        assert_eq!((opened.person.email, opened.person.role), (owner, Role::ApiOwner));
        assert_eq!(bench.rows_in("USER#").await.len(), 1);
    }

    #[tokio::test]
    async fn where_somebody_runs_the_portal_no_invitation_is_sent_again() {
        let bench = deployed().await;
        bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
        bench.advance(SignedDuration::from_hours(7 * 24));
        let mails = bench.rows_in("OUTBOX#").await.len();

        lay(&app(&bench), &parameters(), Some(&parameters())).await.unwrap();

        assert_eq!(bench.rows_in("OUTBOX#").await.len(), mails);
    }

    #[tokio::test]
    async fn two_at_once_invite_one_owner() {
        let bench = Bench::without_foundation().await;
        let (app, parameters) = (app(&bench), parameters());

        let (one, other) = tokio::join!(lay(&app, &parameters, None), lay(&app, &parameters, None));

        assert!(one.is_ok() && other.is_ok());
        assert_eq!(bench.mail_events("grace@example.com").await, ["invitation"]);
        assert_eq!(bench.rows_in("USER#").await.len(), 1);
    }

    #[tokio::test]
    async fn parameters_that_changed_are_set() {
        let bench = deployed().await;
        bench.advance(SignedDuration::from_hours(1));
        let (sender, portal_name) = (Some(email("new@example.com")), Some(name("New APIs")));
        let after = Parameters { sender, portal_name, ..parameters() };

        lay(&app(&bench), &after, Some(&parameters())).await.unwrap();

        assert_eq!(settings(&bench).await, (Some("new@example.com".to_owned()), "New APIs".to_owned()));
        let event = bench.rows_in("AUDIT#").await.pop().unwrap();
        assert_eq!((&event["action"], &event["actor"]), (&json!("settings.changed"), &json!("system")));
    }

    #[tokio::test]
    async fn parameters_that_did_not_change_overwrite_nothing_that_an_owner_set() {
        let bench = deployed().await;
        bench
            .set(|settings| {
                settings.sender = Some(email("owner@example.com"));
                settings.portal_name = name("Our APIs");
                settings.sign_in = false;
            })
            .await;

        lay(&app(&bench), &parameters(), Some(&parameters())).await.unwrap();
        lay(&app(&bench), &parameters(), None).await.unwrap();

        assert_eq!(settings(&bench).await, (Some("owner@example.com".to_owned()), "Our APIs".to_owned()));
        let after = Parameters { portal_name: Some(name("New APIs")), ..parameters() };
        lay(&app(&bench), &after, Some(&parameters())).await.unwrap();
        assert_eq!(settings(&bench).await, (Some("owner@example.com".to_owned()), "New APIs".to_owned()));
        assert!(!bench.store.settings().await.unwrap().sign_in);
    }

    #[tokio::test]
    async fn a_sender_that_a_deployment_brings_later_is_set_and_one_that_an_owner_cleared_is_not() {
        let bench = Bench::without_foundation().await;
        lay(&app(&bench), &Parameters::default(), None).await.unwrap();
        assert_eq!(settings(&bench).await, (None, "Developer portal".to_owned()));

        lay(&app(&bench), &parameters(), Some(&Parameters::default())).await.unwrap();
        assert_eq!(settings(&bench).await.0.as_deref(), Some("portal@example.com"));

        bench.set(|settings| settings.sender = None).await;
        lay(&app(&bench), &parameters(), Some(&parameters())).await.unwrap();
        lay(&app(&bench), &parameters(), None).await.unwrap();
        assert_eq!(settings(&bench).await.0, None);
    }

    #[tokio::test]
    async fn settings_that_somebody_changed_meanwhile_are_not_overwritten() {
        let bench = deployed().await;
        let (store, origin) = (bench.store.clone(), bench.origin());
        let before = store.settings().await.unwrap();
        let closed = Settings { self_registration: false, ..before.clone() };
        let meanwhile = async move {
            assert_eq!(store.change_settings(&before, closed, &origin).await.unwrap(), SettingsChange::Done);
        };
        let after = Parameters { sender: Some(email("new@example.com")), ..parameters() };
        // The five parts of the foundation come first; each stands there already.
        for _ in 0..5 {
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
        }
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let error = lay(&app(&bench), &after, Some(&parameters())).await.unwrap_err();

        assert!(matches!(error, StoreError::Busy), "{error:?}");
        assert!(!bench.store.settings().await.unwrap().self_registration);
        lay(&app(&bench), &after, Some(&parameters())).await.unwrap();
        assert_eq!(settings(&bench).await.0.as_deref(), Some("new@example.com"));
    }

    #[tokio::test]
    async fn an_address_that_is_known_is_not_invited() {
        let bench = Bench::new().await;
        bench.person("grace@example.com", Role::TeamMember, Status::Active).await;
        let before: Vec<Value> = bench.rows_in("USER#").await;

        lay(&app(&bench), &parameters(), None).await.unwrap();

        assert_eq!(bench.rows_in("USER#").await, before);
        assert_eq!(bench.mail_events("grace@example.com").await, ["welcome"]);
    }
}
