//! `GET /v1/users/{id}`: one person.

use axum::{
    Json,
    extract::{Path, State},
};
use shared::{
    domain::{
        ids::UserId,
        rights::{Action, decide},
    },
    http::{Problem, Session, UserBody, admit},
};

use crate::App;

/// Why a person is not shown.
#[derive(Debug)]
pub enum ReadError {
    /// There is no such person.
    Unknown,
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unknown => Self::not_found(),
        }
    }
}

/// Shows one person to API Owners and to the Consumer Admins of a shared team.
pub async fn read(State(app): State<App>, session: Session, Path(id): Path<String>) -> Result<Json<UserBody>, Problem> {
    let id = UserId::parse(&id);
    let (caller, person, mut places) =
        app.store.caller_and_person(&session.user_id, id.as_ref().unwrap_or(&session.user_id)).await?;
    let caller = admit(&session, caller)?;
    // The role is judged first, by oneself as the target, so that nobody learns by it who exists.
    decide(&caller, Action::ReadPerson(&caller))?;
    let person = person.filter(|_| id.is_some()).ok_or(ReadError::Unknown)?;
    decide(&caller, Action::ReadPerson(&person))?;
    app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
    Ok(Json(UserBody::new(&caller, person, &places)))
}
