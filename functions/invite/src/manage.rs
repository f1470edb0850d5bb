//! What reading, resending and revoking have in common: who calls, and which invitation is meant.

use shared::{
    domain::{
        ids::InvitationId,
        invitation::{Invitation, InvitationStatus},
        rights::{Action, decide},
        settings::Settings,
        user::User,
    },
    http::{Problem, Session, admit},
};

use crate::App;

/// How often a decision is made again over somebody else's, before the caller is told to try later.
pub(crate) const MAX_TRIES: usize = 3;

/// Why an invitation stays as it is.
#[derive(Debug)]
pub enum ManageError {
    /// There is no such invitation, or none that the caller may see.
    Unknown,
    /// It stands where this does not start from.
    WrongStatus(InvitationStatus),
    /// Others kept changing it at the same time.
    Overtaken,
}

impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Unknown => Self::not_found(),
            ManageError::WrongStatus(status) => {
                let detail = format!("This invitation is {}, which does not allow it.", status.as_str());
                Self::conflict("wrong-status", "Not in this state", detail)
                    .member("invitation_status", serde_json::json!(status))
            }
            ManageError::Overtaken => Self::try_again(1),
        }
    }
}

/// Lets the caller in and finds the invitation, in one batch. Rights come first: who may not see any learns nothing.
pub(crate) async fn open(app: &App, session: &Session, id: &str) -> Result<(User, Settings, Invitation), Problem> {
    let id = InvitationId::parse(id);
    let facts = app.store.resend_facts(&session.user_id, id.as_ref()).await?;
    let caller = admit(session, facts.caller)?;
    decide(&caller, Action::ListInvitations)?;
    let invitation = facts.invitation.ok_or(ManageError::Unknown)?;
    decide(&caller, Action::ReadInvitation(&invitation))?;
    Ok((caller, facts.settings, invitation))
}
