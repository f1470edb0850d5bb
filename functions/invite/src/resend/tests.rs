//! Sending again.

use harness::{Bench, PASSWORD, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::user::{Role, Status};

use crate::{
    accept::tests::accept,
    create::tests::{acme, ada, app, invite, invited, known, portal, send},
    router,
};

const SEVEN_DAYS: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(crate) async fn resend(bench: &Bench, caller: &SignedIn, id: &Value) -> Reply {
    send(bench, Sample::of("invite-resend").by(caller).id(id.as_str().unwrap())).await
}

#[tokio::test]
async fn the_old_link_is_dead_and_the_time_starts_again() {
    let (bench, owner) = portal().await;
    let (invitation, old) = invited(&bench, &owner, &ada(json!({}))).await;
    bench.advance(SignedDuration::from_hours(24));
    let owner = bench.sign_in(&owner.user).await;

    let reply = resend(&bench, &owner, &invitation["id"]).await;

    assert_eq!(
        (reply.status, &reply.body["status"], &reply.body["delivery"]),
        (202, &json!("pending"), &json!("queued"))
    );
    assert_eq!(
        (&reply.body["sent_at"], &reply.body["expires_at"]),
        (&json!(bench.now()), &json!(bench.now() + SEVEN_DAYS))
    );
    let new = bench.token("ada@example.com").await;
    assert_eq!(accept(&bench, &old, PASSWORD).await.problem(), "link-not-usable");
    assert_eq!(accept(&bench, &new, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn links_of_every_older_version_are_dead() {
    let (bench, owner) = portal().await;
    let (invitation, first) = invited(&bench, &owner, &ada(json!({}))).await;
    let mut older = vec![first];
    for _ in 0..3 {
        assert_eq!(resend(&bench, &owner, &invitation["id"]).await.status, 202);
        older.push(bench.token("ada@example.com").await);
    }
    let newest = older.pop().unwrap();

    for token in older {
        let reply = accept(&bench, &token, PASSWORD).await;
        assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"));
    }
    assert_eq!(accept(&bench, &newest, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_expired_invitation_waits_again() {
    let (bench, owner) = portal().await;
    let (invitation, _) = invited(&bench, &owner, &ada(json!({}))).await;
    bench.advance(SEVEN_DAYS);
    let owner = bench.sign_in(&owner.user).await;

    assert_eq!(resend(&bench, &owner, &invitation["id"]).await.body["status"], "pending");
    let token = bench.token("ada@example.com").await;
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn what_was_accepted_or_revoked_is_not_sent_again() {
    let (bench, owner) = portal().await;
    let (accepted, token) = invited(&bench, &owner, &ada(json!({}))).await;
    accept(&bench, &token, PASSWORD).await;
    let (revoked, _) = invited(&bench, &owner, &ada(json!({"email": "b@example.com"}))).await;
    send(&bench, Sample::of("invite-revoke").by(&owner).id(revoked["id"].as_str().unwrap())).await;

    for (invitation, status) in [(accepted, "accepted"), (revoked, "revoked")] {
        let reply = resend(&bench, &owner, &invitation["id"]).await;
        assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
        assert_eq!(reply.body["invitation_status"], status);
    }
}

#[tokio::test]
async fn an_admin_sends_again_what_is_wholly_theirs_and_only_while_they_may_invite() {
    let (bench, owner) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let into = async |email: &str, teams: Value| {
        invite(&bench, &owner, &ada(json!({"email": email, "organisation_id": acme, "team_ids": teams}))).await.body
    };
    let own = into("own@example.com", json!([teams[1]])).await;
    let both = into("both@example.com", json!([teams[1], teams[2]])).await;
    let other = into("other@example.com", json!([teams[2]])).await;

    assert_eq!(resend(&bench, &admin, &own["id"]).await.body["invited_by"], json!(admin.user.id));
    assert_eq!(resend(&bench, &admin, &both["id"]).await.problem(), "forbidden");
    assert_eq!(resend(&bench, &admin, &other["id"]).await.problem(), "not-found");
    bench.set(|settings| settings.consumer_admin_invitations = false).await;
    assert_eq!(resend(&bench, &admin, &own["id"]).await.problem(), "invitations-closed");
    assert_eq!(resend(&bench, &owner, &own["id"]).await.status, 202);
}

#[tokio::test]
async fn an_invitation_of_an_address_elsewhere_is_sent_again_alike() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    let body = |email: &str| ada(json!({"email": email, "team_ids": [teams[1]]}));
    let ask = async |email: &str| {
        let invitation = invite(&bench, &admin, &body(email)).await.body;
        let sample = Sample::of("invite-resend").by(&admin).id(invitation["id"].as_str().unwrap());
        let (mut reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;
        for own in ["id", "user_id", "email", "sent_at", "expires_at"] {
            reply.body[own] = Value::Null;
        }
        (reply.status, reply.body, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
    };

    assert_eq!(ask("settled@example.com").await, ask("new@example.com").await);

    let events = bench.mail_events("settled@example.com").await;
    assert_eq!(events, ["welcome", "already_registered", "already_registered"]);
}

#[tokio::test]
async fn of_two_at_once_both_are_sent_and_the_later_link_works() {
    let (bench, owner) = portal().await;
    let (invitation, _) = invited(&bench, &owner, &ada(json!({}))).await;
    let sample = Sample::of("invite-resend").by(&owner).id(invitation["id"].as_str().unwrap());
    let rival = router(app(&bench));
    let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 202) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    assert_eq!(resend(&bench, &owner, &invitation["id"]).await.status, 202);

    let sent = bench.mails("ada@example.com").await;
    let tokens = sent.iter().map(|mail| mail.text.as_ref().unwrap().split("#token=").nth(1).unwrap());
    let mut works = 0;
    for token in tokens.map(|rest| rest.split_whitespace().next().unwrap().to_owned()) {
        works += usize::from(accept(&bench, &token, PASSWORD).await.status == 200);
    }
    assert_eq!((sent.len(), works), (3, 1));
}

#[tokio::test]
async fn a_registration_with_an_invited_address_sends_the_invitation_again_and_kills_no_link() {
    let (bench, owner) = portal().await;
    let (_, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let sentinel = known(&bench, "ada@example.com").await.unwrap();
    let address = harness::email("ada@example.com");
    bench.store.register_known(&address, &sentinel, Status::Unconfirmed, &bench.origin()).await.unwrap();

    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation", "invitation"]);
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn without_a_sender_nothing_is_sent_again_and_a_body_is_refused() {
    let (bench, owner) = portal().await;
    let (invitation, _) = invited(&bench, &owner, &ada(json!({}))).await;
    let id = invitation["id"].as_str().unwrap();
    let with_body = Sample::of("invite-resend").by(&owner).id(id).body(&json!({"email": "eve@example.com"}));

    assert_eq!(send(&bench, with_body).await.faults(), [("/email", "unknown_field")]);
    bench.set(|settings| settings.sender = None).await;
    assert_eq!(resend(&bench, &owner, &invitation["id"]).await.problem(), "mail-not-configured");
}

#[tokio::test]
async fn an_address_gets_five_mails_an_hour_and_the_answer_stays_the_same() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    for (address, first) in [("settled@example.com", "welcome"), ("new@example.com", "invitation")] {
        let body = ada(json!({"email": address, "team_ids": [teams[1]]}));
        let invitation = invite(&bench, &admin, &body).await.body;
        for _ in 0..7 {
            assert_eq!(resend(&bench, &admin, &invitation["id"]).await.status, 202);
        }
        let events = bench.mail_events(address).await;
        let repeated = if first == "welcome" { "already_registered" } else { "invitation" };
        assert_eq!(events[0], first);
        let of_resends = events.iter().filter(|event| *event == repeated).count() - 1;
        assert_eq!(of_resends, 5, "{address}");
    }
    let token = bench.token("new@example.com").await;
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200, "the newest link that was mailed works");
}

#[tokio::test]
async fn what_was_forgotten_is_not_sent_again_whether_the_address_is_known_elsewhere_or_not() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    let mut invitations = Vec::new();
    for address in ["settled@example.com", "new@example.com"] {
        invitations.push(invite(&bench, &admin, &ada(json!({"email": address, "team_ids": [teams[1]]}))).await.body);
    }
    bench.advance(SEVEN_DAYS + SignedDuration::from_hours(31 * 24));
    for due in bench.store.invitations_to_expire(bench.now(), None, 10).await.unwrap().rows {
        assert!(bench.store.expire_invitation(&due.unwrap(), &bench.origin()).await.unwrap());
    }
    for due in bench
        .store
        .invitations_to_forget(bench.now() - SignedDuration::from_hours(30 * 24), None, 10)
        .await
        .unwrap()
        .rows
    {
        bench.store.forget_invited(&due.unwrap(), &bench.origin()).await.unwrap();
    }
    let admin = bench.sign_in(&admin.user).await;

    for invitation in &invitations {
        let reply = resend(&bench, &admin, &invitation["id"]).await;
        assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
        assert_eq!(reply.body["invitation_status"], "expired");
        let again = ada(json!({"email": invitation["email"], "team_ids": [teams[1]]}));
        assert_eq!(invite(&bench, &admin, &again).await.status, 201);
        let old = Sample::of("invite-revoke").by(&admin).id(invitation["id"].as_str().unwrap());
        assert_eq!(send(&bench, old).await.status, 204, "the new one does not stand in the old one's way");
    }
}
