//! The end of a person: the row, and with it every right, in one transaction; and what all deletions have in common.

use super::{
    Store, StoreError, UnfinishedIdentity,
    change::Change,
    keys::Key,
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    user::{SessionId, User},
};

/// What became of deleting a person.
#[derive(Debug)]
pub enum Deleted {
    /// They are gone, and their address is free.
    Done,
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// They changed since they were read, or the session by which they delete themselves has ended; as they now are.
    Overtaken(Box<User>),
    /// Somebody else deleted them a moment ago.
    Gone,
}

impl Store {
    /// Deletes `person`, as they were read; by themselves where a session of theirs is named, which then still counts.
    /// Their next request, login or link meets nobody, whatever was under way.
    ///
    /// One transaction: person, e-mail sentinel, memberships, what is remembered of logins to the address, the
    /// invitation by which they come or came in, the slot of an invite code that they never confirmed, note, audit; for an
    /// active API Owner the owners' item, whose last one stays. The note outlives the request: a password that was
    /// just being set may reach Cognito after everything else.
    pub async fn delete_person(
        &self,
        person: &User,
        session: Option<&SessionId>,
        origin: &Origin,
    ) -> Result<Deleted, StoreError> {
        let note = UnfinishedIdentity::left_by(person, origin).with_everything();
        let build = |transaction: &mut Transaction| {
            let row = transaction.add(as_read(person, session));
            let owners = person.is_active_owner().then(|| transaction.remove_owner(&person.id));
            transaction.delete_traces(person);
            transaction.add(Change::delete(Key::logins(&person.email)));
            if let Some(invitation) = &person.invitation_id {
                transaction.add(Change::delete(Key::invitation(invitation)));
            }
            transaction.note_identity(&note);
            let event = self.event(origin, "user.deleted", Some(person.id.as_str()));
            transaction.audit(
                &event
                    .change("status", person.status, ())
                    .change("role", person.role, ())
                    .change("organisation_id", &person.organisation_id, ())
                    .change("team_ids", &person.team_ids, ()),
            );
            (row, owners)
        };
        let ((row, owners), commit) = self.delete_with_slot(person, build).await?;
        match commit {
            Commit::Done => Ok(Deleted::Done),
            Commit::Lost(lost) if lost.at(row) => {
                Ok(lost.row(row)?.map_or(Deleted::Gone, |now| Deleted::Overtaken(Box::new(now))))
            }
            Commit::Lost(lost) if owners.is_some_and(|owners| lost.at(owners)) => Ok(Deleted::LastOwner),
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }
}

/// The deletion of a row that is as it was read, so that what goes with it is what belongs to it.
fn as_read(person: &User, session: Option<&SessionId>) -> Change {
    let deletion = Change::delete(Key::user(&person.id));
    let deletion = match session {
        Some(session) => deletion
            .when("#version = :version AND attribute_exists(#sessions.#session)")
            .named("session", session.as_str()),
        None => deletion.when("#version = :version"),
    };
    deletion.with("version", person.version)
}

impl Transaction {
    /// Adds the removal of what belongs to a person beside their row, however they go: the sentinel of their address and
    /// their memberships.
    pub(super) fn delete_traces(&mut self, person: &User) {
        let sentinel =
            Change::delete(Key::email(&person.email)).when("#user_id = :user_id").with("user_id", &person.id);
        self.add(sentinel);
        self.end_memberships(&person.id, &person.team_ids);
    }
}
