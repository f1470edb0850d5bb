//! Creating a person who has a password from the start: row, Cognito, state.
//!
//! The one place for these three steps, whoever takes them. What stops half-way is undone at once; what a crash leaves is
//! undone by the sweep. Source of the rule: `docs/decisions/0006-creation-in-two-steps.md`.

use crate::{
    domain::{
        audit::Origin,
        email::Email,
        ids::UserId,
        password::Password,
        settings::Settings,
        user::{Newcomer, Status, User},
    },
    http::Problem,
    identity::{Established, Identity, IdentityError},
    store::{Creation, Finish, Record, Sentinel, Store, StoreError},
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
    /// A request with the same key was there first: see [`left`].
    Repeated(Record),
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
        Creation::Repeated(record) => return Ok(Enrolment::Repeated(record)),
    };
    complete(store, identity, user, password, owners, origin).await
}

/// What the first of two equal requests left to be done of a creation that it began.
#[derive(Debug)]
pub enum Left {
    /// Nothing: the person has their password, or had it and was deleted since.
    Nothing,
    /// The steps after the row: see [`resume`].
    Password(Box<User>),
    /// All of it: the creation was undone, and `record` with it. The same request creates anew.
    Everything,
}

/// Looks what is left to be done of the creation of `person`, by which the first of two equal requests left `record`.
pub async fn left(store: &Store, person: &UserId, record: &Record, origin: &Origin) -> Result<Left, StoreError> {
    match store.person(person).await? {
        Some(person) if person.identity_due.is_some() => Ok(Left::Password(Box::new(person))),
        Some(_) => Ok(Left::Nothing),
        // Undoing takes row and record in one transaction, deleting the row alone.
        None if store.record_of(origin).await?.as_ref() == Some(record) => Ok(Left::Nothing),
        None => Ok(Left::Everything),
    }
}

/// Goes on with the creation of `person` where an earlier request with the same key stopped, or is just at work.
///
/// Never [`Enrolment::Taken`], [`Enrolment::NoSuchTeam`] or [`Enrolment::Repeated`].
pub async fn resume(
    store: &Store,
    identity: &Identity,
    person: Box<User>,
    password: &Password,
    settings: &Settings,
    origin: &Origin,
) -> Result<Enrolment, EnrolmentError> {
    let owners = match person.identity_due {
        Some(Status::Pending) => store.owners_to_notify(settings).await?,
        _ => Vec::new(),
    };
    complete(store, identity, person, password, &owners, origin).await
}

/// Takes the steps after the first: `user` was begun, by whatever write, and has no Cognito user yet. Never
/// [`Enrolment::Taken`], [`Enrolment::NoSuchTeam`] or [`Enrolment::Repeated`].
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
        Ok(Finish::Done(_)) => Ok(Enrolment::Done(Box::new(user.finished()))),
        // Undone by the sweep, or finished by a repeat of the request.
        Ok(Finish::Undone) => Ok(finished(store, &user).await?.map_or(Enrolment::Undone, Enrolment::Done)),
        Err(error) if undo(store, &user, origin).await => Err(error.into()),
        // Not undone: the last step may have been written although its answer was lost. The row knows.
        Err(error) => finished(store, &user).await?.map(Enrolment::Done).ok_or(error.into()),
    }
}

/// The person as they stand, if somebody took the last step of their creation.
async fn finished(store: &Store, user: &User) -> Result<Option<Box<User>>, StoreError> {
    Ok(store.person(&user.id).await?.filter(|user| user.identity_due.is_none()).map(Box::new))
}

/// Undoes what was begun. A failure is logged alone: the caller has a reason of its own to tell.
async fn undo(store: &Store, user: &User, origin: &Origin) -> bool {
    store.undo_creation(user, origin).await.unwrap_or_else(|error| {
        tracing::error!(user = %user.id, %error, "a creation could not be undone; the sweep will");
        false
    })
}
