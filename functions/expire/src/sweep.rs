//! One run of the schedule.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde::Serialize;
use shared::{
    domain::{
        audit::{Actor, Origin},
        link::CONFIRM_LIFE,
        user::{Status, User},
    },
    store::UnfinishedIdentity,
};

use crate::App;

/// How many rows of a kind one run takes on.
const BATCH: u16 = 50;
/// How many mails one run takes on: each costs four calls or more, one after the other. What a run that is cut off by
/// the function's time has not reached is the next one's.
const MAIL_BATCH: u16 = 25;
/// How long a mail may be on its way before the sweep sends it: the stream is faster when it works.
const MAIL_GRACE: SignedDuration = SignedDuration::from_mins(2);
/// How long a creation may wait for Cognito: far longer than the request that began it can live.
const CREATION_GRACE: SignedDuration = SignedDuration::from_mins(15);

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Registrations deleted because nobody confirmed them.
    pub unconfirmed_deleted: usize,
    /// Creations undone because their Cognito user was never made.
    pub creations_undone: usize,
    /// Mails sent that the stream had not sent.
    pub mails_sent: usize,
    /// Rows that could not be dealt with, and lists that could not be read; the next run tries them again.
    pub failures: usize,
}

/// A run that could not deal with everything: Lambda tries it again, and the alarm sees it.
#[derive(Debug, thiserror::Error)]
#[error("{} of what is due could not be dealt with", .0.failures)]
pub struct Unfinished(pub Report);

/// Runs the sweep once: unfinished creations, unconfirmed registrations, unsent mail, the oldest of each first. What
/// fails keeps nothing else waiting.
///
/// # Errors
/// [`Unfinished`] when a list of what is due could not be read, or a row failed.
pub async fn handle(app: &App) -> Result<Report, Error> {
    let now = app.clock.now();
    let origin = Origin { actor: Actor::System, request_id: "expire".to_owned(), now };
    let mut report = Report::default();
    let parts = [
        finish_identities(app, &origin, &mut report).await,
        delete_unconfirmed(app, &origin, &mut report).await,
        send_unsent(app, now, &mut report).await,
    ];
    for error in parts.into_iter().filter_map(Result::err) {
        report.failures += 1;
        tracing::error!(%error, "what is due could not be listed");
    }
    tracing::info!(?report, "sweep done");
    if report.failures == 0 { Ok(report) } else { Err(Unfinished(report).into()) }
}

/// Undoes creations that stopped half-way, and deletes the Cognito users of people who are gone.
async fn finish_identities(app: &App, origin: &Origin, report: &mut Report) -> Result<(), Error> {
    for found in app.store.unfinished_identities(origin.now - CREATION_GRACE, BATCH).await? {
        let undone = match found {
            Ok((note, person)) => finish_identity(app, &note, person, origin).await,
            Err(error) => Err(error.into()),
        };
        match undone {
            Ok(undone) => report.creations_undone += usize::from(undone),
            Err(error) => failed(report, &error),
        }
    }
    Ok(())
}

/// Row first, so that nobody can finish the creation, then the user that Cognito may have, then the note: whatever
/// fails, the next run goes on from there.
async fn finish_identity(
    app: &App,
    note: &UnfinishedIdentity,
    person: Option<User>,
    origin: &Origin,
) -> Result<bool, Error> {
    let undone = match person {
        None => false,
        // Finished a moment ago: the note went with it.
        Some(person) if !app.store.undo_creation(&person, origin).await? => return Ok(false),
        Some(_) => true,
    };
    app.identity.delete(&note.user_id).await?;
    app.store.finish_identity(note).await?;
    Ok(undone)
}

/// Deletes registrations whose last link has expired.
async fn delete_unconfirmed(app: &App, origin: &Origin, report: &mut Report) -> Result<(), Error> {
    let since = origin.now - CONFIRM_LIFE;
    for found in app.store.people_since(Status::Unconfirmed, since, BATCH).await? {
        let deleted = match found {
            Ok(person) => expire_registration(app, &person, since, origin).await,
            Err(error) => Err(error.into()),
        };
        match deleted {
            Ok(deleted) => report.unconfirmed_deleted += usize::from(deleted),
            Err(error) => failed(report, &error),
        }
    }
    Ok(())
}

async fn expire_registration(app: &App, person: &User, since: Timestamp, origin: &Origin) -> Result<bool, Error> {
    let Some(note) = app.store.delete_unconfirmed(person, since, origin).await? else { return Ok(false) };
    app.identity.delete(&note.user_id).await?;
    app.store.finish_identity(&note).await?;
    Ok(true)
}

async fn send_unsent(app: &App, now: Timestamp, report: &mut Report) -> Result<(), Error> {
    let (sent, failures) = app.mailer.deliver_unsent(now - MAIL_GRACE, MAIL_BATCH, now).await?;
    report.mails_sent = sent;
    report.failures += failures.len();
    for error in failures {
        tracing::error!(%error, "a mail could not be sent");
    }
    Ok(())
}

fn failed(report: &mut Report, error: &Error) {
    report.failures += 1;
    tracing::error!(%error, "a row could not be swept");
}

#[cfg(test)]
mod creations;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod races;

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, PASSWORD, Sample, email};
    use shared::{
        domain::{
            link::{Link, PlainToken, Purpose},
            name::Name,
            organisation::Placement,
            password::Password,
            user::{NewUser, Role, Source, Start},
        },
        store::{Claim, Registered},
    };

    use super::*;

    const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

    pub(super) fn app(bench: &Bench) -> App {
        let (store, identity, mailer) = (bench.store.clone(), bench.identity.clone(), bench.mailer.clone());
        App { store, identity, mailer, clock: bench.clock.clone() }
    }

    pub(super) async fn sweep(bench: &Bench) -> Report {
        handle(&app(bench)).await.unwrap()
    }

    /// The report of a run that could not deal with everything.
    pub(super) fn unfinished(result: Result<Report, Error>) -> Report {
        result.unwrap_err().downcast::<Unfinished>().unwrap().0
    }

    /// What a new person with `address` starts from.
    pub(super) fn newcomer(address: &str, start: Start) -> NewUser {
        NewUser {
            email: email(address),
            first_name: Name::parse("Ada").unwrap(),
            last_name: Name::parse("Lovelace").unwrap(),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start,
        }
    }

    pub(super) async fn register(bench: &Bench, address: &str) -> User {
        let new = newcomer(address, Start::As(Status::Unconfirmed));
        let registered = bench.store.register(new, &bench.origin()).await.unwrap();
        let Registered::New(user) = registered else { panic!("{registered:?}") };
        *user
    }

    /// The confirmation link of a person.
    pub(super) fn link(user: &User) -> Link {
        let (user_id, link_version) = (user.id.clone(), user.link_version);
        Link { user_id, purpose: Purpose::Confirm, link_version, expires_at: Timestamp::MAX }
    }

    /// How many items of state are left of a person: row, sentinel, memberships, notes.
    pub(super) async fn traces(bench: &Bench, user: &User) -> usize {
        let rows = bench.rows().await;
        let kept = |pk: &str| ["AUDIT#", "OUTBOX#", "LINK#"].iter().any(|prefix| pk.starts_with(prefix));
        let of_state = rows.iter().filter(|row| !kept(row["pk"].as_str().unwrap()));
        of_state.filter(|row| row.to_string().contains(user.id.as_str())).count()
    }

    /// How many users Cognito has.
    pub(super) async fn cognito_users(bench: &Bench) -> usize {
        let list = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
        list.send().await.unwrap().users().len()
    }

    #[test]
    fn the_schedules_event_holds_nothing_that_a_run_needs() {
        let event = Sample::of("expire-schedule").event();

        assert_eq!((&event["source"], &event["detail"]), (&"aws.scheduler".into(), &"{}".into()));
    }

    #[tokio::test]
    async fn a_portal_where_nothing_is_due_is_left_as_it_is() {
        let bench = Bench::new().await;
        bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        bench.mails("ada@example.com").await;
        bench.advance(CONFIRM_LIFE * 2);
        let before = bench.rows().await;

        assert_eq!(sweep(&bench).await, Report::default());

        assert_eq!(bench.rows().await, before);
    }

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

        let report = unfinished(handle(&app(&bench)).await);

        assert_eq!(report, Report { unconfirmed_deleted: 2, failures: 1, ..Report::default() });
        assert_eq!(sweep(&bench).await, Report { unconfirmed_deleted: 1, ..Report::default() });
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_read_stops_none_of_the_other_work() {
        for list in 0..3 {
            let bench = Bench::new().await;
            register(&bench, "ada@example.com").await;
            bench.person("grace@example.com", Role::TeamMember, Status::Active).await;
            bench.advance(CONFIRM_LIFE + MILLISECOND);
            let services = std::sync::Arc::new(bench);
            let then = services.clone();
            let refused = || Fault::refused("AccessDeniedException", "no");
            let calls = services.services.calls();
            match list {
                0 => calls.fail_next("DynamoDB.Query", refused()),
                1 => calls.before_next("DynamoDB.Query", async move {
                    then.services.calls().fail_next("DynamoDB.Query", refused());
                }),
                _ => calls.before_next("DynamoDB.TransactWriteItems", async move {
                    then.services.calls().fail_next("DynamoDB.Query", refused());
                }),
            }

            let report = unfinished(handle(&app(&services)).await);

            assert_eq!((report.failures, calls.outstanding()), (1, 0), "list {list}");
            assert_eq!(report.unconfirmed_deleted, usize::from(list != 1), "list {list}");
            assert_eq!(report.mails_sent, usize::from(list != 2), "list {list}");
        }
    }

    #[tokio::test]
    async fn a_hundred_and_twenty_rows_take_three_runs_and_none_is_forgotten() {
        let bench = Bench::new().await;
        for number in 0..120 {
            register(&bench, &format!("person-{number}@example.com")).await;
        }
        bench.advance(CONFIRM_LIFE + MILLISECOND);

        let runs = [sweep(&bench).await, sweep(&bench).await, sweep(&bench).await, sweep(&bench).await];

        assert_eq!(runs.each_ref().map(|report| report.unconfirmed_deleted), [50, 50, 20, 0]);
        assert!(runs.iter().all(|report| report.mails_sent == 0), "their links have expired");
        assert!(bench.rows_in("USER#").await.is_empty() && bench.rows_in("EMAIL#").await.is_empty());
    }
}
