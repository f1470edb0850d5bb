//! Sending an invitation again: the old link is void, the time starts anew.

use super::{Inviting, invite::invited_sentinel};
use crate::{
    domain::{
        audit::Origin,
        ids::{InvitationId, UserId},
        invitation::{Invitation, InvitationStatus},
        settings::Settings,
        user::{Status, User},
    },
    store::{
        Places, Store, StoreError,
        change::Change,
        keys::Key,
        transaction::{Commit, Transaction},
    },
};

/// What sending again or revoking is decided from.
#[derive(Debug)]
pub struct ResendFacts {
    /// Who calls.
    pub caller: Option<User>,
    /// The portal's settings.
    pub settings: Settings,
    /// The invitation, if there is one of this id.
    pub invitation: Option<Invitation>,
}

/// What became of sending again.
#[derive(Debug)]
pub enum Resent {
    /// A new mail is queued.
    Done(Box<Invitation>),
    /// The invitation, or its person, changed since it was read.
    Overtaken,
    /// One of its teams is gone.
    NoSuchTeam,
}

impl Store {
    /// Reads caller, settings and invitation in one batch.
    pub async fn resend_facts(
        &self,
        caller: &UserId,
        invitation: Option<&InvitationId>,
    ) -> Result<ResendFacts, StoreError> {
        let keys = [Key::user(caller), Key::settings()].into_iter().chain(invitation.map(Key::invitation));
        let fetched = self.db.fetch(keys).await?;
        let invitation = invitation.map(|id| fetched.get(&Key::invitation(id))).transpose()?.flatten();
        Ok(ResendFacts { caller: fetched.get(&Key::user(caller))?, settings: fetched.settings()?, invitation })
    }

    /// Reads the invited person with the names of the invitation's places, in one batch. Nobody where the address has an
    /// account elsewhere, or the person is gone.
    pub async fn invited_person(&self, invitation: &Invitation) -> Result<(Option<User>, Places), StoreError> {
        let organisation = invitation.organisation_id.as_ref();
        let keys = organisation.map(Key::organisation).into_iter().chain(invitation.team_ids.iter().map(Key::team));
        let person = (!invitation.elsewhere).then(|| Key::user(&invitation.user_id));
        let fetched = self.db.fetch(keys.chain(person.clone())).await?;
        let places = Places::of(&fetched, organisation, &invitation.team_ids)?;
        let person = person.map(|key| fetched.get(&key)).transpose()?.flatten();
        Ok((person.filter(|person| invitation.is_of(person)), places))
    }

    /// Queues the mail anew.
    ///
    /// One transaction: invitation (as it was read), its person (still invited by it) and the sentinel with a raised
    /// `link_version`, their teams, audit, outbox; elsewhere the waiting items instead of the person.
    pub async fn resend_invitation(
        &self,
        invitation: &Invitation,
        person: Option<&User>,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> Result<Resent, StoreError> {
        let mut transaction = Transaction::default();
        let (renewed, mail) = match person {
            _ if invitation.elsewhere => {
                let mail = self.compose(origin).invited_though_registered(&invitation.email);
                let expires_at = origin.now + inviting.life;
                let renewed = Invitation { expires_at, ..invitation.clone() };
                transaction.wait_elsewhere(&renewed, origin);
                (renewed, mail)
            }
            Some(person) => {
                let raised = person.link_version + 1;
                let copy = inviting.copy(&invitation.id, person, origin.now);
                let user = Change::update(Key::user(&person.id), "SET #link_version = :raised")
                    .when("#status = :invited AND #link_version = :link_version AND #invitation_id = :invitation_id")
                    .with("raised", raised)
                    .with("invited", Status::Invited)
                    .with("link_version", person.link_version)
                    .with("invitation_id", &invitation.id);
                transaction.add(user);
                transaction.add(invited_sentinel(person, raised, &copy));
                let renewed = Invitation {
                    first_name: person.first_name.clone(),
                    last_name: person.last_name.clone(),
                    role: person.role,
                    organisation_id: person.organisation_id.clone(),
                    team_ids: person.team_ids.clone(),
                    expires_at: copy.expires_at,
                    ..invitation.clone()
                };
                (renewed, self.compose(origin).invitation(&person.email, &person.id, raised, &copy))
            }
            None => return Ok(Resent::Overtaken),
        };
        let renewed = Invitation {
            status: InvitationStatus::Pending,
            invited_by: inviting.by.map(|by| by.id.clone()),
            sent_at: origin.now,
            mail_id: mail.id.clone(),
            version: invitation.version + 1,
            ..renewed
        };
        let changed = transaction.change_invitation(invitation, &renewed, true);
        let teams = transaction.check_teams(&renewed.team_ids);
        let event = self.event(origin, "invitation.resent", Some(invitation.id.as_str()));
        transaction.audit(&event.change("status", invitation.status, renewed.status));
        transaction.mail(&mail);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Resent::Done(Box::new(renewed))),
            Commit::Lost(lost) if !lost.at(changed) && teams.into_iter().any(|team| lost.at(team)) => {
                Ok(Resent::NoSuchTeam)
            }
            Commit::Lost(_) => Ok(Resent::Overtaken),
        }
    }
}
