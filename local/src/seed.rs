//! What a portal starts with here: the deployment's foundation, and an API Owner who can log in at once.

use bootstrap::Parameters;
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        email::Email,
        name::Name,
        password::{Holder, Password, PasswordPolicy},
        user::{NewUser, Role, Source, Start, Status, User},
    },
    identity::{Established, IdentityError},
    random::Random,
    store::{Creation, Finish, StoreError},
};

use crate::{
    folder::{Folder, FolderError},
    functions::Functions,
    parts::Parts,
};

/// The sender of the local portal's mail, which goes nowhere.
const SENDER: &str = "portal@portico.example";
/// What passwords are made of: nothing that is taken for something else.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters in a group of a made password, and groups.
const GROUP: usize = 5;
const GROUPS: usize = 4;
/// How often a password is made anew that the policy refuses.
const ATTEMPTS: usize = 100;

/// The API Owner whom the portal starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Their address.
    pub email: String,
    /// How they stand.
    pub standing: Standing,
}

/// How the API Owner stands whom the portal starts with.
#[derive(Clone, PartialEq, Eq)]
pub enum Standing {
    /// They got this password by this start.
    Created {
        /// The password, given or made here.
        password: String,
    },
    /// They were there already and keep the password that they have.
    There {
        /// The password that an earlier start made for them. They may have changed it since.
        made: Option<String>,
        /// Whether this start was given one, which changed nothing.
        given: bool,
    },
    /// Their address belongs to somebody who is no active API Owner.
    Else {
        /// What that person may do.
        role: Role,
        /// Where that person stands.
        status: Status,
    },
}

impl std::fmt::Debug for Standing {
    /// Without the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Created { .. } => "Created",
            Self::There { .. } => "There",
            Self::Else { .. } => "Else",
        })
    }
}

/// Why a portal cannot be given what it starts with.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The owner's address is none.
    #[error("the owner's e-mail address cannot be used: {0}")]
    Email(String),
    /// The owner's password is refused.
    #[error("the owner's password cannot be used: {0}")]
    Password(String),
    /// The sweep or another process was faster.
    #[error("the owner's account was changed while it was made; start again")]
    Overtaken,
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
    let sender = Email::parse(SENDER).map_err(|fault| SeedError::Email(fault.detail))?;
    let portal_name = Some(Name::given("Developer portal"));
    let parameters = Parameters { owner: None, sender: Some(sender), portal_name };
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
    let email = Email::parse(email).map_err(|fault| SeedError::Email(fault.detail))?;
    let name = email.as_str().to_owned();
    let facts = parts.store.login_facts(&email).await?;
    let account = match facts.account {
        Some(account) => parts.store.person(&account.user_id).await?,
        None => None,
    };
    let begun = match account {
        None => None,
        Some(user) if user.role == Role::ApiOwner && user.identity_due.is_some() => Some(user),
        Some(User { role: Role::ApiOwner, status: Status::Active, .. }) => {
            let made = folder.map_or(Ok(None), |folder| folder.owner_password(&name))?;
            return Ok(Owner { email: name, standing: Standing::There { made, given: given.is_some() } });
        }
        Some(User { role, status, .. }) => return Ok(Owner { email: name, standing: Standing::Else { role, status } }),
    };
    let new = NewUser {
        email,
        first_name: Name::given("Olivia"),
        last_name: Name::given("Owner"),
        role: Role::ApiOwner,
        placement: None,
        source: Source::ApiOwner,
        start: Start::Becoming(Status::Active),
    };
    let holder = Holder { email: &new.email, first_name: &new.first_name, last_name: &new.last_name };
    let password = choose(&parts.random, facts.settings.password_policy, holder, given)?;
    // Kept before anything is written: whatever is written after that, the password is known.
    if let Some(folder) = folder {
        folder.keep_owner_password(&name, given.is_none().then(|| password.expose()))?;
    }
    create(parts, begun, new, &password).await?;
    Ok(Owner { email: name, standing: Standing::Created { password: password.expose().to_owned() } })
}

/// Creates the owner, or finishes the creation that was `begun`.
async fn create(parts: &Parts, begun: Option<User>, new: NewUser, password: &Password) -> Result<(), SeedError> {
    let origin = Origin::new(Actor::System, "local", parts.clock.now());
    let user = match begun {
        Some(user) => user,
        None => match parts.store.begin_creation(new, &origin).await? {
            Creation::Begun(user) => *user,
            Creation::Taken(_) | Creation::NoSuchTeam | Creation::Repeated(_) => return Err(SeedError::Overtaken),
        },
    };
    match parts.identity.establish(&user.id, &user.email, password).await? {
        Established::Done => {}
        Established::PasswordRefused => return Err(SeedError::Password(Fault::refused_password().detail)),
    }
    match parts.store.finish_creation(&user, &[], &origin).await? {
        Finish::Done(_) => Ok(()),
        Finish::Undone => Err(SeedError::Overtaken),
    }
}

/// The password that was given, or a made one, if the policy takes it.
fn choose(
    random: &Random,
    policy: PasswordPolicy,
    holder: Holder<'_>,
    given: Option<&str>,
) -> Result<Password, SeedError> {
    let candidates: Box<dyn Iterator<Item = String>> = match given {
        Some(given) => Box::new(std::iter::once(given.to_owned())),
        None => Box::new(std::iter::repeat_with(|| made(random)).take(ATTEMPTS)),
    };
    let mut faults = Vec::new();
    for candidate in candidates {
        let password = Password::new(candidate);
        faults = policy.check(&password, holder);
        if faults.is_empty() {
            return Ok(password);
        }
    }
    Err(SeedError::Password(faults.into_iter().map(|fault| fault.detail).collect::<Vec<_>>().join(" ")))
}

/// A password of 115 random bits, in groups that can be read out.
fn made(random: &Random) -> String {
    let group = || -> String {
        // Bytes past the last whole multiple of the alphabet would favour its beginning.
        let fair = 256 - 256 % ALPHABET.len();
        let bytes = std::iter::repeat_with(|| random.bytes()).flatten().map(usize::from).filter(|byte| *byte < fair);
        bytes
            .filter_map(|byte| ALPHABET.get(byte % ALPHABET.len()))
            .take(GROUP)
            .map(|letter| char::from(*letter))
            .collect()
    };
    std::iter::repeat_with(group).take(GROUPS).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(policy: PasswordPolicy, given: Option<&str>) -> Result<Password, SeedError> {
        let email = Email::parse("owner@example.com").unwrap();
        let (first_name, last_name) = (Name::given("Olivia"), Name::given("Owner"));
        let holder = Holder { email: &email, first_name: &first_name, last_name: &last_name };
        choose(&Random::seeded(1), policy, holder, given)
    }

    #[test]
    fn a_made_password_is_long_and_another_one_each_time() {
        let (one, other) = (made(&Random::system()), made(&Random::system()));

        assert_eq!(one.len(), 23);
        assert_ne!(one, other);
    }

    #[test]
    fn a_made_password_fits_a_strict_policy() {
        let strict = PasswordPolicy { min_length: 20, min_numerics: 2, min_specials: 1, mixed_case: true };

        assert!(chosen(strict, None).is_ok());
    }

    #[test]
    fn a_given_password_that_the_policy_refuses_is_not_replaced() {
        let refused = chosen(PasswordPolicy::default(), Some("short")).unwrap_err();

        assert!(refused.to_string().contains("12 characters"), "{refused}");
    }
}
