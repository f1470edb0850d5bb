//! A Consumer Admin's invitation of an address that has an account which they may not know of.
//!
//! It answers like any other: a row for the inviter's eyes, a mail to the address's holder that says the account
//! exists, and, per team, an item that a second invitation finds. Nobody is created. The items stand until the invitation is
//! revoked, or forgotten thirty days after its expiry: as long as a person would.

use super::{Elsewhere, Inviting};
use crate::{
    domain::{
        audit::Origin,
        ids::{TeamId, UserId},
        invitation::Invitation,
        user::NewUser,
    },
    store::{
        Record, Store, StoreError,
        change::Change,
        keys::Key,
        transaction::{Commit, Position, Transaction},
    },
};

/// What became of it.
#[derive(Debug)]
pub enum InvitedElsewhere {
    /// The invitation is written, the mail queued.
    Done(Box<Invitation>),
    /// One stands in one of the teams: it came a moment ago.
    Overtaken,
    /// A named team is not there any more.
    NoSuchTeam,
    /// A request with the same key was there first.
    Repeated(Record),
}

impl Store {
    /// Writes the invitation of an address with an account elsewhere; `new` is who would have been invited,
    /// `holder` whose account it is.
    ///
    /// One transaction: an item per team (no other stands there) with a check of the team, invitation, audit, outbox,
    /// record.
    pub async fn invite_elsewhere(
        &self,
        new: NewUser,
        holder: &UserId,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> Result<InvitedElsewhere, StoreError> {
        let nobody = new.at(origin.now, self.db.random.number());
        let (invitation, _, _) = self.issue(&nobody, inviting, origin);
        let mail = self.compose(origin).invited_though_registered(&nobody.email, holder);
        let invitation =
            Invitation { elsewhere: true, holder_id: Some(holder.clone()), mail_id: mail.id.clone(), ..invitation };
        let mut transaction = Transaction::default();
        let waiting = transaction.stand_elsewhere(&invitation, "attribute_not_exists(#pk)");
        transaction.check_teams(&invitation.team_ids);
        transaction.create_invitation(&invitation);
        transaction.audit(&self.invited(origin, &invitation));
        transaction.mail(&mail);
        let record = transaction.record_invitation(origin, &invitation);
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(InvitedElsewhere::Done(Box::new(invitation))),
            Commit::Lost(lost) => lost,
        };
        Ok(match lost.record(record)? {
            Some(record) => InvitedElsewhere::Repeated(record),
            None if waiting.into_iter().any(|waiting| lost.at(waiting)) => InvitedElsewhere::Overtaken,
            None => InvitedElsewhere::NoSuchTeam,
        })
    }
}

impl Transaction {
    /// Adds the items that a second invitation of the address into one of the teams finds, on `condition`.
    pub(super) fn stand_elsewhere(&mut self, invitation: &Invitation, condition: &str) -> Vec<Position> {
        let item = Elsewhere { invitation_id: invitation.id.clone(), expires_at: invitation.expires_at };
        let put = |team: &TeamId| Change::put(Key::elsewhere(team, &invitation.email), &item).when(condition);
        let puts: Vec<_> = invitation.team_ids.iter().map(put).collect();
        puts.into_iter().map(|put| self.add(put)).collect()
    }

    /// The same over this invitation's own items, with their new expiry.
    pub(super) fn stand_longer_elsewhere(&mut self, invitation: &Invitation) {
        let item = Elsewhere { invitation_id: invitation.id.clone(), expires_at: invitation.expires_at };
        for team in &invitation.team_ids {
            let put = Change::put(Key::elsewhere(team, &invitation.email), &item)
                .when("#invitation_id = :own")
                .with("own", &invitation.id);
            self.add(put);
        }
    }

    /// Adds the removal of those items. A team that is gone has taken its own along.
    pub(in crate::store) fn stand_elsewhere_no_longer(&mut self, invitation: &Invitation) {
        for removal in places_elsewhere(invitation) {
            self.add(removal);
        }
    }
}

/// The removal of each item that stands for `invitation` elsewhere, unless a newer invitation has its place.
pub(in crate::store) fn places_elsewhere(invitation: &Invitation) -> impl Iterator<Item = Change> {
    invitation.team_ids.iter().filter(|_| invitation.elsewhere).map(|team| {
        Change::delete(Key::elsewhere(team, &invitation.email))
            .when("attribute_not_exists(#pk) OR #invitation_id = :own")
            .with("own", &invitation.id)
    })
}
