//! Invitations whose time has passed, and people who never came in.

use jiff::SignedDuration;
use lambda_runtime::Error;
use shared::domain::{audit::Origin, invitation::Invitation};

use super::{
    BATCH, identities,
    run::{Run, Swept},
};
use crate::App;

/// How long a person stands there after the invitation by which they would have come in has expired
/// (`docs/architecture.md`, section 4).
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Marks invitations as expired. They stopped working at that instant, whether marked or not.
pub(super) async fn expire(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, origin: &Origin, after: Option<&str>| {
        app.store.invitations_to_expire(origin.now, after, BATCH).await
    };
    run.report.invitations_expired = run.all(due, mark).await?;
    Ok(())
}

async fn mark(app: &App, origin: &Origin, invitation: Invitation) -> Result<Swept, Error> {
    let marked = app.store.expire_invitation(&invitation, origin).await?;
    Ok(marked.into())
}

/// Deletes whoever was invited, never had a password, and could have come in until thirty days ago.
pub(super) async fn forget(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, origin: &Origin, after: Option<&str>| {
        app.store.invitations_to_forget(origin.now - FORGOTTEN_AFTER, after, BATCH).await
    };
    run.report.invited_deleted = run.all(due, delete).await?;
    Ok(())
}

async fn delete(app: &App, origin: &Origin, invitation: Invitation) -> Result<Swept, Error> {
    let Some(note) = app.store.forget_invited(&invitation, origin).await? else { return Ok(Swept::Nothing) };
    identities::forget(app, &note).await?;
    Ok(Swept::Done)
}

#[cfg(test)]
mod tests {
    use harness::{Bench, email};
    use shared::{
        domain::{
            name::Name,
            organisation::Placement,
            settings::Settings,
            user::{NewUser, Role, Source, Start, Status},
        },
        store::{CreatedWithoutPassword, Earlier, Invited, InvitedElsewhere, Inviting, Places, Resent, Revoked, Sent},
    };

    use super::{
        super::{
            Report, handle,
            tests::{MILLISECOND, app, sweep},
        },
        *,
    };

    const THIRTY_DAYS: SignedDuration = FORGOTTEN_AFTER;

    fn life() -> SignedDuration {
        Settings::default().invitation_life()
    }

    fn newcomer(address: &str, source: Source) -> NewUser {
        NewUser {
            email: email(address),
            first_name: Name::given("Ada"),
            last_name: Name::given("Lovelace"),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source,
            start: Start::As(Status::Invited),
        }
    }

    async fn invite(bench: &Bench, address: &str) -> Invitation {
        let inviting = Inviting { by: None, places: &Places::default(), life: life() };
        let new = newcomer(address, Source::Invitation);
        let invited = bench.store.invite(new, &inviting, &bench.origin()).await.unwrap();
        let Invited::Done(invitation) = invited else { panic!("{invited:?}") };
        bench.mails(address).await;
        *invitation
    }

    /// An invitation as the table now has it.
    async fn read(bench: &Bench, invitation: &Invitation) -> serde_json::Value {
        bench.rows_in(&format!("INVITATION#{}", invitation.id)).await.remove(0)
    }

    #[tokio::test]
    async fn an_invitation_is_marked_once_its_time_has_passed_and_not_before() {
        let bench = Bench::new().await;
        let invitation = invite(&bench, "ada@example.com").await;
        bench.advance(life() - MILLISECOND);
        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(MILLISECOND);
        assert_eq!(sweep(&bench).await, Report { invitations_expired: 1, ..Report::default() });

        assert_eq!(read(&bench, &invitation).await["status"], "expired");
        assert_eq!(sweep(&bench).await, Report::default());
        let event = bench.rows_in("AUDIT#").await.into_iter().find(|event| event["action"] == "invitation.expired");
        assert_eq!(event.unwrap()["target"], invitation.id.as_str());
    }

    #[tokio::test]
    async fn whoever_never_came_in_goes_thirty_days_later_and_the_address_is_free() {
        let bench = Bench::new().await;
        let invitation = invite(&bench, "ada@example.com").await;
        let user = bench.read(&invitation.user_id).await;
        bench.advance(life() + MILLISECOND);
        sweep(&bench).await;
        bench.advance(THIRTY_DAYS - MILLISECOND);
        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(MILLISECOND);
        assert_eq!(sweep(&bench).await, Report { invited_deleted: 1, ..Report::default() });

        let names =
            bench.rows().await.into_iter().filter(|row| !row["pk"].as_str().unwrap().starts_with("INVITATION#"));
        let left = names.filter(|row| row.to_string().contains(user.id.as_str()));
        let kept = ["AUDIT#", "OUTBOX#", "LINK#"];
        assert_eq!(left.filter(|row| !kept.iter().any(|it| row["pk"].as_str().unwrap().starts_with(it))).count(), 0);
        invite(&bench, "ada@example.com").await;
        assert_eq!(sweep(&bench).await, Report::default());
    }

    #[tokio::test]
    async fn a_sweep_that_comes_late_does_both_one_after_the_other() {
        let bench = Bench::new().await;
        invite(&bench, "ada@example.com").await;
        bench.advance(life() + THIRTY_DAYS * 2);

        let both = Report { invitations_expired: 1, invited_deleted: 1, ..Report::default() };
        assert_eq!(sweep(&bench).await, both);
    }

    #[tokio::test]
    async fn what_ended_with_nobody_let_in_is_collected_half_a_year_after_its_end_and_what_somebody_has_is_not() {
        let bench = Bench::new().await;
        let (forgotten, revoked) = (invite(&bench, "ada@example.com").await, invite(&bench, "b@example.com").await);
        let collected = async |invitation: &Invitation| read(&bench, invitation).await["collect_at"].as_i64();
        let half_a_year = SignedDuration::from_hours(180 * 24);
        let invitee = bench.store.invitee(&revoked).await.unwrap();
        bench.store.revoke_invitation(&revoked, &invitee, &bench.origin()).await.unwrap();
        let after_revoking = Some((bench.now() + half_a_year).as_second());
        bench.advance(life() + MILLISECOND);
        sweep(&bench).await;
        assert_eq!((collected(&forgotten).await, collected(&revoked).await), (None, after_revoking));

        bench.advance(THIRTY_DAYS);
        assert_eq!(sweep(&bench).await.invited_deleted, 1);

        let after_forgetting = Some((bench.now() + half_a_year).as_second());
        assert_eq!((collected(&forgotten).await, collected(&revoked).await), (after_forgetting, after_revoking));
    }

    #[tokio::test]
    async fn who_was_created_by_hand_stays() {
        let bench = Bench::new().await;
        let created =
            bench.store.create_without_password(newcomer("ada@example.com", Source::ApiOwner), &bench.origin()).await;
        let CreatedWithoutPassword::Done(user) = created.unwrap() else { panic!("taken") };
        let inviting = Inviting { by: None, places: &Places::default(), life: life() };
        let sent = bench.store.send_invitation(&user, &Earlier::default(), &inviting, &bench.origin()).await.unwrap();
        let Sent::Done(invitation) = sent else { panic!("{sent:?}") };
        bench.mails("ada@example.com").await;
        bench.advance(life() + THIRTY_DAYS * 2);

        assert_eq!(sweep(&bench).await, Report { invitations_expired: 1, ..Report::default() });

        assert_eq!(bench.read(&user.id).await.status, Status::Invited);
        // It is still theirs: it can be sent again, and follows them when they are changed.
        assert!(read(&bench, &invitation).await["collect_at"].is_null());
        assert_eq!(sweep(&bench).await, Report::default());
    }

    #[tokio::test]
    async fn what_another_took_the_place_of_is_collected_half_a_year_later_whenever_that_was() {
        let half_a_year = SignedDuration::from_hours(180 * 24);
        // Before it is marked, while it stands in the queue, and after it left the queue as theirs.
        for (marked, wait) in [(false, MILLISECOND), (true, MILLISECOND), (true, THIRTY_DAYS * 2)] {
            let bench = Bench::new().await;
            let new = newcomer("ada@example.com", Source::ApiOwner);
            let created = bench.store.create_without_password(new, &bench.origin()).await;
            let CreatedWithoutPassword::Done(user) = created.unwrap() else { panic!("taken") };
            let inviting = Inviting { by: None, places: &Places::default(), life: life() };
            let send = async || {
                let person = bench.read(&user.id).await;
                let (earlier, _) = bench.store.earlier_invitation(&person).await.unwrap();
                let sent = bench.store.send_invitation(&person, &earlier, &inviting, &bench.origin()).await.unwrap();
                let Sent::Done(invitation) = sent else { panic!("{sent:?}") };
                bench.mails("ada@example.com").await;
                *invitation
            };
            let first = send().await;
            bench.advance(life() + wait);
            if marked {
                sweep(&bench).await;
            }

            let second = send().await;
            let mut ended = bench.now();
            if !marked {
                bench.advance(THIRTY_DAYS * 2);
                ended = bench.now();
                sweep(&bench).await;
            }

            let collected = read(&bench, &first).await["collect_at"].as_i64();
            assert_eq!(collected, Some((ended + half_a_year).as_second()), "{marked}, {wait}");
            assert_eq!(bench.rows_in("INVITATION#").await.len(), 2);
            assert!(read(&bench, &second).await["collect_at"].is_null());
            assert_eq!(bench.read(&user.id).await.invitation_id, Some(second.id));
        }
    }

    #[tokio::test]
    async fn what_was_sent_again_or_revoked_is_left_alone() {
        let bench = Bench::new().await;
        let (again, revoked) = (invite(&bench, "ada@example.com").await, invite(&bench, "b@example.com").await);
        bench.advance(SignedDuration::from_hours(24));
        let inviting = Inviting { by: None, places: &Places::default(), life: life() };
        let invitee = bench.store.invitee(&again).await.unwrap();
        let resent = bench.store.resend_invitation(&again, &invitee, &inviting, &bench.origin()).await.unwrap();
        assert!(matches!(resent, Resent::Done(_)));
        let invitee = bench.store.invitee(&revoked).await.unwrap();
        let done = bench.store.revoke_invitation(&revoked, &invitee, &bench.origin()).await.unwrap();
        assert_eq!(done, Revoked::Done);
        bench.mails("ada@example.com").await;

        bench.advance(life() - SignedDuration::from_hours(1));
        assert_eq!(sweep(&bench).await, Report::default());
        // What a stale list still holds is not written over.
        assert!(!bench.store.expire_invitation(&again, &bench.origin()).await.unwrap());

        bench.advance(THIRTY_DAYS * 3);
        assert_eq!(sweep(&bench).await, Report { invitations_expired: 1, invited_deleted: 1, ..Report::default() });
        assert_eq!(read(&bench, &revoked).await["status"], "revoked");
    }

    #[tokio::test]
    async fn an_acceptance_between_the_list_and_the_mark_wins() {
        let bench = Bench::new().await;
        let invitation = invite(&bench, "ada@example.com").await;
        let user = bench.read(&invitation.user_id).await;
        let token = bench.token("ada@example.com").await;
        let token = shared::domain::link::PlainToken::parse(&token).unwrap().hashed();
        let link = bench.store.link_facts(&token).await.unwrap().link.unwrap();
        bench.advance(life() + MILLISECOND);
        let (store, origin) = (bench.store.clone(), bench.origin());
        let accept = async move {
            let claim = store.claim(&link, Status::Invited, origin.now).await.unwrap();
            let shared::store::Claim::Yours(claimed) = claim else { panic!("{claim:?}") };
            let done = store.accept_invitation(&token, &claimed, &claimed, &origin).await.unwrap();
            assert_eq!(done, shared::store::Acceptance::Done);
        };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", accept);

        assert_eq!(sweep(&bench).await.invitations_expired, 0);

        assert_eq!(bench.read(&user.id).await.status, Status::Active);
        assert_eq!(read(&bench, &invitation).await["status"], "accepted");
        bench.advance(THIRTY_DAYS * 2);
        assert_eq!(sweep(&bench).await.invited_deleted, 0);
    }

    #[tokio::test]
    async fn an_invitation_of_an_address_elsewhere_stands_as_long_as_a_person_would_and_its_account_stays() {
        let bench = Bench::new().await;
        let user = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
        let inviting = Inviting { by: Some(&user), places: &Places::default(), life: life() };
        let new = newcomer("ada@example.com", Source::Invitation);
        let invited = bench.store.invite_elsewhere(new, &user.id, &inviting, &bench.origin()).await.unwrap();
        assert!(matches!(invited, InvitedElsewhere::Done(_)));
        bench.mails("ada@example.com").await;
        let stands =
            async || bench.rows().await.iter().any(|row| row["sk"].as_str().unwrap().starts_with("ELSEWHERE#"));
        bench.advance(life() + MILLISECOND);

        assert_eq!(sweep(&bench).await, Report { invitations_expired: 1, ..Report::default() });
        assert!(stands().await);

        bench.advance(THIRTY_DAYS + MILLISECOND);
        assert_eq!(sweep(&bench).await, Report::default());
        assert!(!stands().await);
        assert_eq!(sweep(&bench).await, Report::default());
        assert_eq!(bench.read(&user.id).await, user);
    }

    #[tokio::test]
    async fn two_sweeps_at_once_do_each_once_and_a_hundred_and_twenty_take_three_runs() {
        let bench = Bench::new().await;
        for number in 0..120 {
            invite(&bench, &format!("person-{number}@example.com")).await;
        }
        bench.advance(life() + MILLISECOND);

        let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));
        let third = sweep(&bench).await;
        let fourth = sweep(&bench).await;

        let marked = [one, other, third, fourth].map(|report| report.invitations_expired).iter().sum::<usize>();
        assert_eq!(marked, 120);
        let expired = bench.rows_in("AUDIT#").await.into_iter().filter(|event| event["action"] == "invitation.expired");
        assert_eq!(expired.count(), 120);
        assert_eq!(handle(&app(&bench), None).await.unwrap(), Report::default());
    }
}
