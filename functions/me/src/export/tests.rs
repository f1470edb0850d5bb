//! The export: what stands in it, what must not, what it costs.

use harness::{Bench, CODE, Fault, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::{InvitationId, MailId},
        login_attempts::{Attempt, LoginAttempts},
        name::Name,
        organisation::Placement,
        source::SourceAddress,
        user::{NewUser, Role, Source, Start, Status},
    },
    store::{Inviting, Places, Requested},
};

use crate::delete::tests::send;

const ADA: &str = "ada@example.com";

async fn export(bench: &Bench, caller: &SignedIn) -> Reply {
    let reply = send(bench, Sample::of("me-export").by(caller)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

fn invitee() -> NewUser {
    NewUser {
        email: harness::email(ADA),
        first_name: Name::given("Addie"),
        last_name: Name::given("Byron"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::Invitation,
        start: Start::As(Status::Invited),
    }
}

#[tokio::test]
async fn everything_about_the_caller_is_in_one_document() {
    let bench = Bench::new().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let place = Placement { organisation_id: acme.clone(), team_ids: teams.clone() };
    let ada = bench.person_at(ADA, Role::TeamMember, Status::Active, Some(place)).await;
    // Ids of sessions have no order, and the export has them as they began.
    for _ in 0..4 {
        bench.sign_in(&ada).await;
        bench.advance(SignedDuration::from_secs(1));
    }
    let ada = bench.sign_in(&ada).await;
    bench.mails(ADA).await;

    let reply = export(&bench, &ada).await;

    let (body, me) = (&reply.body, send(&bench, Sample::of("me-read").by(&ada)).await.body);
    assert_eq!(reply.headers["content-disposition"], "attachment; filename=\"account.json\"");
    assert_eq!((&body["profile"], &body["complete"]), (&me, &json!(true)));
    assert_eq!(body["profile"]["teams"], json!([{"id": teams[0], "name": "Acme team 0"}]));
    let sessions = body["sessions"].as_array().unwrap();
    assert!(sessions.is_sorted_by_key(|session| session["started_at"].as_str()), "{sessions:?}");
    let current: Vec<_> = sessions.iter().map(|session| session["current"].as_bool().unwrap()).collect();
    assert_eq!(current, [false, false, false, false, true]);
    assert_eq!(body["mails"][0]["event"], "welcome");
    assert_eq!((&body["mails"][0]["delivery"], body["mails"].as_array().unwrap().len()), (&json!("sent"), 1));
    let actions: Vec<_> = body["audit"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    let created = actions.iter().position(|action| action == "user.created").unwrap();
    let created = &body["audit"][created];
    assert_eq!((&created["by"], &created["after"]["team_ids"]), (&json!("the portal"), &json!(teams)));
    assert!(actions.contains(&json!("user.password_set")) && actions.len() == 2, "{actions:?}");
}

#[tokio::test]
async fn no_secret_and_nobody_else_stands_in_it() {
    let bench = Bench::new().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    let code = bench.invite_code(CODE, |_| {}).await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    bench.overwrite(&ada.user.id, "redemption", &json!(code.redemption())).await;
    bench.mails(ADA).await;
    bench.advance(SignedDuration::from_secs(1));
    let account = bench.store.login_facts(&ada.user.email).await.unwrap().account;
    bench.store.forgot_password(&ada.user.email, account.as_ref(), &bench.origin()).await.unwrap();
    let token = bench.token(ADA).await;

    let told = export(&bench, &ada).await.body.to_string();

    let secrets = [CODE, &token, ada.session.as_str(), &ada.refresh_token, "owner@example.com"];
    assert!(secrets.into_iter().all(|secret| !told.contains(secret)), "{told}");
    assert!(!told.contains(owner.user.id.as_str()) && !told.contains("link_version"), "{told}");
    assert!(told.contains("\"auto_approve\":true") && told.contains("reset_password"), "{told}");
}

#[tokio::test]
async fn sources_that_logged_in_are_shown_and_strangers_who_failed_are_not() {
    let bench = Bench::new().await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    let source = |address: &str| SourceAddress::of(address.parse().unwrap());
    let mut before = LoginAttempts::default();
    for (address, attempt) in [("198.51.100.1", Attempt::WrongPassword), ("203.0.113.9", Attempt::RightPassword)] {
        bench.store.count_login(&ada.user.email, &before, attempt, &source(address), bench.now()).await;
        before = bench.store.login_facts(&ada.user.email).await.unwrap().attempts;
    }

    let logins = export(&bench, &ada).await.body["logins"].clone();

    assert_eq!(logins.as_array().unwrap().len(), 1);
    assert_eq!((&logins[0]["source"], &logins[0]["failures"]), (&json!("203.0.113.9"), &json!(0)));
}

#[tokio::test]
async fn an_invitation_of_a_known_address_tells_not_by_whom() {
    let bench = Bench::new().await;
    let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    let (places, life) = (Places::default(), SignedDuration::from_hours(1));
    let inviting = Inviting { by: Some(&admin.user), places: &places, life };
    bench.store.invite_elsewhere(invitee(), &ada.user.id, &inviting, &bench.origin()).await.unwrap();

    let body = export(&bench, &ada).await.body;

    let elsewhere = &body["invited_elsewhere"];
    assert_eq!((elsewhere.as_array().unwrap().len(), &body["invitations"]), (1, &json!([])));
    let keys: Vec<_> = elsewhere[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["first_name", "last_name", "sent_at", "status"]);
    assert_eq!(elsewhere[0]["first_name"], "Addie");
    assert!(!body.to_string().contains(admin.user.id.as_str()));
}

#[tokio::test]
async fn what_is_cut_off_is_said() {
    let bench = Bench::new().await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    let now = bench.now();
    let row = |number: u128| {
        let id = InvitationId::new(now, number);
        json!({
            "pk": format!("INVITATION#{id}"), "sk": "INVITATION", "about_pk": ada.user.id, "about_sk": id, "id": id,
            "user_id": ada.user.id, "email": ADA, "first_name": "Ada", "last_name": "Byron", "role": "team_member",
            "status": "revoked", "sent_at": now.as_millisecond(), "expires_at": now.as_millisecond(),
            "mail_id": MailId::new(now, number), "version": 1,
        })
    };
    bench.put_rows(&(0..301).map(row).collect::<Vec<_>>()).await;

    let body = export(&bench, &ada).await.body;

    assert_eq!((body["invitations"].as_array().unwrap().len(), &body["complete"]), (300, &Value::Bool(false)));
}

#[tokio::test]
async fn it_takes_reads_alone_and_as_many_however_much_there_is() {
    let bench = Bench::new().await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;

    let (_, calls) = bench.calls(export(&bench, &ada)).await;

    let operations: Vec<_> = calls.iter().map(|call| call.operation.trim_start_matches("DynamoDB.")).collect();
    let (batch, query) = ("BatchGetItem", "Query");
    assert_eq!(operations, [batch, query, query, batch, batch, query, query, query, batch]);
}

#[tokio::test]
async fn ones_own_requests_for_an_organisation_stand_in_it_and_nobody_elses() {
    let bench = Bench::new().await;
    let (ada, grace) =
        (bench.signed_in(ADA, Role::TeamMember).await, bench.signed_in("grace@example.com", Role::TeamMember).await);
    for (person, name) in [(&ada, "Engines"), (&grace, "Compilers")] {
        let name = Name::given(name);
        let asked = bench.store.request_organisation(&person.user, name, &[], &bench.origin()).await.unwrap();
        assert!(matches!(asked, Requested::Done(_)));
    }
    // Whoever sees everybody's requests has none of them in their own document.
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;

    let requests = export(&bench, &ada).await.body["organisation_requests"].clone();

    assert!(requests[0]["id"].is_string() && requests[0]["created_at"].is_string(), "{requests}");
    assert_eq!(requests.as_array().unwrap().len(), 1);
    assert_eq!((&requests[0]["name"], &requests[0]["status"]), (&json!("Engines"), &json!("pending")));
    assert_eq!(export(&bench, &owner).await.body["organisation_requests"], json!([]));
}

#[tokio::test]
async fn values_of_attributes_that_are_gone_stand_in_it_until_a_change_of_attributes_removes_them() {
    let bench = Bench::new().await;
    let (company, plan) = (bench.attribute("company", |_| {}).await, bench.attribute("plan", |_| {}).await);
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    let both = json!({"attributes": {"company": "Acme", "plan": "Gold"}});
    assert_eq!(send(&bench, Sample::of("me-change").by(&ada).body(&both)).await.status, 200);
    let before = bench.store.attributes().await.unwrap();
    let after = before.without(&company.id);
    bench.store.change_attributes(&before, &after, (&company, None), &bench.origin()).await.unwrap();

    let body = export(&bench, &ada).await.body;

    let told = (&body["profile"]["attributes"], &body["former_attributes"]);
    assert_eq!(told, (&json!({"plan": "Gold"}), &json!(["Acme"])));
    let named = json!({"attributes": {}});
    assert_eq!(send(&bench, Sample::of("me-change").by(&ada).body(&named)).await.status, 200);
    assert_eq!(export(&bench, &ada).await.body["former_attributes"], json!([]));
    let kept: Vec<_> = bench.read(&ada.user.id).await.attributes.into_iter().collect();
    assert_eq!(kept, [(plan.id.to_string(), json!("Gold"))]);
}

#[tokio::test]
async fn without_a_session_nothing_is_shown_and_a_table_that_fails_is_told_without_its_inside() {
    let bench = Bench::new().await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    let other = send(&bench, Sample::of("me-export").by(&ada).claim("origin_jti", "another")).await;
    bench.services.calls().fail_next("DynamoDB.Query", Fault::refused("AccessDeniedException", "arn:secret"));
    let failed = send(&bench, Sample::of("me-export").by(&ada)).await;

    assert_eq!((other.status, other.problem()), (401, "unauthenticated"));
    assert_eq!((failed.status, failed.problem()), (500, "internal"));
    assert!(!failed.body.to_string().contains("arn:"));
}
