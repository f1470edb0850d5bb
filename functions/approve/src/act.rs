//! What the five routes have in common: who decides about whom, and what stands in the way.

use serde_json::json;
use shared::{
    domain::{
        audit::Actor,
        ids::UserId,
        rights::{Action, decide},
        user::{Status, Transition, User},
    },
    http::{Problem, RequestId, Session, UserBody, admit},
    store::{Places, Transitioned},
};

use crate::App;

/// Why a decision is refused. The facts are the same for every route.
#[derive(Debug)]
pub enum DecisionError {
    /// There is no such person.
    Unknown,
    /// The person is in a state that the decision does not start from.
    WrongStatus(Status),
    /// The portal would be left without an active API Owner.
    LastOwner,
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Unknown => Self::not_found(),
            DecisionError::WrongStatus(status) => {
                let detail = format!("This person is {}, which does not allow it.", status.as_str());
                Self::conflict("wrong-status", "Not in this state", detail).member("user_status", json!(status))
            }
            DecisionError::LastOwner => {
                let detail = "The portal needs at least one active API Owner.";
                Self::conflict("last-api-owner", "This is the last API Owner", detail)
            }
        }
    }
}

/// A person about whom the caller may decide.
#[derive(Debug)]
pub(crate) struct Case {
    caller: User,
    person: User,
    places: Places,
}

impl Case {
    /// Whom the decision is about.
    pub(crate) fn person_id(&self) -> UserId {
        self.person.id.clone()
    }
}

/// Lets the caller in and finds the person, in one batch. Rights come first: who may not decide learns nothing.
pub(crate) async fn open(app: &App, session: &Session, id: &str) -> Result<Case, Problem> {
    // An id that cannot be one is looked up as the caller's own, which tells nothing and keeps the order of checks.
    let id = UserId::parse(id);
    let (caller, person, places) =
        app.store.caller_and_person(&session.user_id, id.as_ref().unwrap_or(&session.user_id)).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::ChangeStates)?;
    let person = person.filter(|_| id.is_some()).ok_or(DecisionError::Unknown)?;
    decide(&caller, Action::ChangeState(&person))?;
    Ok(Case { caller, person, places })
}

/// Makes the transition and shows the person as they now are.
pub(crate) async fn act(
    app: &App,
    request: &RequestId,
    case: Case,
    transition: Transition,
    reason: Option<&str>,
) -> Result<UserBody, Problem> {
    let Case { caller, person, mut places } = case;
    let origin = request.origin(Actor::User(caller.id.clone()), app.clock.now());
    match app.store.transition(&person, transition, reason, &origin).await? {
        Transitioned::Done(person) => {
            app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
            Ok(UserBody::new(&caller, *person, &places))
        }
        Transitioned::WrongStatus(status) => Err(DecisionError::WrongStatus(status).into()),
        Transitioned::LastOwner => Err(DecisionError::LastOwner.into()),
        Transitioned::Gone => Err(DecisionError::Unknown.into()),
    }
}
