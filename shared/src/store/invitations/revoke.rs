//! Revoking an invitation: for good, and with it whoever came in by it alone.

use super::{Invitee, Prospect, into_status, invite::goes_with_invitation};
use crate::{
    domain::{
        audit::Origin,
        invitation::{Invitation, InvitationStatus},
        user::{Status, User},
    },
    store::{
        Store, StoreError, UnfinishedIdentity,
        change::Change,
        keys::Key,
        rows::Stage,
        transaction::{Commit, Transaction},
    },
};

/// What became of revoking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The link is void.
    Done,
    /// The invitation, or its person, changed since it was read.
    Overtaken,
}

impl Store {
    /// Takes an invitation back. Who was created by it goes and leaves the address free, even while they are accepting
    /// it: a note remembers the Cognito user that this may leave. Who was created by hand stays, without a link.
    ///
    /// One transaction: invitation (as it was read), person and sentinel (still invited by it), memberships, note, audit;
    /// elsewhere the items that stand for it.
    pub async fn revoke_invitation(
        &self,
        invitation: &Invitation,
        invitee: &Invitee,
        origin: &Origin,
    ) -> Result<Revoked, StoreError> {
        let revoked = into_status(invitation, InvitationStatus::Revoked);
        let mut transaction = Transaction::default();
        transaction.change_invitation(invitation, &revoked, Prospect::Ended(origin.now));
        // What was forgotten stands no more, and another may stand in its place.
        if invitee.stands {
            transaction.stand_elsewhere_no_longer(invitation);
        }
        match &invitee.person {
            Some(person) if goes_with_invitation(person) => {
                transaction.delete_invited(invitation, person, origin);
            }
            Some(person) => transaction.void_invitation(invitation, person),
            None => {}
        }
        let event = self.event(origin, "invitation.revoked", Some(invitation.id.as_str()));
        transaction.audit(&event.change("status", invitation.status, revoked.status));
        Ok(match self.db.commit(transaction).await? {
            Commit::Done => Revoked::Done,
            Commit::Lost(_) => Revoked::Overtaken,
        })
    }
}

impl Transaction {
    /// Adds the end of a person who is still invited by `invitation` and never had a password.
    pub(super) fn delete_invited(
        &mut self,
        invitation: &Invitation,
        person: &User,
        origin: &Origin,
    ) -> UnfinishedIdentity {
        let user = Change::delete(Key::user(&person.id))
            .when("#status = :invited AND #invitation_id = :invitation_id AND #version = :version")
            .with("invited", Status::Invited)
            .with("invitation_id", &invitation.id)
            .with("version", person.version);
        self.add(user);
        self.delete_traces(person);
        let note = UnfinishedIdentity::left_by(person, origin);
        self.note_identity(&note);
        note
    }

    /// Adds that `person`, still invited by `invitation`, has no invitation any more.
    fn void_invitation(&mut self, invitation: &Invitation, person: &User) {
        let raised = person.link_version + 1;
        let user = Change::update(Key::user(&person.id), "SET #link_version = :raised REMOVE #invitation_id")
            .when("#status = :invited AND #link_version = :link_version AND #invitation_id = :invitation_id")
            .with("raised", raised)
            .with("invited", Status::Invited)
            .with("link_version", person.link_version)
            .with("invitation_id", &invitation.id);
        self.add(user);
        let sentinel = Change::update(Key::email(&person.email), "SET #link_version = :raised REMOVE #invitation")
            .when("#user_id = :user_id AND #stage = :invited")
            .with("raised", raised)
            .with("user_id", &person.id)
            .with("invited", Stage::Invited);
        self.add(sentinel);
    }
}
