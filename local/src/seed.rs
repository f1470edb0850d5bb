//! What a portal starts with here: the deployment's foundation, and an API Owner who can log in at once.

use bootstrap::Parameters;
use shared::{
    domain::{
        audit::{Actor, Origin},
        email::Email,
        name::Name,
        password::{Holder, Password},
        user::{NewUser, Role, Source, Start, Status, User},
    },
    identity::{Established, IdentityError},
    random::Random,
    store::{Creation, Finish, StoreError},
};

use crate::{folder::{Folder, FolderError}, functions::Functions, parts::Parts};

/// The sender of the local portal's mail, which goes nowhere.
const SENDER: &str = "portal@portico.example";
/// Letters and digits that nobody takes for one another.
const ALPHABET: [char; 55] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y',
    'Z', '2', '3', '4', '5', '6', '7', '8', '9',
];

/// The API Owner whom the portal starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Their address.
    pub email: String,
    /// What is known of their password.
    pub password: OwnerPassword,
}

/// What is known of the API Owner's password.
#[derive(Clone, PartialEq, Eq)]
pub enum OwnerPassword {
    /// It was set by this start: given, or made here.
    Set(String),
    /// It was made by an earlier start, and may have been changed since.
    Kept(String),
    /// It was chosen by somebody else or given to an earlier start. `given` says that this start was given one, which
    /// changed nothing.
    Theirs {
        /// Whether this start was given one.
        given: bool,
    },
    /// The address belongs to somebody who is no active API Owner.
    Another {
        /// What they may do.
        role: Role,
        /// Where they stand.
        status: Status,
    },
}

impl std::fmt::Debug for OwnerPassword {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OwnerPassword")
    }
}

/// Why a portal cannot be given what it starts with.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The owner's address is none.
    #[error("the owner's e-mail address cannot be used: {0}")]
    Email(String),
    /// The owner's password is refused by the portal's policy.
    #[error("the owner's password cannot be used: {0}")]
    Password(String),
    /// The portal's own words are refused.
    #[error("the portal cannot be set up: {0}")]
    Own(String),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Cognito.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Lays the foundation. May be repeated.
pub async fn lay_foundation(functions: &Functions) -> Result<(), SeedError> {
    let sender = Email::parse(SENDER).map_err(|fault| SeedError::Own(fault.detail))?;
    let parameters =
        Parameters { owner: None, sender: Some(sender), portal_name: Some(Name::given("Developer portal")) };
    Ok(bootstrap::lay(&functions.bootstrap, &parameters, None).await?)
}

/// Makes sure that there is an API Owner at `email`. A start that was cut off is finished by the next one; who is there
/// already is left as they are.
pub async fn ensure_owner(
    parts: &Parts,
    folder: Option<&Folder>,
    email: &str,
    given: Option<&str>,
) -> Result<Owner, SeedError> {
    let address = Email::parse(email).map_err(|fault| SeedError::Email(fault.detail))?;
    let new = NewUser {
        email: address,
        first_name: Name::given("Olivia"),
        last_name: Name::given("Owner"),
        role: Role::ApiOwner,
        placement: None,
        source: Source::ApiOwner,
        start: Start::Becoming(Status::Active),
    };
    let kept = folder.map_or(Ok(None), Folder::owner_password)?;
    let origin = Origin { actor: Actor::System, request_id: "local".to_owned(), now: parts.clock.now() };
    let email = new.email.as_str().to_owned();
    let owner = |password| Owner { email, password };

    // Chosen and kept before anything is written: whatever is written after that, the password is known.
    let password = choose(parts, &new, given, kept.as_deref()).await;
    if let (Some(folder), Ok(password), None, None) = (folder, &password, given, &kept) {
        folder.keep_owner_password(password.expose())?;
    }
    let user = match parts.store.begin_creation(new, &origin).await? {
        Creation::Begun(user) => *user,
        Creation::NoSuchTeam => return Err(SeedError::Own("a team is missing".to_owned())),
        Creation::Taken(sentinel) => match parts.store.person(&sentinel.user_id).await? {
            Some(user) if user.identity_due.is_some() && user.role == Role::ApiOwner => user,
            Some(user) if user.role == Role::ApiOwner && user.status == Status::Active => {
                return Ok(owner(match kept {
                    Some(kept) => OwnerPassword::Kept(kept),
                    None => OwnerPassword::Theirs { given: given.is_some() },
                }));
            }
            Some(User { role, status, .. }) => return Ok(owner(OwnerPassword::Another { role, status })),
            None => return Err(SeedError::Own("the owner's address belongs to nobody".to_owned())),
        },
    };
    todo!()
}
