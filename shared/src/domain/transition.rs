//! How a person's state becomes another by an API Owner's decision (`docs/architecture.md`, section 4).

use jiff::SignedDuration;

use super::user::Status;

/// How long a refused registration can be reopened; after that it is deleted.
pub const REJECTED_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What an API Owner does to where a person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Lets a waiting registration in.
    Approve,
    /// Refuses a waiting registration.
    Reject,
    /// Lets a refused registration wait again.
    Reopen,
    /// Switches a person on.
    Activate,
    /// Switches a person off and ends every session.
    Deactivate,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 5] = [Self::Approve, Self::Reject, Self::Reopen, Self::Activate, Self::Deactivate];

    /// The one state from which it goes.
    #[must_use]
    pub fn from(self) -> Status {
        match self {
            Self::Approve | Self::Reject => Status::Pending,
            Self::Reopen => Status::Rejected,
            Self::Activate => Status::Inactive,
            Self::Deactivate => Status::Active,
        }
    }

    /// The state to which it goes.
    #[must_use]
    pub fn to(self) -> Status {
        match self {
            Self::Approve | Self::Activate => Status::Active,
            Self::Reject => Status::Rejected,
            Self::Reopen => Status::Pending,
            Self::Deactivate => Status::Inactive,
        }
    }

    /// The action's name in the audit trail.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Approve => "user.approved",
            Self::Reject => "user.rejected",
            Self::Reopen => "user.reopened",
            Self::Activate => "user.activated",
            Self::Deactivate => "user.deactivated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_transition_leads_from_a_state_to_itself_and_only_waiting_ones_are_decided() {
        for transition in Transition::ALL {
            assert_ne!(transition.from(), transition.to());
        }
        assert_eq!(Transition::Approve.from(), Status::Pending);
        assert_eq!(Transition::Reject.from(), Status::Pending);
    }
}
