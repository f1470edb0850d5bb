//! Another address: what follows it, and who may give it.

use harness::{Sample, SignedIn};
use serde_json::{Value, json};
use shared::{
    domain::{
        challenge::Challenge,
        ids::OrganisationId,
        link::{PlainToken, Purpose},
        user::{Role, Start, Status, User},
    },
    store::LinkClaim,
};

use super::{
    tests::Acme,
    unfinished::{invited, new},
};
use crate::{
    list::tests::{app, list, send, who},
    router,
};

pub(super) const NEW: &str = "augusta@example.org";

pub(super) fn to_new() -> Value {
    json!({"email": NEW})
}

impl Acme {
    /// The address that Cognito has of a person.
    pub(super) async fn known_to_cognito(&self, person: &User) -> String {
        let services = &self.bench.services;
        let request = services.cognito().admin_get_user().user_pool_id(services.user_pool_id());
        let user = request.username(person.id.as_str()).send().await.unwrap();
        let email = user.user_attributes().iter().find(|attribute| attribute.name() == "email");
        email.and_then(|email| email.value()).unwrap().to_owned()
    }

    /// The notes of Cognito users that may not fit their rows.
    pub(super) async fn notes(&self) -> usize {
        self.bench.rows_in("UNFINISHED#").await.len()
    }

    /// Whether a link still claims its person.
    pub(super) async fn opens(&self, token: &PlainToken, purpose: Purpose, status: Status) -> bool {
        let claim = self.bench.store.claim_by_link(Some(token), purpose, status, self.bench.now()).await.unwrap();
        matches!(claim, LinkClaim::Yours { .. })
    }

    pub(super) async fn sentinel(&self, address: &str) -> Option<Value> {
        self.bench.rows_in(&format!("EMAIL#{address}")).await.pop()
    }
}

#[tokio::test]
async fn everything_follows_another_address_and_the_old_one_is_free_at_once() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.overwrite_row("LOGINS#ada@example.com", "LOGINS", "version", &json!(1)).await;

    let reply = acme.change(&ada.id, &acme.owner, &json!({"email": " Augusta@EXAMPLE.org "})).await;

    assert_eq!((reply.status, &reply.body["email"], &reply.headers["etag"]), (200, &json!(NEW), &json!("\"3\"")));
    let expected = User {
        email: harness::email(NEW),
        link_version: ada.link_version + 1,
        updated_at: acme.bench.now(),
        version: 3,
        ..ada.clone()
    };
    assert_eq!(acme.bench.read(&ada.id).await, expected);
    let known = acme.sentinel(NEW).await.unwrap();
    assert_eq!((&known["user_id"], &known["stage"]), (&json!(ada.id), &json!("settled")));
    assert_eq!(known["link_version"], json!(expected.link_version));
    assert_eq!(acme.sentinel("ada@example.com").await, None);
    assert_eq!(acme.bench.rows_in("LOGINS#ada@example.com").await, Vec::<Value>::new());
    assert_eq!((acme.known_to_cognito(&ada).await.as_str(), acme.notes().await), (NEW, 0));
    assert_eq!(who(&list(&acme.bench, &acme.owner, "q=augusta").await), ["augusta"]);
    assert!(who(&list(&acme.bench, &acme.owner, "q=ada").await).is_empty());
    let event = acme.audited("user.changed").await.remove(0);
    assert_eq!((&event["changed"], &event["before"], &event["after"]), (&json!(["email"]), &json!({}), &json!({})));
    acme.member("ada", &[1]).await;
}

#[tokio::test]
async fn both_addresses_are_told_and_the_old_one_not_which_the_new_one_is() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.mails("ada@example.com").await;

    acme.change(&ada.id, &acme.owner, &to_new()).await;

    let old = acme.bench.mails("ada@example.com").await.remove(0);
    assert_eq!(old.event.as_deref(), Some("email_changed"));
    assert!(!format!("{:?}{:?}{:?}", old.subject, old.text, old.html).contains("augusta"));
    assert_eq!(acme.bench.mail_events(NEW).await, ["email_changed"]);
    let new = acme.bench.mails(NEW).await.remove(0);
    assert_ne!(new.subject, old.subject);
}

#[tokio::test]
async fn who_is_logged_in_stays_so_and_logs_in_again_by_the_new_address_alone() {
    let acme = Acme::new().await;
    let ada = acme.bench.sign_in(&acme.member("ada", &[1]).await).await;

    acme.change(&ada.user.id, &acme.owner, &to_new()).await;

    assert_eq!(list(&acme.bench, &ada, "").await.status, 200);
    let facts = async |address: &str| acme.bench.store.login_facts(&harness::email(address)).await.unwrap();
    assert_eq!(facts("ada@example.com").await.account, None);
    let again = acme.bench.sign_in(&acme.bench.read(&ada.user.id).await).await;
    assert_eq!(list(&acme.bench, &again, "").await.status, 200);
}

#[tokio::test]
async fn the_same_address_is_no_change_whoever_sends_it_and_however_it_is_written() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.set(|settings| settings.sender = None).await;
    for caller in [&acme.owner, &acme.admin] {
        let reply = acme.change(&ada.id, caller, &json!({"email": "ADA@example.com "})).await;
        assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"2\"")));
    }
    assert_eq!(acme.bench.read(&ada.id).await, ada);
}

#[tokio::test]
async fn an_admin_changes_no_address_not_even_their_own() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let moving = json!({"email": NEW, "first_name": "Joan", "organisation_id": OrganisationId::default_organisation()});
    for id in [&ada.id, &acme.admin.user.id] {
        assert_eq!(acme.change(id, &acme.admin, &to_new()).await.faults(), [("/email", "not_allowed")]);
        let both = [("/email", "not_allowed"), ("/organisation_id", "not_allowed")];
        assert_eq!(acme.change(id, &acme.admin, &moving).await.faults(), both);
    }
    assert_eq!((acme.bench.read(&ada.id).await, acme.sentinel(NEW).await), (ada, None));
}

#[tokio::test]
async fn what_is_no_address_is_named_as_a_fault() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    for (email, fault) in [(json!("ada"), "invalid_email"), (json!(null), "required"), (json!(7), "not_a_string")] {
        let reply = acme.change(&ada.id, &acme.owner, &json!({"email": email})).await;
        assert_eq!(reply.faults(), [("/email", fault)]);
    }
}

#[tokio::test]
async fn a_taken_address_is_a_conflict_whoever_has_it_and_nothing_else_of_the_request_is_written() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.member("active", &[1]).await;
    invited(&acme, "invited@example.com").await;
    let unfinished = new(&acme, "unfinished@example.com", Start::Becoming(Status::Active));
    acme.bench.store.begin_creation(unfinished, &acme.bench.origin()).await.unwrap();
    for (name, expected) in
        [("active", (409, "email-taken")), ("invited", (409, "email-taken")), ("unfinished", (503, "try-again"))]
    {
        let body = json!({"email": format!("{name}@example.com"), "first_name": "Augusta"});

        let reply = acme.change(&ada.id, &acme.owner, &body).await;

        assert_eq!((reply.status, reply.problem()), expected);
    }
    assert_eq!(
        (acme.bench.read(&ada.id).await, acme.known_to_cognito(&ada).await),
        (ada, "ada@example.com".to_owned())
    );
}

#[tokio::test]
async fn without_a_sender_no_address_changes_and_everything_else_does() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.set(|settings| settings.sender = None).await;

    let refused = acme.change(&ada.id, &acme.owner, &json!({"email": NEW, "first_name": "Augusta"})).await;
    let named = acme.change(&ada.id, &acme.owner, &json!({"first_name": "Augusta"})).await;

    assert_eq!((refused.status, refused.problem()), (409, "mail-not-configured"));
    assert_eq!((named.status, &named.headers["etag"]), (200, &json!("\"3\"")));
}

#[tokio::test]
async fn an_active_owner_stays_counted_under_the_new_address_also_one_who_becomes_one() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let members = async || acme.bench.rows_in("OWNERS").await.remove(0)["members"].clone();
    let id = |person: &SignedIn| person.user.id.to_string();

    let own = acme.change(&acme.owner.user.id, &acme.owner, &json!({"email": "joan@example.com"})).await;
    assert_eq!((own.status, members().await), (200, json!({id(&acme.owner): "joan@example.com"})));
    acme.change(&ada.id, &acme.owner, &json!({"email": NEW, "role": "api_owner"})).await;
    assert_eq!(members().await, json!({id(&acme.owner): "joan@example.com", ada.id.to_string(): NEW}));
    acme.change(&ada.id, &acme.owner, &json!({"email": "ada@example.com", "role": "team_member"})).await;
    let row = acme.bench.rows_in("OWNERS").await.remove(0);
    assert_eq!((&row["active"], members().await), (&json!(1), json!({id(&acme.owner): "joan@example.com"})));
}

#[tokio::test]
async fn address_place_and_role_change_together() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let body = json!({"email": NEW, "role": "consumer_admin", "team_ids": [acme.teams[2]], "last_name": "King"});

    let reply = acme.change(&ada.id, &acme.owner, &body).await;

    assert_eq!((reply.status, &reply.body["email"], &reply.body["last_name"]), (200, &json!(NEW), &json!("King")));
    assert_eq!(acme.memberships(&ada.id).await, [2]);
    let event = acme.audited("user.changed").await.remove(0);
    assert_eq!(event["changed"], json!(["last_name", "email", "role", "team_ids"]));
}

#[tokio::test]
async fn a_login_that_waits_for_another_password_begins_again() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.overwrite(&ada.id, "must_change_password", &json!(true)).await;
    let facts = acme.bench.store.login_facts(&ada.email).await.unwrap();
    let token = PlainToken::new([7; 32]);
    let challenge = Challenge { digest: token.hashed(), password_mark: token.hashed(), expires_at: acme.bench.now() };
    acme.bench.store.pose_challenge(&facts.account.unwrap(), &challenge, true).await.unwrap();
    assert!(acme.bench.read(&ada.id).await.challenge.is_some());

    acme.change(&ada.id, &acme.owner, &to_new()).await;

    let now = acme.bench.read(&ada.id).await;
    assert_eq!((now.challenge, now.must_change_password), (None, true));
}

#[tokio::test]
async fn people_in_every_status_get_another_address() {
    let acme = Acme::new().await;
    for status in Status::ALL {
        let person = acme.person(status.as_str(), Role::TeamMember, status, &[1]).await;
        let address = format!("{}@example.org", status.as_str());

        let reply = acme.change(&person.id, &acme.owner, &json!({"email": address})).await;

        assert_eq!((reply.status, &reply.body["email"]), (200, &json!(address)), "{status:?}");
        assert_eq!((acme.known_to_cognito(&person).await, acme.notes().await), (address, 0));
    }
}

#[tokio::test]
async fn another_address_takes_one_batch_more_and_after_the_transaction_cognito_and_the_note() {
    let acme = Acme::new().await;
    let stranger = acme.bench.person("stranger@example.com", Role::TeamMember, Status::Active).await;
    let sample = Sample::of("users-change").id(&stranger.id).by(&acme.owner).body(&to_new());

    let (reply, calls) = acme.bench.calls(sample.send(router(app(&acme.bench)))).await;

    assert_eq!(reply.status, 200, "{reply:?}");
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.BatchGetItem",
        "DynamoDB.TransactWriteItems",
        "Cognito.AdminUpdateUserAttributes",
        "DynamoDB.TransactWriteItems",
    ];
    assert_eq!(operations, expected);
    assert_eq!(harness::write_units(&calls), 20);
    let read = send(&acme.bench, Sample::of("users-read").id(&stranger.id).by(&acme.owner)).await;
    assert_eq!(read.body, reply.body);
}

#[tokio::test]
async fn what_is_known_of_mail_to_the_new_address_counts_and_of_the_old_one_no_longer() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.suppress(NEW).await;
    let back = json!({"email": "ada@example.com"});

    let suppressed = acme.change(&ada.id, &acme.owner, &to_new()).await;
    let clean = acme.change(&ada.id, &acme.owner, &back).await;
    let allowed = acme.change(&ada.id, &acme.owner, &json!({"email": NEW, "mail_status": "ok"})).await;

    let status = |reply: &harness::Reply| (reply.status, reply.body["mail_status"].as_str().unwrap().to_owned());
    let expected = [(200, "bounced".to_owned()), (200, "ok".to_owned()), (200, "ok".to_owned())];
    assert_eq!([&suppressed, &clean, &allowed].map(status), expected);
    assert!(acme.bench.read(&ada.id).await.mail_status.is_ok());
    assert!(acme.bench.rows_in("SUPPRESSED#").await.is_empty());
    let event = acme.audited("user.changed").await.remove(0);
    assert_eq!((&event["before"]["mail_status"], &event["after"]["mail_status"]), (&json!("ok"), &json!("bounced")));
}
