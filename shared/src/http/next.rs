//! What a person does next, once a step on the way in is taken.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::user::Status;

/// The answer of every step on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum Next {
    /// Open the link in the mail that was sent.
    ConfirmEmail,
    /// Wait until an API Owner decides.
    AwaitApproval,
    /// Log in.
    LogIn,
}

impl Next {
    /// What is next for somebody who now is in `status`.
    #[must_use]
    pub fn after(status: Status) -> Self {
        match status {
            Status::Unconfirmed => Self::ConfirmEmail,
            Status::Pending | Status::Rejected | Status::Inactive => Self::AwaitApproval,
            Status::Active | Status::Invited => Self::LogIn,
        }
    }
}
