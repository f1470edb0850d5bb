//! Nothing of somebody who was deleted is left: not in a table, not in the pool, not in a mail that is still to go out.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use harness::{Bench, CODE, PASSWORD, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    ids::UserId,
    organisation::Placement,
    user::{Role, Status},
};

mod functions;

const ADDRESS: &str = "zephyrine@quillfeather.example";
/// What tells the person whom these tests are about, wherever it stands.
const CANARIES: [&str; 3] = ["zephyrine", "Zephyrine", "Quillfeather"];

async fn send(bench: &Bench, sample: Sample) -> Reply {
    bench.advance(SignedDuration::from_millis(1));
    functions::send(bench, sample).await
}

async fn sweep(bench: &Bench) -> expire::Report {
    let (store, identity, mailer) = (bench.store.clone(), bench.identity.clone(), bench.mailer.clone());
    let app = expire::App { store, identity, mailer, owns_pool: true, clock: bench.clock.clone() };
    Box::pin(expire::handle(&app, None)).await.unwrap()
}

/// The items that hold something of the person.
async fn found(bench: &Bench) -> Vec<Value> {
    let mut rows = bench.rows().await;
    rows.retain(|row| CANARIES.into_iter().any(|canary| row.to_string().contains(canary)));
    rows
}

async fn pool(bench: &Bench) -> usize {
    let list = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
    list.send().await.unwrap().users().len()
}

async fn owner(bench: &Bench) -> SignedIn {
    bench.signed_in("owner@example.com", Role::ApiOwner).await
}

async fn id(bench: &Bench) -> UserId {
    bench.store.login_facts(&harness::email(ADDRESS)).await.unwrap().account.unwrap().user_id
}

/// An invitation by `caller`.
async fn invite(bench: &Bench, caller: &SignedIn, team: Option<&str>) -> Reply {
    let mut body = json!({"email": ADDRESS, "first_name": "Zephyrine", "last_name": "Quillfeather"});
    if let Some(team) = team {
        body["team_ids"] = json!([team]);
    }
    send(bench, Sample::of("invite-create").by(caller).body(&body)).await
}

async fn delete(bench: &Bench, caller: &SignedIn, id: &UserId) -> u16 {
    send(bench, Sample::of("users-delete").by(caller).id(id)).await.status
}

#[tokio::test]
async fn of_somebody_with_everything_nothing_is_left() {
    let bench = Bench::new().await;
    let owner = owner(&bench).await;
    bench.invite_code(CODE, |code| code.auto_approve = false).await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let place = Some(Placement { organisation_id: acme, team_ids: teams.clone() });
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, place).await;
    let admin = bench.sign_in(&admin).await;
    // In by a code, confirmed, approved by the owners who were told.
    let body = json!({"code": CODE, "email": ADDRESS, "first_name": "Zephyrine", "last_name": "Quillfeather"});
    assert_eq!(send(&bench, Sample::of("redeem-code-redeem").body(&body)).await.status, 202);
    let body = json!({"token": bench.token(ADDRESS).await, "password": PASSWORD});
    assert_eq!(send(&bench, Sample::of("register-confirm").body(&body)).await.status, 200);
    let id = id(&bench).await;
    assert_eq!(send(&bench, Sample::of("approve-approve").by(&owner).id(&id)).await.status, 200);
    // Logins that failed and one that did not, a forgotten password, an invitation by somebody who does not know them.
    for (password, status) in [("wrong tractor 42!", 401), (PASSWORD, 200)] {
        let body = json!({"email": ADDRESS, "password": password});
        assert_eq!(send(&bench, Sample::of("login-login").body(&body)).await.status, status);
    }
    let forgot = json!({"email": ADDRESS});
    bench.mails(ADDRESS).await;
    bench.advance(SignedDuration::from_secs(1));
    assert_eq!(send(&bench, Sample::of("login-forgot-password").body(&forgot)).await.status, 202);
    let reset = bench.token(ADDRESS).await;
    assert_eq!(invite(&bench, &admin, Some(teams[0].as_str())).await.status, 201);
    let kinds = |rows: &[Value]| {
        let kinds = rows
            .iter()
            .flat_map(|row| ["pk", "sk"].map(|key| row[key].as_str().unwrap().split('#').next().unwrap().to_owned()));
        kinds.collect::<std::collections::BTreeSet<_>>()
    };
    let before = kinds(&found(&bench).await);
    for kind in ["USER", "EMAIL", "LOGINS", "INVITATION", "ELSEWHERE", "OUTBOX"] {
        assert!(before.contains(kind), "{kind} holds nothing of them: {before:?}");
    }

    assert_eq!(delete(&bench, &owner, &id).await, 204);

    assert_eq!(found(&bench).await, Vec::<Value>::new());
    assert_eq!(pool(&bench).await, 2);
    let body = json!({"token": reset, "password": "amber tractor 42!"});
    assert_eq!(send(&bench, Sample::of("login-reset-password").body(&body)).await.problem(), "link-not-usable");
    bench.advance(SignedDuration::from_mins(16));
    sweep(&bench).await;
    assert!(bench.rows_in("UNFINISHED#").await.is_empty());
}

#[tokio::test]
async fn a_mail_that_waits_does_not_go_out_to_somebody_who_left() {
    let bench = Bench::new().await;
    let owner = owner(&bench).await;
    assert_eq!(invite(&bench, &owner, None).await.status, 201);
    let id = id(&bench).await;

    assert_eq!(delete(&bench, &owner, &id).await, 204);

    assert!(bench.mails(ADDRESS).await.is_empty());
    assert_eq!(found(&bench).await, Vec::<Value>::new());
    assert_eq!(invite(&bench, &owner, None).await.status, 201);
    assert_eq!(bench.mail_events(ADDRESS).await, ["invitation"]);
}

#[tokio::test]
async fn who_accepted_an_invitation_leaves_none_behind() {
    let bench = Bench::new().await;
    let owner = owner(&bench).await;
    invite(&bench, &owner, None).await;
    let body = json!({"token": bench.token(ADDRESS).await, "password": PASSWORD});
    assert_eq!(send(&bench, Sample::of("invite-accept").body(&body)).await.status, 200);
    let person = bench.sign_in(&bench.read(&id(&bench).await).await).await;

    assert_eq!(send(&bench, Sample::of("me-delete").by(&person)).await.status, 204);

    assert_eq!((found(&bench).await, pool(&bench).await), (Vec::new(), 1));
}

#[tokio::test]
async fn whom_they_invited_keeps_the_invitation_and_not_their_name() {
    let bench = Bench::new().await;
    let owner = owner(&bench).await;
    let (acme, team_ids) = bench.organisation("Acme", 0).await;
    let place = Some(Placement { organisation_id: acme, team_ids });
    let id = bench.person_at(ADDRESS, Role::ConsumerAdmin, Status::Active, place).await.id;
    bench.overwrite(&id, "first_name", &json!("Zephyrine")).await;
    bench.overwrite(&id, "last_name", &json!("Quillfeather")).await;
    let admin = bench.sign_in(&bench.read(&id).await).await;
    let body = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});
    assert_eq!(send(&bench, Sample::of("invite-create").by(&admin).body(&body)).await.status, 201);
    let text = bench.mails("ada@example.com").await.remove(0).text.unwrap();
    assert!(text.contains("Zephyrine Quillfeather invites you"), "{text}");

    assert_eq!(delete(&bench, &owner, &id).await, 204);

    assert_eq!(found(&bench).await, Vec::<Value>::new());
    // Who registers with the address gets the invitation again, in nobody's name.
    let body = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});
    assert_eq!(send(&bench, Sample::of("register-register").body(&body)).await.status, 202);
    let text = bench.mails("ada@example.com").await.remove(0).text.unwrap();
    assert!(text.contains("you are invited to"), "{text}");
    let body = json!({"token": bench.token("ada@example.com").await, "password": PASSWORD});
    assert_eq!(send(&bench, Sample::of("invite-accept").body(&body)).await.status, 200);
}

#[tokio::test]
async fn a_reminder_that_they_wait_names_them_neither_before_nor_after_it_was_sent() {
    for sent in [false, true] {
        let bench = Bench::new().await;
        let owner = owner(&bench).await;
        let waiting = bench.person(ADDRESS, Role::TeamMember, Status::Pending).await;
        bench.advance(SignedDuration::from_hours(25));
        assert_eq!(sweep(&bench).await.digests_queued, 1);
        if sent {
            assert_eq!(bench.mail_events("owner@example.com").await.last().unwrap(), "pending_digest");
        }

        assert_eq!(delete(&bench, &owner, &waiting.id).await, 204);

        assert_eq!(found(&bench).await, Vec::<Value>::new(), "sent: {sent}");
        let text = bench.mails("owner@example.com").await.remove(0).text.unwrap();
        assert!(text.contains("has waited for more than a day") && !text.contains("zephyrine"), "{text}");
    }
}

#[tokio::test]
async fn what_they_asked_for_goes_with_them_decided_or_waiting() {
    let bench = Bench::new().await;
    let owner = owner(&bench).await;
    bench.set(|settings| settings.organisation_requests = true).await;
    let person = bench.signed_in(ADDRESS, Role::TeamMember).await;
    let other = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let ask = async |by: &SignedIn, name: &str| {
        let ask = Sample::of("organisations-request").by(by).body(&json!({"name": name}));
        let asked = send(&bench, ask.header("idempotency-key", &name.replace(' ', "-"))).await;
        assert_eq!(asked.status, 201);
        asked.body["id"].as_str().unwrap().to_owned()
    };
    ask(&other, "Analytical Engines").await;
    let rejected = ask(&person, "Zephyrine Labs").await;
    let reject = Sample::of("organisations-reject-request").by(&owner).id(&rejected).body(&json!({"reason": "No."}));
    assert_eq!(send(&bench, reject).await.status, 200);
    ask(&person, "Quillfeather").await;
    assert_eq!((bench.rows_in("ORGREQUEST#").await.len(), bench.rows_in("REQUESTER#").await.len()), (3, 2));

    assert_eq!(delete(&bench, &owner, &person.user.id).await, 204);

    assert_eq!(found(&bench).await, Vec::<Value>::new());
    let left = bench.rows_in("ORGREQUEST#").await;
    assert_eq!((left.len(), &left[0]["name"]), (1, &json!("Analytical Engines")));
    assert_eq!(bench.rows_in("REQUESTER#").await.len(), 1);
}

#[tokio::test]
async fn what_the_indexes_did_not_know_of_yet_goes_with_the_sweep() {
    for cut_off in ["DynamoDB.Query", "Cognito.AdminUserGlobalSignOut"] {
        let bench = Bench::new().await;
        let owner = owner(&bench).await;
        bench.person(ADDRESS, Role::TeamMember, Status::Active).await;
        let fault = harness::Fault::refused("AccessDeniedException", "no");
        bench.services.calls().fail_next(cut_off, fault);

        assert_eq!(delete(&bench, &owner, &id(&bench).await).await, 204);

        assert!(!found(&bench).await.is_empty() || pool(&bench).await == 2, "{cut_off} left nothing");
        bench.advance(SignedDuration::from_mins(16));
        sweep(&bench).await;
        assert_eq!((found(&bench).await, pool(&bench).await), (Vec::new(), 1), "{cut_off}");
        assert!(bench.rows_in("UNFINISHED#").await.is_empty());
    }
}

#[tokio::test]
async fn who_was_invited_and_revoked_stays_in_the_inviters_list() {
    let bench = Bench::new().await;
    let owner = owner(&bench).await;
    let invitation = invite(&bench, &owner, None).await.body;
    let id = invitation["id"].as_str().unwrap();
    assert_eq!(send(&bench, Sample::of("invite-revoke").by(&owner).id(id)).await.status, 204);
    bench.mails("owner@example.com").await;
    bench.advance(SignedDuration::from_mins(16));

    sweep(&bench).await;

    let read = send(&bench, Sample::of("invite-read").by(&owner).id(id)).await;
    assert_eq!((read.status, &read.body["status"]), (200, &json!("revoked")));
}
