use harness::{Bench, Fault, Reply, Sample};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::user::{Role, Status};

use crate::{
    login::tests::{app, without_password},
    router,
};

pub(crate) fn forgetting(address: &str) -> Sample {
    Sample::of("login-forgot-password").body(&json!({"email": address}))
}

pub(crate) async fn forget(bench: &Bench, address: &str) -> Reply {
    bench.advance(SignedDuration::from_millis(1));
    forgetting(address).send(router(app(bench))).await
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    bench
}

/// How many mails of that event an address got.
async fn count(bench: &Bench, address: &str, event: &str) -> usize {
    bench.mail_events(address).await.iter().filter(|sent| *sent == event).count()
}

#[tokio::test]
async fn an_active_person_gets_a_link_that_lives_an_hour() {
    let bench = bench().await;

    let reply = forget(&bench, " Ada@Example.com").await;

    assert_eq!((reply.status, &reply.body), (202, &json!({})));
    assert_eq!(bench.mail_events("ada@example.com").await, ["welcome", "reset_password"]);
    let text = bench.mails("ada@example.com").await.remove(0).text.unwrap();
    assert!(text.contains("https://portal.example.com/reset#token="), "{text}");
    let links = bench.rows_in("LINK#").await;
    let expires_at = (bench.now() + SignedDuration::from_hours(1)).as_millisecond();
    assert_eq!((&links[0]["purpose"], &links[0]["expires_at"]), (&json!("reset"), &json!(expires_at)));
}

#[tokio::test]
async fn asking_for_a_link_changes_nothing_of_the_person() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

    forget(&bench, "ada@example.com").await;

    assert_eq!(bench.read(&ada.user.id).await, ada.user);
}

#[tokio::test]
async fn nobody_but_the_active_gets_a_mail_and_nobody_is_told() {
    let bench = bench().await;
    without_password(&bench).await;
    let active = forget(&bench, "ada@example.com").await;
    for status in [Status::Pending, Status::Rejected, Status::Inactive] {
        bench.person(&format!("{}@example.com", status.as_str()), Role::TeamMember, status).await;
    }

    for name in ["pending", "rejected", "inactive", "unconfirmed", "invited", "nobody"] {
        let address = format!("{name}@example.com");
        assert_eq!(forget(&bench, &address).await, active, "{name}");
        assert_eq!(count(&bench, &address, "reset_password").await, 0, "{name}");
    }
}

#[tokio::test]
async fn every_address_takes_a_batch_and_a_transaction() {
    let bench = bench().await;
    without_password(&bench).await;
    bench.person("inactive@example.com", Role::TeamMember, Status::Inactive).await;
    for name in ["ada", "inactive", "unconfirmed", "invited", "nobody"] {
        let (_, calls) = bench.calls(forget(&bench, &format!("{name}@example.com"))).await;

        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"], "{name}");
        assert!(harness::write_units(&calls) <= 8, "{name}");
    }
}

#[tokio::test]
async fn who_changes_or_is_switched_off_meanwhile_gets_no_mail() {
    let bench = bench().await;
    let account = bench.store.login_facts(&harness::email("ada@example.com")).await.unwrap().account.unwrap();
    let changes = [("link_version", json!(99)), ("identity_due", json!("active")), ("status", json!("inactive"))];
    for (attribute, value) in changes {
        let meanwhile = bench.overwrite(&account.user_id, attribute, &value);
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        assert_eq!(forget(&bench, "ada@example.com").await.status, 202);

        assert_eq!(bench.mail_events("ada@example.com").await, ["welcome"], "{attribute}");
        bench.overwrite(&account.user_id, "link_version", &json!(account.link_version)).await;
    }
}

#[tokio::test]
async fn an_address_gets_five_mails_an_hour_and_the_answer_and_calls_stay_the_same() {
    let bench = bench().await;
    let mut answers = Vec::new();
    for _ in 0..7 {
        let (reply, calls) = bench.calls(forget(&bench, "ada@example.com")).await;
        answers.push((reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()));
    }

    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(count(&bench, "ada@example.com", "reset_password").await, 5);
    bench.advance(SignedDuration::from_hours(1));
    forget(&bench, "ada@example.com").await;
    assert_eq!(count(&bench, "ada@example.com", "reset_password").await, 6);
}

#[tokio::test]
async fn two_at_once_send_one_mail_and_count_one() {
    let bench = bench().await;
    let rival = app(&bench);
    let meanwhile = async move { drop(forgetting("ada@example.com").send(router(rival)).await) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    assert_eq!(forget(&bench, "ada@example.com").await.status, 202);

    assert_eq!(count(&bench, "ada@example.com", "reset_password").await, 1);
    assert_eq!(bench.rows_in("EMAIL#ada@").await[0]["mails"]["count"], 1);
}

#[tokio::test]
async fn a_lost_answer_sends_one_mail() {
    let bench = bench().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    assert_eq!(forget(&bench, "ada@example.com").await.status, 202);

    assert_eq!(count(&bench, "ada@example.com", "reset_password").await, 1);
}

#[tokio::test]
async fn without_a_sender_nothing_is_done_for_any_address() {
    let bench = bench().await;
    bench.set(|settings| settings.sender = None).await;
    for address in ["ada@example.com", "nobody@example.com"] {
        let (reply, calls) = bench.calls(forget(&bench, address)).await;

        assert_eq!((reply.status, reply.problem()), (409, "mail-not-configured"));
        assert_eq!(calls.len(), 1);
    }
}

#[tokio::test]
async fn the_body_holds_an_address_and_nothing_else() {
    let bench = Bench::new().await;
    let send = async |body: &Value| Sample::of("login-forgot-password").body(body).send(router(app(&bench))).await;

    assert_eq!(send(&json!({})).await.faults(), [("/email", "required")]);
    let reply = send(&json!({"email": "ada", "next": "https://evil.example"})).await;
    assert_eq!(reply.faults(), [("/email", "invalid_email"), ("/next", "unknown_field")]);
}
