//! A Consumer Admin's invitation of an address that has an account which they may not know of.
//!
//! It answers like any other: a row for the inviter's eyes, a mail to the address's holder that says the account
//! exists, and, per team, an item that a second invitation finds. Nobody is created.

use super::{Elsewhere, Inviting};
use crate::{
    domain::{audit::Origin, ids::TeamId, invitation::Invitation, user::NewUser},
    store::{
        Store, StoreError,
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
    /// One waits in one of the teams: it came a moment ago.
    Overtaken,
    /// A named team is not there any more.
    NoSuchTeam,
}

impl Store {
    /// Writes the invitation of an address with an account elsewhere; `new` is who would have been invited.
    ///
    /// One transaction: an item per team (no other waits there) with a check of the team, invitation, audit, outbox.
    pub async fn invite_elsewhere(
        &self,
        new: NewUser,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> Result<InvitedElsewhere, StoreError> {
        let nobody = new.at(origin.now, self.db.random.number());
        let (invitation, _, _) = self.issue(&nobody, inviting, origin);
        let mail = self.compose(origin).invited_though_registered(&nobody.email);
        let invitation = Invitation { elsewhere: true, mail_id: mail.id.clone(), ..invitation };
        let mut transaction = Transaction::default();
        let waiting = transaction.wait_elsewhere(&invitation, origin);
        transaction.check_teams(&invitation.team_ids);
        transaction.create_invitation(&invitation);
        transaction.audit(&self.invited(origin, &invitation));
        transaction.mail(&mail);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(InvitedElsewhere::Done(Box::new(invitation))),
            Commit::Lost(lost) if waiting.into_iter().any(|waiting| lost.at(waiting)) => {
                Ok(InvitedElsewhere::Overtaken)
            }
            Commit::Lost(_) => Ok(InvitedElsewhere::NoSuchTeam),
        }
    }
}

impl Transaction {
    /// Adds the items that a second invitation of the address into one of the teams finds: where none waits, or this
    /// invitation's own.
    pub(super) fn wait_elsewhere(&mut self, invitation: &Invitation, origin: &Origin) -> Vec<Position> {
        let waiting = Elsewhere { invitation_id: invitation.id.clone(), expires_at: invitation.expires_at };
        let put = |team: &TeamId| {
            Change::put(Key::elsewhere(team, &invitation.email), &waiting)
                .when("attribute_not_exists(#pk) OR #expires_at <= :now OR #invitation_id = :own")
                .with("now", origin.now.as_millisecond())
                .with("own", &invitation.id)
        };
        let puts: Vec<_> = invitation.team_ids.iter().map(put).collect();
        puts.into_iter().map(|put| self.add(put)).collect()
    }

    /// Adds the removal of those items, as far as they are this invitation's. A team that is gone has taken its own
    /// along.
    pub(super) fn wait_elsewhere_no_longer(&mut self, invitation: &Invitation) {
        for team in invitation.team_ids.iter().filter(|_| invitation.elsewhere) {
            let removal = Change::delete(Key::elsewhere(team, &invitation.email))
                .when("attribute_not_exists(#pk) OR #invitation_id = :own")
                .with("own", &invitation.id);
            self.add(removal);
        }
    }
}
