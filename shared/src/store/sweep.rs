//! What the schedule tidies up. Every row on its own, safe to repeat and to overlap: each write carries the condition
//! under which the row may go.

use jiff::Timestamp;

use super::{Store, StoreError, UnfinishedIdentity, change::Change, keys::Key, transaction::Commit};
use crate::domain::{
    audit::Origin,
    user::{Status, User},
};

impl Store {
    /// Deletes a registration that has been waiting for its confirmation since before `since`; `None` where it was
    /// confirmed or asked for a new mail meanwhile, or somebody is confirming it right now. A confirmation that died
    /// half-way may have left a Cognito user: the note remembers it until it is deleted.
    ///
    /// One transaction: person, e-mail sentinel, memberships, the slot of an invite code, note, audit.
    pub async fn delete_unconfirmed(
        &self,
        user: &User,
        since: Timestamp,
        origin: &Origin,
    ) -> Result<Option<UnfinishedIdentity>, StoreError> {
        self.delete_waiting(user, Status::Unconfirmed, since, "registration.expired", origin).await
    }

    /// Deletes a registration that was rejected before `since`; `None` where it was reopened meanwhile. The note
    /// remembers its Cognito user until that is deleted.
    ///
    /// One transaction: person, e-mail sentinel, memberships, note, audit.
    pub async fn delete_rejected(
        &self,
        user: &User,
        since: Timestamp,
        origin: &Origin,
    ) -> Result<Option<UnfinishedIdentity>, StoreError> {
        self.delete_waiting(user, Status::Rejected, since, "registration.removed", origin).await
    }

    /// Deletes a person who has been in `status` since before `since`, and is as they were read: so their memberships
    /// are those that go.
    async fn delete_waiting(
        &self,
        user: &User,
        status: Status,
        since: Timestamp,
        action: &str,
        origin: &Origin,
    ) -> Result<Option<UnfinishedIdentity>, StoreError> {
        let note = UnfinishedIdentity::left_by(user, origin);
        let ((), commit) = self
            .delete_with_slot(user, |transaction| {
                let person = Change::delete(Key::user(&user.id))
                    .when(
                        "#status = :status AND #status_since < :since AND #version = :version AND \
                 (attribute_not_exists(#claimed_until) OR #claimed_until <= :now)",
                    )
                    .with("status", status)
                    .with("since", since.as_millisecond())
                    .with("version", user.version)
                    .with("now", origin.now.as_millisecond());
                transaction.add(person);
                transaction.delete_traces(user);
                transaction.note_identity(&note);
                transaction.audit(&self.event(origin, action, Some(user.id.as_str())));
            })
            .await?;
        Ok(matches!(commit, Commit::Done).then_some(note))
    }
}
