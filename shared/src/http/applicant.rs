//! Who registers, with an invite code or without.

use super::{Fields, FromFields, secret, text};
use crate::domain::{
    email::Email,
    name::Name,
    organisation::Placement,
    password::{Holder, Password},
    user::{NewUser, Role, Source, Start},
};

/// Who registers.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// Their address.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// The password that they send, where they choose it at once.
    pub password: Option<Password>,
}

impl FromFields for Applicant {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let password = fields.optional("password", secret).map(Password::new);
        // No sign-up field is defined: whatever is named here is unknown.
        fields.nested("attributes", |_| {});
        Some(Self { email: email?, first_name: first_name?, last_name: last_name?, password })
    }
}

impl Applicant {
    /// Whose password it is to be.
    #[must_use]
    pub fn holder(&self) -> Holder<'_> {
        Holder { email: &self.email, first_name: &self.first_name, last_name: &self.last_name }
    }

    /// The Team Member to be written.
    #[must_use]
    pub fn team_member(self, placement: Placement, source: Source, start: Start) -> NewUser {
        NewUser {
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            role: Role::TeamMember,
            placement: Some(placement),
            source,
            start,
        }
    }
}
