//! Deleting a person, whoever asks for it: first the row, which ends every right with one write, then Cognito
//! (`docs/architecture.md`, sections 3.6 and 3.8). What is cut off after the first step is the sweep's.

use crate::{
    domain::{
        audit::Origin,
        user::{SessionId, User},
    },
    http::Problem,
    identity::{Identity, IdentityError},
    store::{Deleted, Store},
};

/// How often a deletion is made again because the person changed meanwhile, before the caller is told to try later.
const MAX_TRIES: usize = 5;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// They are gone.
    Done,
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// Somebody else deleted them a moment ago.
    Gone,
    /// They kept changing.
    Overtaken,
}

/// Deletes `person`; by themselves where a session of theirs is named. `may` judges each version of them that is about to
/// be deleted.
///
/// # Errors
/// What `may` refuses with, and the table's failures. Cognito's are none: the person is gone, and a repeat would find
/// nobody.
pub async fn delete(
    store: &Store,
    identity: &Identity,
    person: User,
    session: Option<&SessionId>,
    may: impl Fn(&User) -> Result<(), Problem>,
    origin: &Origin,
) -> Result<Deletion, Problem> {
    let mut person = person;
    for _ in 0..MAX_TRIES {
        may(&person)?;
        match store.delete_person(&person, session, origin).await? {
            Deleted::Done => {
                clear(store, identity, &person).await;
                return Ok(Deletion::Done);
            }
            Deleted::Overtaken(now) => person = *now,
            Deleted::LastOwner => return Ok(Deletion::LastOwner),
            Deleted::Gone => return Ok(Deletion::Gone),
        }
    }
    Ok(Deletion::Overtaken)
}

/// Removes what is left of somebody who is gone. What fails is the sweep's, which does all of this once more.
async fn clear(store: &Store, identity: &Identity, person: &User) {
    if let Err(error) = sign_out_and_delete(identity, person).await {
        tracing::error!(user = %person.id, %error, "Cognito keeps a user who is gone; the sweep deletes it");
    }
    if let Err(error) = store.erase_about(&person.id).await {
        tracing::error!(user = %person.id, %error, "what is kept about a user who is gone stays; the sweep erases it");
    }
}

/// Ends the life of what Cognito has of somebody: tokens first, so that a failure in between leaves none behind.
async fn sign_out_and_delete(identity: &Identity, person: &User) -> Result<(), IdentityError> {
    identity.sign_out_everywhere(&person.id).await?;
    identity.delete(&person.id).await.map(drop)
}
