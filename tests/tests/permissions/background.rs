//! The functions that nobody calls: the sweep, mail, and what a deployment lays down.

use harness::{Bench, CODE, Fate, PASSWORD, Sample, email};
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::{
    ids::UserId,
    organisation::Placement,
    password::Password,
    user::{Role, Status},
};

use crate::{functions, portal, watched::Watched};

/// A registration, with its mail in the outbox.
async fn register(bench: &Bench, address: &str) {
    let body = json!({"email": address, "first_name": "Ada", "last_name": "Lovelace"});
    let reply = functions::send(bench, Sample::of("register-register").body(&body)).await;
    assert_eq!(reply.status, 202);
}

#[tokio::test]
async fn expire_may_do_what_it_does() {
    let (mut bench, owner) = portal().await;
    bench.mailer.configuration_set = Some("portal".to_owned());
    bench.invite_code(CODE, |code| code.expires_at = Some(code.created_at + SignedDuration::from_hours(1))).await;
    assert_eq!(functions::send(&bench, Sample::of("redeem-code-redeem")).await.status, 202);
    bench.person("mary@example.com", Role::TeamMember, Status::Pending).await;
    // Without a Cognito user, whose address would be told at once.
    let body = json!({"email": "joan@example.com", "first_name": "Joan", "last_name": "Clarke"});
    let joan = functions::send(&bench, Sample::of("users-create").by(&owner).body(&body)).await.body;
    let change = Sample::of("users-change").by(&owner).id(joan["id"].as_str().unwrap());
    let change = change.body(&json!({"email": "joan@example.org"}));
    assert_eq!(functions::send(&bench, change).await.status, 200);
    bench.advance(SignedDuration::from_hours(8 * 24));
    register(&bench, "grace@example.com").await;
    let orphan = UserId::new(bench.now(), 7);
    bench.identity.establish(&orphan, &email("nobody@example.com"), &Password::new(PASSWORD)).await.unwrap();
    let left = bench.person("left@example.com", Role::TeamMember, Status::Active).await;
    bench.store.delete_person(&left, None, &bench.origin()).await.unwrap();
    let nobody = UserId::new(bench.now(), 0);
    let (acme, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: acme.clone(), team_ids: team_ids[1..].to_vec() });
    bench.person_at("joan@example.com", Role::TeamMember, Status::Active, place).await;
    let team = bench.store.caller_and_team(&nobody, &acme, &team_ids[1]).await.unwrap().2.unwrap();
    bench.store.delete_team(&team, &bench.origin()).await.unwrap();
    let (other, _) = bench.organisation("Other", 0).await;
    let other = bench.store.caller_and_organisation(&nobody, &other).await.unwrap().1.unwrap();
    bench.store.mark_organisation_deleting(&other, &bench.origin()).await.unwrap();
    bench.advance(SignedDuration::from_hours(1));
    let mut expire = Watched::new("expire", &bench);
    let app = expire::App {
        store: bench.store.clone(),
        identity: bench.identity.clone(),
        mailer: bench.mailer.clone(),
        owns_pool: true,
        clock: bench.clock.clone(),
    };

    let report = expire.watch(Box::pin(expire::handle(&app, None))).await.unwrap();

    assert_eq!((report.organisations_deleted, report.teams_deleted), (1, 1), "{report:?}");
    // The second mail is the owner's own, the third that of who is moved.
    assert_eq!(
        (report.unconfirmed_deleted, report.codes_expired, report.digests_queued, report.mails_sent),
        (1, 1, 1, 3),
        "{report:?}"
    );
    assert_eq!(report.orphans_removed, 1, "{report:?}");
    expire.matches_the_template();
}

#[tokio::test]
async fn deliver_mail_may_do_what_it_does() {
    let (mut bench, _) = portal().await;
    bench.mailer.configuration_set = Some("portal".to_owned());
    register(&bench, "ada@example.com").await;
    let entry = bench.rows_in("OUTBOX#").await.into_iter().find(|row| row["event"] == "confirm_registration").unwrap();
    let mut event = Sample::of("deliver-mail-stream").event();
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["dynamodb"]["Keys"]["pk"] = json!({"S": entry["pk"]});
    let mut deliver_mail = Watched::new("deliver-mail", &bench);
    let app = deliver_mail::App { mailer: bench.mailer.clone(), clock: bench.clock.clone() };

    let event = serde_json::from_value(event).unwrap();
    deliver_mail.watch(Box::pin(deliver_mail::handle(&app, event))).await.unwrap();

    assert_eq!(bench.services.mailbox().list(Some("ada@example.com")).unwrap().len(), 1);
    deliver_mail.matches_the_template();
}

#[tokio::test]
async fn mail_feedback_may_do_what_it_does() {
    let (bench, _) = portal().await;
    register(&bench, "ada@example.com").await;
    let mail = bench.mails("ada@example.com").await.remove(0);
    let mut event = Sample::of("mail-feedback-bounce").event();
    event["Records"][0]["Sns"]["Message"] = json!(harness::feedback(&mail, Fate::Bounce, bench.now()).to_string());
    let mut mail_feedback = Watched::new("mail-feedback", &bench);
    let app = mail_feedback::App { store: bench.store.clone(), clock: bench.clock.clone() };

    let event = serde_json::from_value(event).unwrap();
    mail_feedback.watch(Box::pin(mail_feedback::handle(&app, event))).await.unwrap();

    assert_eq!(bench.rows_in("SUPPRESSED#").await.len(), 1);
    mail_feedback.matches_the_template();
}

#[tokio::test]
async fn bootstrap_may_do_what_it_does() {
    let bench = Bench::without_foundation().await;
    let mut bootstrap = Watched::new("bootstrap", &bench);
    let app = bootstrap::App { store: bench.store.clone(), clock: bench.clock.clone() };

    for name in ["bootstrap-create", "bootstrap-update", "bootstrap-delete"] {
        let request = serde_json::from_value(Sample::of(name).event()).unwrap();
        let answer = bootstrap.watch(Box::pin(bootstrap::answer(&app, request))).await;
        assert!(answer.is_success(), "{name}: {answer:?}");
        // Long enough for the first owner's invitation to have expired before the next.
        bench.advance(SignedDuration::from_hours(8 * 24));
    }

    bootstrap.matches_the_template();
}
