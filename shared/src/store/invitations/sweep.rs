//! What the schedule does with invitations: marks those whose time has passed, and later deletes who never came in.

use jiff::Timestamp;

use super::{Prospect, into_status, invite::goes_with_invitation};
use crate::{
    domain::{
        audit::Origin,
        invitation::{Invitation, InvitationStatus},
        user::{Status, User},
    },
    store::{
        Listed, Store, StoreError, UnfinishedIdentity, keys,
        transaction::{Commit, Transaction},
    },
};

impl Store {
    /// A page of the invitations that wait although their time has passed at `now`, the longest first, at most `most`.
    pub async fn invitations_to_expire(
        &self,
        now: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<Invitation, StoreError>>, StoreError> {
        self.db.due(keys::PENDING_INVITATIONS, after, &keys::up_to(now), most).await
    }

    /// A page of the invitations that expired before `since` and may have left a person, the longest first, at most `most`.
    pub async fn invitations_to_forget(
        &self,
        since: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<Invitation, StoreError>>, StoreError> {
        self.db.due(keys::EXPIRED_INVITATIONS, after, &keys::before(since), most).await
    }

    /// Marks an invitation as expired. `false` where it was accepted, revoked or sent again meanwhile.
    ///
    /// One transaction: invitation (as it was read, its time passed), audit.
    pub async fn expire_invitation(&self, invitation: &Invitation, origin: &Origin) -> Result<bool, StoreError> {
        if invitation.status != InvitationStatus::Pending || origin.now < invitation.expires_at {
            return Ok(false);
        }
        let expired = into_status(invitation, InvitationStatus::Expired);
        let mut transaction = Transaction::default();
        transaction.change_invitation(invitation, &expired, Prospect::Due);
        let event = self.event(origin, "invitation.expired", Some(invitation.id.as_str()));
        transaction.audit(&event.change("status", invitation.status, expired.status));
        Ok(matches!(self.db.commit(transaction).await?, Commit::Done))
    }

    /// Deletes the person whom an expired invitation left, if they came in by it alone; otherwise only takes the
    /// invitation from the queue. `None` where nobody was deleted. An invitation that nobody has as theirs any more is
    /// collected in time.
    ///
    /// One transaction: invitation (as it was read), person (still invited by it), sentinel, memberships, note, audit;
    /// elsewhere the items that stand for it.
    pub async fn forget_invited(
        &self,
        invitation: &Invitation,
        origin: &Origin,
    ) -> Result<Option<UnfinishedIdentity>, StoreError> {
        if invitation.status != InvitationStatus::Expired {
            return Ok(None);
        }
        let person = self.person(&invitation.user_id).await?.filter(|person| invitation.is_of(person));
        let (goes, stays) = match person {
            Some(person) if person.status == Status::Invited && goes_with_invitation(&person) => (Some(person), false),
            person => (None, person.is_some()),
        };
        let prospect = if stays { Prospect::None } else { Prospect::Ended(origin.now) };
        let mut transaction = Transaction::default();
        let ended = into_status(invitation, InvitationStatus::Expired);
        transaction.change_invitation(invitation, &ended, prospect);
        transaction.stand_elsewhere_no_longer(invitation);
        let note = goes.map(|person: User| {
            let note = transaction.delete_invited(invitation, &person, origin);
            transaction.audit(&self.event(origin, "invitation.forgotten", Some(person.id.as_str())));
            note
        });
        Ok(match self.db.commit(transaction).await? {
            Commit::Done => note,
            Commit::Lost(_) => None,
        })
    }
}
