//! Invitations: made, sent again, revoked, accepted, listed, expired.
//!
//! An invitation of a new address writes the person at once, in the status `invited`, so that one address has one
//! account from the start. Source of the rules: `docs/architecture.md`, sections 3.9, 4 and 5.

mod accept;
mod bulk;
mod elsewhere;
mod invite;
mod list;
mod resend;
mod revoke;
mod rewrite;
mod sweep;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

pub use accept::{Acceptance, OpenedInvitation};
pub use bulk::BulkFacts;
pub use elsewhere::InvitedElsewhere;
pub(super) use elsewhere::places_elsewhere;
pub use invite::{Asked, Earlier, InviteFacts, Invited, SendFacts, Sent, Surroundings};
pub use list::InvitationPage;
pub use resend::{Invitee, ResendFacts, Resent};
pub use revoke::Revoked;
pub(super) use rewrite::Renewal;

use super::{
    Places,
    change::Change,
    keys::{self, Key},
    rows::InvitationCopy,
    transaction::{Position, Transaction},
};
use crate::{
    domain::{
        audit::Origin,
        ids::InvitationId,
        invitation::{Invitation, InvitationStatus, SHOWN_AFTER_END},
        user::User,
    },
    mail::in_words,
};

/// Who invites, and what the mail has to say beside the invited person.
#[derive(Clone, Copy, Debug)]
pub struct Inviting<'a> {
    /// Who invites; `None` for the deployment.
    pub by: Option<&'a User>,
    /// The names of the places.
    pub places: &'a Places,
    /// How long the invitation works.
    pub life: SignedDuration,
}

impl Inviting<'_> {
    /// What the mail of an invitation of `person` says, but for who invites: the address keeps it, and may outlast them.
    fn copy(&self, id: &InvitationId, person: &User, now: Timestamp) -> InvitationCopy {
        let expires_at = now + self.life;
        let organisation = person.organisation_id.as_ref().and_then(|id| self.places.organisation(id));
        let teams: Vec<_> = person.team_ids.iter().filter_map(|id| self.places.team(id)).collect();
        let variables = Map::from_iter([
            ("first_name".to_owned(), json!(person.first_name)),
            ("organisation".to_owned(), json!(organisation)),
            ("teams".to_owned(), json!(teams)),
            ("expires_at".to_owned(), json!(in_words(expires_at))),
        ]);
        InvitationCopy { id: id.clone(), expires_at, variables }
    }
}

/// That an invitation of an address with an account elsewhere stands in a team: as long as the person whom it would have
/// created would stand there, so that a second one is told the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Which invitation.
    pub invitation_id: InvitationId,
    /// Until when it waits.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

/// What is still to come of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    /// It expires, or whoever it left is forgotten.
    Due,
    /// Nothing by itself: a person has it as theirs.
    None,
    /// It ended at this instant, and nobody has it as theirs: the table may collect it in time.
    Ended(Timestamp),
}

/// The write of an invitation's row with its index keys: in the lists always, in the queue of its status while
/// something is to happen to it.
fn row(invitation: &Invitation, prospect: Prospect) -> Change {
    let about = invitation.holder_id.as_ref().unwrap_or(&invitation.user_id);
    let mut put = Change::put(Key::invitation(&invitation.id), invitation);
    put = put.and("about_pk", about).and("about_sk", &invitation.id);
    if let Some(organisation) = &invitation.organisation_id {
        put = put.and("group_pk", keys::invitations_of(organisation)).and("group_sk", &invitation.id);
    }
    if !invitation.elsewhere {
        put = put.and("list_pk", keys::ALL_INVITATIONS).and("list_sk", &invitation.id);
    }
    let queue = match invitation.status {
        InvitationStatus::Pending => Some(keys::PENDING_INVITATIONS),
        InvitationStatus::Expired if prospect == Prospect::Due => Some(keys::EXPIRED_INVITATIONS),
        InvitationStatus::Expired | InvitationStatus::Accepted | InvitationStatus::Revoked => None,
    };
    if let Prospect::Ended(at) = prospect {
        put = put.and("collect_at", (at + SHOWN_AFTER_END).as_second());
    }
    match queue {
        Some(queue) => {
            let due = keys::instant_and_id(invitation.expires_at, invitation.id.as_str());
            put.and("queue_pk", queue).and("queue_sk", due)
        }
        None => put,
    }
}

impl Transaction {
    /// Adds a new invitation.
    fn create_invitation(&mut self, invitation: &Invitation) {
        self.add(row(invitation, Prospect::Due).when_new());
    }

    /// Adds the record that this request created an invitation.
    fn record_invitation(&mut self, origin: &Origin, invitation: &Invitation) -> Option<Position> {
        self.record_personal(origin, invitation, Key::invitation(&invitation.id))
    }

    /// Adds that an invitation is nobody's any more, because another takes its place. What is marked as expired is collected in
    /// time; what is not yet, the schedule marks, and finds later that it is nobody's.
    fn replace_invitation(&mut self, replaced: &Invitation, origin: &Origin) -> Position {
        if replaced.status == InvitationStatus::Expired {
            let ended = into_status(replaced, InvitationStatus::Expired);
            return self.change_invitation(replaced, &ended, Prospect::Ended(origin.now));
        }
        let check = Change::check(Key::invitation(&replaced.id), "#version = :version");
        self.add(check.with("version", replaced.version))
    }

    /// Adds the new state of an invitation over the version that it was read in.
    fn change_invitation(&mut self, before: &Invitation, after: &Invitation, prospect: Prospect) -> Position {
        self.add(row(after, prospect).when("#version = :version").with("version", before.version))
    }
}

/// `invitation` in `status`, one version on.
fn into_status(invitation: &Invitation, status: InvitationStatus) -> Invitation {
    Invitation { status, version: invitation.version + 1, ..invitation.clone() }
}
