//! Links in mails: the token stands in its mail and nowhere else; what is sent twice works twice.

use std::{future::pending, sync::Arc};

use harness::{Bench, Fault};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::domain::link::{PlainToken, Purpose};
use tokio::sync::Notify;

use super::{
    handle,
    tests::{app, queued, recipients, register, waiting},
};

/// The tokens that were mailed, the oldest first.
fn tokens(bench: &Bench) -> Vec<String> {
    let mails = bench.services.mailbox().list(None).unwrap().into_iter().rev();
    let token = |text: String| {
        let rest = text.split_once("#token=").unwrap().1.to_owned();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    mails.map(|mail| token(mail.text.unwrap())).collect()
}

/// Whether each token opens a link that can be used now.
async fn usable(bench: &Bench, tokens: &[String]) -> bool {
    for token in tokens {
        let facts = bench.store.link_facts(&PlainToken::parse(token).unwrap().hashed()).await.unwrap();
        if !facts.link.is_some_and(|link| link.is_usable(Purpose::Confirm, bench.now())) {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn a_token_has_43_characters_and_stands_in_its_mail_alone() {
    let bench = Bench::new().await;
    register(&bench, "ada@example.com").await;
    let event = queued(&bench).await;

    let (_, calls) = bench.calls(Box::pin(handle(&app(&bench), event))).await;

    let [token] = tokens(&bench).try_into().unwrap();
    assert_eq!(token.len(), 43);
    let rows = serde_json::to_string(&bench.rows().await).unwrap();
    assert!(!rows.contains(&token));
    assert!(calls.iter().all(|call| call.operation == "SES.SendEmail" || !call.request.to_string().contains(&token)));
}

#[tokio::test]
async fn a_link_is_kept_under_its_tokens_digest_with_whom_and_what_for_and_how_long() {
    let bench = Bench::new().await;
    register(&bench, "ada@example.com").await;
    let queued_at = bench.now();
    bench.advance(SignedDuration::from_hours(2));

    handle(&app(&bench), queued(&bench).await).await.unwrap();

    let [token] = tokens(&bench).try_into().unwrap();
    let [link] = bench.rows_in("LINK#").await.try_into().unwrap();
    let order = bench.rows_in("OUTBOX#").await[0]["link"].clone();
    let expires_at = queued_at + SignedDuration::from_hours(7 * 24);
    let expected = json!({
        "pk": format!("LINK#{}", PlainToken::parse(&token).unwrap().hashed().as_str()), "sk": "LINK",
        "user_id": order["user_id"], "purpose": "confirm", "link_version": 1,
        "expires_at": expires_at.as_millisecond(),
        "collect_at": (expires_at + SignedDuration::from_hours(24)).as_second(),
    });
    assert_eq!(link, expected);
}

#[tokio::test]
async fn each_sending_writes_a_link_of_its_own() {
    let bench = Bench::new().await;
    register(&bench, "ada@example.com").await;
    bench.advance(SignedDuration::from_millis(1));
    register(&bench, "ada@example.com").await;

    handle(&app(&bench), queued(&bench).await).await.unwrap();

    let tokens = tokens(&bench);
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(bench.rows_in("LINK#").await.len(), 2);
    assert!(usable(&bench, &tokens).await);
}

#[tokio::test]
async fn a_lost_answer_to_the_mark_sends_no_second_mail() {
    let bench = Arc::new(Bench::new().await);
    register(&bench, "ada@example.com").await;
    let event = queued(&bench).await;
    let then = bench.clone();
    let sent = async move {
        then.services.calls().fail_next("DynamoDB.UpdateItem", Fault::dropped().after());
    };
    bench.services.calls().before_next("SES.SendEmail", sent);

    handle(&app(&bench), event.clone()).await.unwrap();
    handle(&app(&bench), event).await.unwrap();

    assert_eq!((recipients(&bench).len(), waiting(&bench).await), (1, 0));
    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn a_crash_between_ses_and_the_mark_sends_once_more_when_the_claim_has_lapsed() {
    let bench = Arc::new(Bench::new().await);
    register(&bench, "ada@example.com").await;
    let (event, app) = (queued(&bench).await, app(&bench));
    let (then, reached) = (bench.clone(), Arc::new(Notify::new()));
    let at_the_mark = reached.clone();
    let sending = async move {
        let stands_still = async move {
            at_the_mark.notify_one();
            pending::<()>().await;
        };
        then.services.calls().before_next("DynamoDB.UpdateItem", stands_still);
    };
    bench.services.calls().before_next("SES.SendEmail", sending);
    let (crashing, records) = (app.clone(), event.clone());
    let process = tokio::spawn(async move { handle(&crashing, records).await.is_ok() });
    reached.notified().await;
    process.abort();
    assert!(process.await.unwrap_err().is_cancelled());

    handle(&app, event.clone()).await.unwrap();

    assert_eq!(recipients(&bench).len(), 1, "the entry is claimed");
    bench.advance(SignedDuration::from_secs(60));
    handle(&app, event).await.unwrap();
    assert_eq!((recipients(&bench).len(), waiting(&bench).await), (2, 0));
    let tokens = tokens(&bench);
    assert_ne!(tokens[0], tokens[1]);
    assert!(usable(&bench, &tokens).await);
}

#[tokio::test]
async fn a_crash_before_ses_is_made_good_by_the_sweep() {
    let bench = Bench::new().await;
    register(&bench, "ada@example.com").await;
    let id = shared::domain::ids::MailId::parse(bench.rows_in("OUTBOX#").await[0]["id"].as_str().unwrap()).unwrap();
    bench.mailer.outbox.take(&id, bench.now()).await.unwrap();
    let sweep = async |now: Timestamp| bench.mailer.deliver_unsent(now, 10, now).await.unwrap().0;

    assert_eq!(sweep(bench.now() + SignedDuration::from_secs(59)).await, 0);
    assert_eq!(sweep(bench.now() + SignedDuration::from_secs(60)).await, 1);
    assert_eq!(recipients(&bench), ["ada@example.com"]);
}
