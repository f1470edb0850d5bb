//! `PATCH /v1/me`: what one says of oneself.

use axum::{Json, extract::State};
use serde_json::{Map, Value};
use shared::{
    domain::{
        attribute::{Definitions, Writer, merge},
        audit::Actor,
        name::Name,
        user::User,
    },
    http::{AttributeValues, ETag, FieldFault, Fields, IfMatch, Payload, Problem, RequestId, Session, UserBody, text},
    store::PersonChanged,
};
use utoipa::ToSchema;

use crate::{
    App,
    read::{account, shown},
};

/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;

/// What is given; what is absent stays.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = ChangeOneself)]
pub struct Change {
    /// First name.
    #[schema(nullable = false)]
    first_name: Option<Name>,
    /// Last name.
    #[schema(nullable = false)]
    last_name: Option<Name>,
    /// Values of custom attributes, by name; those that are not named stay, `null` clears one.
    #[schema(value_type = Option<AttributeValues>)]
    attributes: Option<Map<String, Value>>,
}

impl Change {
    fn read(fields: &mut Fields, before: &User, definitions: &Definitions) -> Self {
        let mut name = |field: &str| fields.replace(field, text(Name::parse));
        let (first_name, last_name) = (name("first_name"), name("last_name"));
        let attributes = fields.attribute_change(definitions, &before.attributes, Writer::Person);
        Self { first_name, last_name, attributes }
    }

    /// `person` with what is given.
    fn of(self, person: &User, definitions: &Definitions) -> Result<User, ChangeError> {
        let faults = |faults| ChangeError::Attributes(FieldFault::of_attributes(faults).collect());
        let attributes = match &self.attributes {
            Some(change) => merge(definitions, &person.attributes, change, Writer::Person).map_err(faults)?,
            None => person.attributes.clone(),
        };
        Ok(User {
            attributes,
            first_name: self.first_name.unwrap_or_else(|| person.first_name.clone()),
            last_name: self.last_name.unwrap_or_else(|| person.last_name.clone()),
            ..person.clone()
        })
    }
}

/// Why one stays as one is.
#[derive(Debug)]
pub enum ChangeError {
    /// The account is of another version than the caller has seen.
    VersionMismatch,
    /// An attribute was set for good meanwhile, or cannot be what was sent.
    Attributes(Vec<FieldFault>),
    /// The session ended meanwhile, with the account.
    Ended,
    /// Others kept changing the account at the same time.
    Overtaken,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::VersionMismatch => Self::version_mismatch(),
            ChangeError::Attributes(faults) => Self::validation(&faults),
            ChangeError::Ended => Self::unauthenticated(),
            ChangeError::Overtaken => Self::try_again(1),
        }
    }
}

/// Changes the caller's own names and attributes. Password, role, state and places have ways of their own and stay as they are. Two
/// changes at once are made one after the other, unless the caller names the version to start from.
#[utoipa::path(
    patch, path = "/v1/me",
    params(IfMatch), request_body = Change,
    responses(
        (status = 200, description = "Who one is now.", body = UserBody),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<UserBody>), Problem> {
    let (mut before, mut places) = account(&app, &session).await?;
    let change = payload.read_with(|fields| Some(Change::read(fields, &before, places.attributes())))?;
    let origin = request.origin(Actor::User(before.id.clone()), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(before.version) {
            return Err(ChangeError::VersionMismatch.into());
        }
        let after = change.clone().of(&before, places.attributes())?.following(&before, origin.now);
        if after == before {
            return shown(&app, after, places).await;
        }
        // Only of somebody invited the names of places are written, and nobody invited has a session.
        match app.store.change_person(&before, &before, &after, &places, false, &origin).await? {
            PersonChanged::Done => return shown(&app, after, places).await,
            // Whoever was faster may have given a value of an attribute that was not there when this request began.
            PersonChanged::Overtaken(_) => (before, places) = account(&app, &session).await?,
            PersonChanged::Gone => return Err(ChangeError::Ended.into()),
            // Neither role nor place nor address changes here: something else stood in the way for a moment.
            PersonChanged::LastOwner
            | PersonChanged::NoSuchTeam
            | PersonChanged::EmailTaken(_)
            | PersonChanged::CallerChanged => return Err(ChangeError::Overtaken.into()),
        }
    }
    Err(ChangeError::Overtaken.into())
}

#[cfg(test)]
mod attributes;
#[cfg(test)]
mod tests;
