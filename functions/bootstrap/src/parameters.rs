//! The deployment's parameters, as the custom resource passes them on.

use serde::{Deserialize, Serialize};
use shared::{
    domain::{Fault, email::Email, name::Name},
    store::FirstOwner,
};

/// The properties of the custom resource, as they are written in the template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Properties {
    owner_email: String,
    owner_first_name: String,
    owner_last_name: String,
    sender: String,
    portal_name: String,
}

/// The parameters, understood.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// Whom to invite as the first API Owner.
    pub owner: Option<FirstOwner>,
    /// The address that mails come from.
    pub sender: Option<Email>,
    /// The portal's name.
    pub portal_name: Option<Name>,
}

/// A parameter that cannot be understood. The deployment fails with this sentence.
#[derive(Debug, thiserror::Error)]
#[error("the parameter {name} cannot be used: {reason}")]
pub struct ParametersError {
    name: &'static str,
    reason: String,
}

impl TryFrom<&Properties> for Parameters {
    type Error = ParametersError;

    fn try_from(properties: &Properties) -> Result<Self, ParametersError> {
        let owner = if properties.owner_email.is_empty() {
            None
        } else {
            Some(FirstOwner {
                email: read("OwnerEmail", &properties.owner_email, Email::parse)?,
                first_name: read("OwnerFirstName", &properties.owner_first_name, Name::parse)?,
                last_name: read("OwnerLastName", &properties.owner_last_name, Name::parse)?,
            })
        };
        Ok(Self {
            owner,
            sender: optional("Sender", &properties.sender, Email::parse)?,
            portal_name: optional("PortalName", &properties.portal_name, Name::parse)?,
        })
    }
}

type Parse<T> = fn(&str) -> Result<T, Fault>;

fn optional<T>(name: &'static str, text: &str, parse: Parse<T>) -> Result<Option<T>, ParametersError> {
    if text.is_empty() { Ok(None) } else { read(name, text, parse).map(Some) }
}

fn read<T>(name: &'static str, text: &str, parse: Parse<T>) -> Result<T, ParametersError> {
    parse(text).map_err(|fault| ParametersError { name, reason: fault.detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_cannot_be_used_is_named() {
        let properties = Properties { sender: "nobody".to_owned(), ..Properties::default() };

        let error = Parameters::try_from(&properties).unwrap_err();

        assert!(error.to_string().starts_with("the parameter Sender cannot be used"));
    }

    #[test]
    fn without_an_owner_nobody_is_invited() {
        assert!(Parameters::try_from(&Properties::default()).unwrap().owner.is_none());
    }
}
