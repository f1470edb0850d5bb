//! Creating a person who has a password from the start: row, Cognito, state.
//!
//! The one place for these three steps, whoever takes them. What stops half-way is undone at once; what a crash leaves is
//! undone by the sweep. Source of the rule: `docs/decisions/0006-creation-in-two-steps.md`.

use crate::{
    domain::{
        audit::Origin,
        email::Email,
        password::Password,
        user::{Newcomer, User},
    },
    http::Problem,
    identity::{Established, Identity, IdentityError},
    store::{Creation, Finish, Sentinel, Store, StoreError},
};

/// What became of it.
#[derive(Debug)]
pub enum Enrolment {
    /// The person is there, with their password.
    Done(Box<User>),
    /// The address has an account, or one is just being made.
    Taken(Sentinel),
    /// A named team is not there any more.
    NoSuchTeam,
    /// Cognito refuses the password; the address is free again.
    PasswordRefused,
    /// It took so long that the sweep undid it; the address is free again.
    Undone,
}

/// What keeps it from being told. Nothing is left that a repeat could stumble over, unless undoing failed as well.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Cognito.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<EnrolmentError> for Problem {
    fn from(error: EnrolmentError) -> Self {
        match error {
            EnrolmentError::Store(error) => error.into(),
            EnrolmentError::Identity(error) => error.into(),
        }
    }
}

/// Creates `new`, who starts in [`crate::domain::user::Start::Becoming`], with `password`; `owners` hear of it where
/// the person is to wait for approval.
pub async fn enrol(
    store: &Store,
    identity: &Identity,
    new: impl Into<Newcomer>,
    password: &Password,
    owners: &[Email],
    origin: &Origin,
) -> Result<Enrolment, EnrolmentError> {
    let user = match store.begin_creation(new, origin).await? {
        Creation::Begun(user) => user,
        Creation::Taken(known) => return Ok(Enrolment::Taken(known)),
        Creation::NoSuchTeam => return Ok(Enrolment::NoSuchTeam),
    };
    complete(store, identity, user, password, owners, origin).await
}

/// Takes the steps after the first: `user` was begun, by whatever write, and has no Cognito user yet. Never
/// [`Enrolment::Taken`] or [`Enrolment::NoSuchTeam`].
pub async fn complete(
    store: &Store,
    identity: &Identity,
    user: Box<User>,
    password: &Password,
    owners: &[Email],
    origin: &Origin,
) -> Result<Enrolment, EnrolmentError> {
    match identity.establish(&user.id, &user.email, password).await {
        Ok(Established::Done) => {}
        Ok(Established::PasswordRefused) => {
            undo(store, &user, origin).await;
            return Ok(Enrolment::PasswordRefused);
        }
        Err(error) => {
            undo(store, &user, origin).await;
            return Err(error.into());
        }
    }
    match store.finish_creation(&user, owners, origin).await {
        Ok(Finish::Done(status)) => Ok(Enrolment::Done(Box::new(User { status, identity_due: None, ..*user }))),
        Ok(Finish::Undone) => Ok(Enrolment::Undone),
        Err(error) if undo(store, &user, origin).await => Err(error.into()),
        // Not undone: the last step may have been written although its answer was lost. The row knows.
        Err(error) => match store.person(&user.id).await? {
            Some(user) if user.identity_due.is_none() => Ok(Enrolment::Done(Box::new(user))),
            _ => Err(error.into()),
        },
    }
}

/// Undoes what was begun. A failure is logged alone: the caller has a reason of its own to tell.
async fn undo(store: &Store, user: &User, origin: &Origin) -> bool {
    store.undo_creation(user, origin).await.unwrap_or_else(|error| {
        tracing::error!(user = %user.id, %error, "a creation could not be undone; the sweep will");
        false
    })
}
