//! Who registers, with an invite code or without.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{AttributeValues, Fields, FromFields, Problem, secret, text};
use crate::domain::{
    Fault,
    email::Email,
    name::Name,
    organisation::Placement,
    password::{Holder, Password},
    settings::Settings,
    user::{NewUser, Newcomer, Role, Source, Start},
};

/// Who registers.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = Register)]
pub struct Applicant {
    /// Their address.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// The password, where addresses are not confirmed; otherwise it is chosen with the mailed link.
    pub password: Option<Password>,
    /// The values that they give to custom attributes: those on the form.
    // As a row keeps them. Reading the rest leaves them out: what is allowed has to be looked up first (`Fields::sign_up`).
    #[schema(value_type = Option<AttributeValues>)]
    pub attributes: Map<String, Value>,
}

/// Why nobody can register with what was sent, whoever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRegistrable {
    /// The confirmation cannot be mailed: no sender is set.
    NoSender,
    /// The password is chosen at the confirmation, not here.
    PasswordNotYet,
    /// Without a confirmation the password is chosen here.
    PasswordMissing,
    /// The password cannot be used.
    Password(Vec<Fault>),
}

impl From<NotRegistrable> for Problem {
    fn from(reason: NotRegistrable) -> Self {
        match reason {
            NotRegistrable::NoSender => Self::mail_not_configured(),
            NotRegistrable::PasswordNotYet => {
                let detail = "The password is chosen when the address is confirmed.";
                Self::password("password", vec![Fault::new("not_allowed", detail)])
            }
            NotRegistrable::PasswordMissing => {
                Self::password("password", vec![Fault::new("required", "This field is required.")])
            }
            NotRegistrable::Password(faults) => Self::password("password", faults),
        }
    }
}

impl FromFields for Applicant {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let password = fields.optional("password", secret).map(Password::new);
        Some(Self { email: email?, first_name: first_name?, last_name: last_name?, password, attributes: Map::new() })
    }
}

impl Applicant {
    /// Whose password it is to be.
    #[must_use]
    pub fn holder(&self) -> Holder<'_> {
        Holder { email: &self.email, first_name: &self.first_name, last_name: &self.last_name }
    }

    /// Holds the password to where it is chosen, here or at the confirmation, and to the policy.
    ///
    /// # Errors
    /// The first thing that is wrong with it, or that no confirmation can be mailed.
    pub fn check_password(&self, settings: &Settings) -> Result<(), NotRegistrable> {
        match (&self.password, settings.email_confirmation) {
            (Some(_), true) => Err(NotRegistrable::PasswordNotYet),
            (None, true) if settings.sender.is_none() => Err(NotRegistrable::NoSender),
            (None, true) => Ok(()),
            (None, false) => Err(NotRegistrable::PasswordMissing),
            (Some(password), false) => self.check_policy(password, settings),
        }
    }

    /// Holds `password` to the policy.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check_policy(&self, password: &Password, settings: &Settings) -> Result<(), NotRegistrable> {
        let faults = settings.password_policy.check(password, self.holder());
        if faults.is_empty() { Ok(()) } else { Err(NotRegistrable::Password(faults)) }
    }

    /// The Team Member to be written.
    #[must_use]
    pub fn team_member(self, placement: Placement, source: Source, start: Start) -> Newcomer {
        let new = NewUser {
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            role: Role::TeamMember,
            placement: Some(placement),
            source,
            start,
        };
        new.with_attributes(self.attributes)
    }
}
