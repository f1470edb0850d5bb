//! Mail that the stream did not send.

use jiff::SignedDuration;
use lambda_runtime::Error;
use shared::{
    domain::{audit::Origin, ids::MailId},
    mail::Delivered,
};

use super::run::{Run, Swept};
use crate::App;

/// How many mails one run takes on: each costs four calls or more, one after the other.
const MAIL_BATCH: u16 = 25;
/// How long a mail may be on its way before the sweep sends it: the stream is faster when it works.
const MAIL_GRACE: SignedDuration = SignedDuration::from_mins(2);

/// Sends what is unsent and due.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let due = run.app.mailer.outbox.unsent(run.origin.now - MAIL_GRACE, MAIL_BATCH).await?;
    run.report.mails_sent = run.each(due, send).await;
    Ok(())
}

/// Sends one mail. Its claim counts from now, not from the start of the run: it has to outlast the sending.
async fn send(app: &App, _: &Origin, id: MailId) -> Result<Swept, Error> {
    Ok(match app.mailer.deliver(&id, app.clock.now()).await? {
        Delivered::Done => Swept::Done,
        Delivered::Suppressed | Delivered::Expired | Delivered::NotMine => Swept::Nothing,
        // No mail of any kind goes out.
        Delivered::NoSender => Swept::Stop,
    })
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, email};
    use serde_json::{Value, json};
    use shared::{domain::link::CONFIRM_LIFE, store::keys};

    use super::{
        super::{
            Report, handle,
            tests::{MILLISECOND, app, register, sweep, unfinished},
        },
        *,
    };

    /// Writes an entry past all code of the product.
    async fn put(bench: &Bench, entry: &Value) {
        let put = bench.services.dynamodb().put_item().table_name(bench.services.mail_table());
        put.set_item(Some(serde_dynamo::to_item(entry).unwrap())).send().await.unwrap();
    }

    /// How many mails have gone out.
    fn sent(bench: &Bench) -> usize {
        bench.services.mailbox().list(None).unwrap().len()
    }

    #[tokio::test]
    async fn a_mail_that_waits_is_sent_after_two_minutes_and_not_before() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        bench.advance(SignedDuration::from_mins(2));
        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(MILLISECOND);
        let report = sweep(&bench).await;

        assert_eq!(report, Report { mails_sent: 1, ..Report::default() });
        assert_eq!(bench.services.mailbox().list(Some("ada@example.com")).unwrap().len(), 1);
        assert_eq!(sweep(&bench).await, Report::default());
    }

    #[tokio::test]
    async fn a_mail_that_fails_stops_no_other_and_is_tried_again() {
        let bench = Bench::new().await;
        for address in ["a@example.com", "b@example.com", "c@example.com"] {
            register(&bench, address).await;
        }
        bench.advance(MAIL_GRACE + MILLISECOND);
        bench.services.calls().fail_next("SES.SendEmail", Fault::refused("SendingPausedException", "later"));

        let report = unfinished(handle(&app(&bench), None).await);

        assert_eq!(report, Report { mails_sent: 2, failures: 1, ..Report::default() });
        assert_eq!(sweep(&bench).await, Report::default(), "it stands back");
        bench.advance(SignedDuration::from_mins(1) + MAIL_GRACE + MILLISECOND);
        assert_eq!(sweep(&bench).await, Report { mails_sent: 1, ..Report::default() });
        assert_eq!(sent(&bench), 3);
    }

    #[tokio::test]
    async fn any_number_of_mails_that_cannot_be_sent_keeps_no_later_one_from_its_turn() {
        let bench = Bench::new().await;
        for number in 0..30 {
            register(&bench, &format!("person-{number}@example.com")).await;
        }
        for mut entry in bench.rows_in("OUTBOX#").await {
            entry["event"] = json!("no_such_event");
            put(&bench, &entry).await;
        }
        bench.advance(MILLISECOND);
        register(&bench, "ada@example.com").await;
        bench.advance(MAIL_GRACE + MILLISECOND);

        let runs = [unfinished(handle(&app(&bench), None).await), unfinished(handle(&app(&bench), None).await)];

        assert_eq!(runs.each_ref().map(|report| report.failures), [25, 5]);
        assert_eq!(runs.map(|report| report.mails_sent), [0, 1]);
        assert_eq!(bench.services.mailbox().list(Some("ada@example.com")).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_entry_without_a_mail_id_stops_no_other() {
        let bench = Bench::new().await;
        let unsent_sk = keys::instant_and_id(bench.now(), "");
        let entry = json!({"pk": "OUTBOX#junk", "sk": "OUTBOX", "unsent_pk": keys::UNSENT, "unsent_sk": unsent_sk});
        put(&bench, &entry).await;
        register(&bench, "ada@example.com").await;
        bench.advance(MAIL_GRACE + MILLISECOND);

        let report = unfinished(handle(&app(&bench), None).await);

        assert_eq!(report, Report { mails_sent: 1, failures: 1, ..Report::default() });
    }

    #[tokio::test]
    async fn sixty_mails_take_three_runs() {
        let bench = Bench::new().await;
        for number in 0..60 {
            register(&bench, &format!("person-{number}@example.com")).await;
        }
        bench.advance(MAIL_GRACE + MILLISECOND);

        let runs = [sweep(&bench).await, sweep(&bench).await, sweep(&bench).await, sweep(&bench).await];

        assert_eq!(runs.map(|report| report.mails_sent), [25, 25, 10, 0]);
    }

    #[tokio::test]
    async fn a_mail_whose_link_has_expired_is_never_sent() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        bench.advance(CONFIRM_LIFE);

        assert_eq!(sweep(&bench).await, Report::default());

        assert_eq!(sent(&bench), 0);
        assert!(bench.rows_in("OUTBOX#").await[0]["unsent_pk"].is_null());
    }

    #[tokio::test]
    async fn without_a_sender_mail_waits_and_that_is_no_failure() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        bench.set(|settings| settings.sender = None).await;
        bench.advance(MAIL_GRACE + MILLISECOND);
        assert_eq!(sweep(&bench).await, Report::default());

        bench.set(|settings| settings.sender = Some(email("portal@example.com"))).await;

        assert_eq!(sweep(&bench).await, Report { mails_sent: 1, ..Report::default() });
    }

    #[tokio::test]
    async fn a_mail_that_another_process_is_sending_is_left_to_it() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        bench.advance(MAIL_GRACE + MILLISECOND);
        let id = bench.rows_in("OUTBOX#").await[0]["id"].as_str().unwrap().to_owned();
        let id = MailId::parse(&id).unwrap();
        bench.mailer.outbox.take(&id, bench.now()).await.unwrap();

        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(SignedDuration::from_secs(60));
        assert_eq!(sweep(&bench).await.mails_sent, 1);
    }

    #[tokio::test]
    async fn two_sweeps_at_once_send_each_mail_once() {
        let bench = Bench::new().await;
        for number in 0..5 {
            register(&bench, &format!("person-{number}@example.com")).await;
        }
        bench.advance(MAIL_GRACE + MILLISECOND);

        let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

        assert_eq!((one.mails_sent + other.mails_sent, sent(&bench)), (5, 5));
    }
}
