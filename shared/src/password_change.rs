//! Changing a password: by a mailed link, at a login that has to, or by oneself.
//!
//! The one place for the steps and their order, whoever takes them: Cognito has the new password, Cognito ends its tokens,
//! then one transaction ends every session and voids every link; only after that there are new tokens
//! (`docs/architecture.md`, section 3.8). Whatever stops it half-way leaves it repeatable.

use jiff::Timestamp;

use crate::{
    domain::{
        Fault,
        audit::Origin,
        link::HashedToken,
        password::{Password, PasswordPolicy},
        user::User,
    },
    http::Problem,
    identity::{Established, Identity, IdentityError, Tokens},
    store::{Opening, PasswordChanged, Sentinel, Store, StoreError, log_failed_release},
};

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The new password.
    pub password: &'a Password,
    /// What it must be.
    pub policy: &'a PasswordPolicy,
    /// Whether it is known to be the old one.
    pub unchanged: bool,
    /// The link by which it is changed: used up with it.
    pub link: Option<&'a HashedToken>,
    /// Whether the claim noted that a change has begun, and nothing before it: only then is a refusal its end.
    pub noted: bool,
}

/// What became of it.
#[derive(Debug)]
pub enum Change {
    /// The password is the new one; the account as its address's sentinel now has it.
    Done(Sentinel),
    /// The password cannot be used; nothing was changed.
    Refused(Vec<Fault>),
    /// Somebody else has the person now.
    Overtaken,
    /// The person was switched off, or another change came first.
    Void,
}

/// What keeps it from being told. The same request may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Cognito.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => error.into(),
            ChangeError::Identity(error) => error.into(),
        }
    }
}

/// Changes the password of `claimed`, and gives the claim up where it does not come to that.
pub async fn change(
    store: &Store,
    identity: &Identity,
    claimed: &User,
    wish: Wish<'_>,
    origin: &Origin,
) -> Result<Change, ChangeError> {
    let changed = steps(store, identity, claimed, wish, origin).await;
    let released = match &changed {
        Ok(Change::Done(_)) => Ok(()),
        Ok(Change::Refused(_)) if wish.noted => store.release_unbegun(claimed).await,
        Ok(Change::Refused(_) | Change::Overtaken | Change::Void) | Err(_) => store.release(claimed).await,
    };
    log_failed_release(claimed, released);
    changed
}

/// Gives `person` their first password at Cognito. The faults for which it cannot be used; none where it is theirs.
pub async fn first_password(
    identity: &Identity,
    person: &User,
    password: &Password,
    policy: &PasswordPolicy,
) -> Result<Vec<Fault>, IdentityError> {
    let faults = policy.check(password, person.holder());
    if !faults.is_empty() {
        return Ok(faults);
    }
    Ok(match identity.establish(&person.id, &person.email, password).await? {
        Established::Done => Vec::new(),
        Established::PasswordRefused => vec![Fault::refused_password()],
    })
}

async fn steps(
    store: &Store,
    identity: &Identity,
    claimed: &User,
    wish: Wish<'_>,
    origin: &Origin,
) -> Result<Change, ChangeError> {
    let mut faults = wish.policy.check(wish.password, claimed.holder());
    faults.extend(wish.unchanged.then(Fault::unchanged_password));
    if !faults.is_empty() {
        return Ok(Change::Refused(faults));
    }
    let established = match wish.link {
        // Who comes by a mailed link may have no Cognito user any more, and gets one again.
        Some(_) => identity.establish(&claimed.id, &claimed.email, wish.password).await?,
        None => identity.set_password(&claimed.id, wish.password).await?,
    };
    match established {
        Established::Done => {}
        Established::PasswordRefused => return Ok(Change::Refused(vec![Fault::refused_password()])),
    }
    identity.sign_out_everywhere(&claimed.id).await?;
    Ok(match store.change_password(claimed, wish.link, origin).await? {
        PasswordChanged::Done(account) => Change::Done(account),
        PasswordChanged::Overtaken => Change::Overtaken,
        PasswordChanged::Void => Change::Void,
    })
}

/// Logs in with the new password, as the first session after the change; `None` where something came in between.
pub async fn new_session(
    store: &Store,
    identity: &Identity,
    account: &Sentinel,
    password: &Password,
    sign_in: bool,
    now: Timestamp,
) -> Result<Option<Tokens>, ChangeError> {
    // The account is there, so no name that cannot exist is ever needed.
    let Some(tokens) = identity.log_in(Some(&account.user_id), 0, password).await? else { return Ok(None) };
    let opening = store.open_session(account, &tokens.session, sign_in, now).await?;
    Ok((opening == Opening::Opened).then_some(tokens))
}
