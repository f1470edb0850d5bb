//! Another address reaches Cognito: after the transaction that changed it, by the request that did, or later by the sweep
//! (`docs/architecture.md`, section 3.6).
//!
//! A note stands from that transaction until the address that Cognito was told is found to be the person's still: so
//! whatever of two changes reaches Cognito last, it ends with the address of the row.

use crate::{
    domain::{audit::Origin, user::User},
    identity::{Identity, IdentityError},
    store::{Store, StoreError, UnfinishedIdentity},
};

/// What keeps Cognito from having an address. The note stays, and the next run of the sweep goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Cognito.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Tells Cognito the address that `person` was given by `origin` a moment ago. Never fails: the change is written, and what
/// is left to do is the sweep's.
pub async fn tell_cognito(store: &Store, identity: &Identity, person: &User, origin: &Origin) {
    if let Err(error) = told(store, identity, person, origin).await {
        tracing::error!(user = %person.id, %error, "Cognito may have an old address; the sweep tells it");
    }
}

async fn told(store: &Store, identity: &Identity, person: &User, origin: &Origin) -> Result<(), FollowError> {
    // Where Cognito has no user yet, a link of the old address may be at work and make one with it a moment later: the
    // sweep looks again.
    if identity.set_email(&person.id, &person.email).await? {
        store.settle_address(&UnfinishedIdentity::left_by(person, origin), person).await?;
    }
    Ok(())
}

/// Finishes what a change of address left, at a time when no request can be at work with the old one any more; whoever gets
/// another address meanwhile keeps the note.
///
/// # Errors
/// The note stays.
pub async fn finish(
    store: &Store,
    identity: &Identity,
    note: &UnfinishedIdentity,
    person: &User,
) -> Result<(), FollowError> {
    identity.set_email(&person.id, &person.email).await?;
    store.settle_address(note, person).await?;
    Ok(())
}
