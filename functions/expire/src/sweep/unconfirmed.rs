//! Registrations that nobody confirmed.

use lambda_runtime::Error;
use shared::domain::{
    audit::Origin,
    link::CONFIRM_LIFE,
    user::{Status, User},
};

use super::{
    BATCH, identities,
    run::{Run, Swept},
};
use crate::App;

/// Deletes registrations whose last link has expired.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, origin: &Origin, after: Option<&str>| {
        app.store.people_since(Status::Unconfirmed, origin.now - CONFIRM_LIFE, after, BATCH).await
    };
    run.report.unconfirmed_deleted = run.all(due, delete).await?;
    Ok(())
}

async fn delete(app: &App, origin: &Origin, person: User) -> Result<Swept, Error> {
    let since = origin.now - CONFIRM_LIFE;
    let Some(note) = app.store.delete_unconfirmed(&person, since, origin).await? else { return Ok(Swept::Nothing) };
    identities::forget(app, &note).await?;
    Ok(Swept::Done)
}

#[cfg(test)]
mod races;
#[cfg(test)]
mod slots;

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, PASSWORD};
    use jiff::SignedDuration;
    use shared::{
        domain::{
            link::{PlainToken, Purpose},
            password::Password,
        },
        store::Claim,
    };

    use super::{
        super::{
            Report, handle,
            tests::{MILLISECOND, app, cognito_users, link, register, sweep, traces, unfinished},
        },
        *,
    };

    #[tokio::test]
    async fn a_registration_that_nobody_confirmed_goes_with_everything_of_it() {
        let bench = Bench::new().await;
        let user = register(&bench, "ada@example.com").await;
        bench.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
        bench.mails("ada@example.com").await;
        assert_eq!(traces(&bench, &user).await, 3);
        bench.advance(CONFIRM_LIFE + MILLISECOND);

        let report = sweep(&bench).await;

        assert_eq!(report, Report { unconfirmed_deleted: 1, ..Report::default() });
        assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (0, 0));
        let event = bench.rows_in("AUDIT#").await.pop().unwrap();
        assert_eq!((&event["action"], &event["target"]), (&"registration.expired".into(), &user.id.as_str().into()));
        register(&bench, "ada@example.com").await;
    }

    #[tokio::test]
    async fn a_registration_waits_for_exactly_seven_days() {
        let bench = Bench::new().await;
        let user = register(&bench, "ada@example.com").await;
        bench.mails("ada@example.com").await;
        bench.advance(SignedDuration::from_hours(7 * 24));

        assert_eq!(sweep(&bench).await.unconfirmed_deleted, 0);
        assert_eq!(bench.read(&user.id).await, user);

        bench.advance(MILLISECOND);
        assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);
    }

    #[tokio::test]
    async fn a_registration_never_goes_while_its_link_works_however_late_the_mail_went_out() {
        let bench = Bench::new().await;
        let user = register(&bench, "ada@example.com").await;
        bench.advance(SignedDuration::from_hours(3 * 24));
        let token = PlainToken::parse(&bench.token("ada@example.com").await).unwrap().hashed();

        for step in [SignedDuration::from_hours(4 * 24) - MILLISECOND, MILLISECOND, MILLISECOND] {
            bench.advance(step);
            sweep(&bench).await;

            let link = bench.store.link_facts(&token).await.unwrap().link.unwrap();
            let works = link.is_usable(Purpose::Confirm, bench.now());
            assert!(!works || bench.store.person(&user.id).await.unwrap().is_some());
        }
        assert!(bench.store.person(&user.id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn who_asked_for_another_mail_has_another_seven_days() {
        let bench = Bench::new().await;
        let user = register(&bench, "ada@example.com").await;
        bench.advance(SignedDuration::from_hours(6 * 24));
        let known = bench.store.login_facts(&user.email).await.unwrap().account;
        bench.store.resend_confirmation(&user.email, known.as_ref(), &bench.origin()).await.unwrap();
        bench.mails("ada@example.com").await;

        bench.advance(CONFIRM_LIFE);
        assert_eq!(sweep(&bench).await.unconfirmed_deleted, 0);

        bench.advance(MILLISECOND);
        assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);
    }

    #[tokio::test]
    async fn who_is_confirming_right_now_stays_until_the_claim_has_lapsed() {
        let bench = Bench::new().await;
        let user = register(&bench, "ada@example.com").await;
        bench.mails("ada@example.com").await;
        bench.advance(CONFIRM_LIFE + MILLISECOND);
        let claim = bench.store.claim(&link(&user), Status::Unconfirmed, bench.now()).await.unwrap();
        assert!(matches!(claim, Claim::Yours(_)));

        bench.advance(SignedDuration::from_secs(60) - MILLISECOND);
        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(MILLISECOND);
        assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);
    }

    #[tokio::test]
    async fn a_row_that_fails_stops_no_other_and_is_tried_again() {
        let bench = Bench::new().await;
        for address in ["a@example.com", "b@example.com", "c@example.com"] {
            register(&bench, address).await;
            bench.mails(address).await;
        }
        bench.advance(CONFIRM_LIFE + MILLISECOND);
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

        let report = unfinished(handle(&app(&bench), None).await);

        assert_eq!(report, Report { unconfirmed_deleted: 2, failures: 1, ..Report::default() });
        assert_eq!(sweep(&bench).await, Report { unconfirmed_deleted: 1, ..Report::default() });
    }

    #[tokio::test]
    async fn a_hundred_and_twenty_rows_take_one_run_page_after_page_and_none_is_forgotten() {
        let bench = Bench::new().await;
        for number in 0..120 {
            register(&bench, &format!("person-{number}@example.com")).await;
        }
        bench.advance(CONFIRM_LIFE + MILLISECOND);

        let runs = [sweep(&bench).await, sweep(&bench).await];

        assert_eq!(runs.each_ref().map(|report| report.unconfirmed_deleted), [120, 0]);
        assert!(runs.iter().all(|report| report.mails_sent == 0), "their links have expired");
        assert!(bench.rows_in("USER#").await.is_empty() && bench.rows_in("EMAIL#").await.is_empty());
    }
}
