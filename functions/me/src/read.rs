//! `GET /v1/me`: who one is here.

use axum::{Json, extract::State};
use shared::{
    http::{Problem, Session, UserBody, admit},
    store::Places,
};

use crate::App;

/// Shows the caller's own account.
pub async fn read(State(app): State<App>, session: Session) -> Result<Json<UserBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    let mut places = Places::default();
    app.store.complete_places(&mut places, std::slice::from_ref(&caller)).await?;
    Ok(Json(UserBody::new(&caller, caller.clone(), &places)))
}
