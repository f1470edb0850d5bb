//! Who registers, with an invite code or without.

use serde_json::{Map, Value};

use super::{Fields, FromFields, secret, text};
use crate::domain::{
    email::Email,
    name::Name,
    organisation::Placement,
    password::{Holder, Password},
    user::{NewUser, Newcomer, Role, Source, Start},
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
    /// The values that they give to custom attributes, as a row keeps them. Reading the rest leaves them out: what is
    /// allowed has to be looked up first ([`Fields::sign_up`]).
    pub attributes: Map<String, Value>,
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
