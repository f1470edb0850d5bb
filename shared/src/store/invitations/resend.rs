//! Sending an invitation again: the old link is void, the time starts anew.

use super::{Elsewhere, Inviting, Prospect};
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
        mail_limit::CountedMail,
        rows::Sentinel,
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

/// Who an invitation is for, as far as they stand there.
#[derive(Debug)]
pub struct Invitee {
    /// The person whom it created. Nobody where the address has an account elsewhere, or they are gone.
    pub person: Option<User>,
    /// Whether it can still bring somebody in, or looks as if: its person, or what stands for one, is there.
    pub stands: bool,
    /// What the address knows of its account, if it has one.
    pub known: Option<Sentinel>,
    /// The names of the invitation's places.
    pub places: Places,
}

/// What became of sending again.
#[derive(Debug)]
pub enum Resent {
    /// A new mail is queued, or the address had its share of mails; the invitation as it now is.
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

    /// Reads who is invited, what their address knows, and the names of the invitation's places, in one batch.
    pub async fn invitee(&self, invitation: &Invitation) -> Result<Invitee, StoreError> {
        let organisation = invitation.organisation_id.as_ref();
        let mut keys = vec![Key::user(&invitation.user_id), Key::email(&invitation.email)];
        keys.extend(organisation.map(Key::organisation));
        keys.extend(invitation.team_ids.iter().map(Key::team));
        let item = invitation.team_ids.first().filter(|_| invitation.elsewhere);
        let item = item.map(|team| Key::elsewhere(team, &invitation.email));
        let fetched = self.db.fetch(keys.into_iter().chain(item.clone())).await?;
        let person: Option<User> = fetched.get(&Key::user(&invitation.user_id))?;
        let person = person.filter(|person| invitation.is_of(person));
        let item: Option<Elsewhere> = item.map(|key| fetched.get(&key)).transpose()?.flatten();
        let stands = person.is_some() || item.is_some_and(|item| item.invitation_id == invitation.id);
        let places = Places::of(&fetched, organisation, &invitation.team_ids)?;
        Ok(Invitee { person, stands, known: fetched.get(&Key::email(&invitation.email))?, places })
    }

    /// Queues the mail anew, unless the address had its share of mails: then nothing changes, and no link dies.
    ///
    /// One transaction: invitation (as it was read), its person (still invited by it) and the sentinel with a raised
    /// `link_version`, their teams, audit, outbox; elsewhere the items that stand for it instead of the person. The mail
    /// counts in the sentinel.
    pub async fn resend_invitation(
        &self,
        invitation: &Invitation,
        invitee: &Invitee,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> Result<Resent, StoreError> {
        let counted = invitee.known.as_ref().map(|known| (known, CountedMail::another(known, origin.now)));
        // Without an account there is nobody elsewhere to tell of one, and no person without a sentinel.
        let Some((known, Some(counted))) = counted else { return Ok(Resent::Done(Box::new(invitation.clone()))) };
        let address = Key::email(&invitation.email);
        let mut transaction = Transaction::default();
        let (renewed, mail) = match &invitee.person {
            _ if invitation.elsewhere => {
                let mail = self.compose(origin).invited_though_registered(&invitation.email, &known.user_id);
                let renewed = Invitation {
                    holder_id: Some(known.user_id.clone()),
                    expires_at: origin.now + inviting.life,
                    ..invitation.clone()
                };
                transaction.stand_longer_elsewhere(&renewed);
                transaction.add(counted.counted(address, known, ""));
                (renewed, mail)
            }
            Some(person) => {
                let raised = person.link_version + 1;
                let copy = inviting.copy(&invitation.id, person, origin.now);
                let user = Change::update(Key::user(&person.id), "SET #link_version = :raised")
                    .when(
                        "#status = :invited AND #link_version = :link_version AND #invitation_id = :invitation_id AND \
                         #version = :version",
                    )
                    .with("version", person.version)
                    .with("raised", raised)
                    .with("invited", Status::Invited)
                    .with("link_version", person.link_version)
                    .with("invitation_id", &invitation.id);
                transaction.add(user);
                let sentinel = counted.counted(address, known, ", #link_version = :raised, #invitation = :copy");
                transaction.add(sentinel.with("raised", raised).with("copy", &copy));
                let renewed = Invitation {
                    first_name: person.first_name.clone(),
                    last_name: person.last_name.clone(),
                    role: person.role,
                    organisation_id: person.organisation_id.clone(),
                    team_ids: person.team_ids.clone(),
                    expires_at: copy.expires_at,
                    ..invitation.clone()
                };
                (renewed, self.compose(origin).invitation(&person.email, &person.id, raised, &copy, inviting.by))
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
        let changed = transaction.change_invitation(invitation, &renewed, Prospect::Due);
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
