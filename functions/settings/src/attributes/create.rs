//! `POST /v1/user-attributes`: defines an attribute.

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use shared::{
    domain::{
        Fault,
        attribute::{
            AttributeName, Definition, HIGHEST_ORDER, Kind, MAX_CHOICES, Pattern, Refused, Type, Visibility,
            choice as choice_text,
        },
        audit::Actor,
        ids::AttributeId,
        name::Name,
    },
    http::{ETag, Fields, FromFields, Payload, Problem, RequestId, Session, boolean, choice, integer, items, text},
    store::AttributesChange,
};

use super::{AttributeBody, MAX_TRIES, each_once, open, refused};
use crate::App;

/// The attribute to be.
#[derive(Clone, Debug)]
pub struct Create {
    name: AttributeName,
    label: Name,
    kind: Kind,
    required: bool,
    write_once: bool,
    visibility: Visibility,
    on_form: bool,
    order: u32,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", text(AttributeName::parse));
        let label = fields.required("label", text(Name::parse));
        let kind = kind(fields);
        let required = fields.optional("required", boolean).unwrap_or(false);
        let write_once = fields.optional("write_once", boolean).unwrap_or(false);
        let visibility = fields.optional("visibility", choice(Visibility::parse)).unwrap_or(Visibility::Private);
        let on_form = fields.optional("on_form", boolean).unwrap_or(true);
        let order = fields.optional("order", integer(0, HIGHEST_ORDER)).unwrap_or(0);
        Some(Self { name: name?, label: label?, kind: kind?, required, write_once, visibility, on_form, order })
    }
}

/// Reads the type with what belongs to it, and nothing that does not.
fn kind(fields: &mut Fields) -> Option<Kind> {
    let of_type = fields.required("type", choice(Type::parse));
    let choices_given = fields.is_given("choices");
    let choices = fields.optional("choices", items(MAX_CHOICES, choice_text)).map(each_once);
    let pattern_given = fields.is_given("pattern");
    let pattern = fields.optional("pattern", text(Pattern::parse));
    let of_type = of_type?;
    if choices_given && of_type != Type::Choice {
        fields.fault("choices", Fault::new("not_allowed", "Only an attribute of the type choice has choices."));
    }
    if pattern_given && of_type != Type::String {
        fields.fault("pattern", Fault::new("not_allowed", "Only an attribute of the type string has a pattern."));
    }
    match of_type {
        Type::String => Some(Kind::String { pattern }),
        Type::Number => Some(Kind::Number),
        Type::Boolean => Some(Kind::Boolean),
        Type::Choice if !choices_given || choices.as_ref().is_some_and(Vec::is_empty) => {
            fields.fault("choices", Fault::new("required", "There is at least one choice."));
            None
        }
        Type::Choice => choices.map(|choices| Kind::Choice { choices }),
    }
}

impl Create {
    fn row(self, id: AttributeId, now: Timestamp) -> Definition {
        Definition {
            id,
            name: self.name,
            label: self.label,
            kind: self.kind,
            required: self.required,
            write_once: self.write_once,
            visibility: self.visibility,
            on_form: self.on_form,
            order: self.order,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// Why there is no new attribute.
#[derive(Debug)]
pub enum CreateError {
    /// The definitions as a whole do not allow it.
    Refused(Refused),
    /// Others kept changing the attributes at the same time.
    Overtaken,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Refused(refusal) => refused(refusal),
            CreateError::Overtaken => Self::try_again(1),
        }
    }
}

/// Defines an attribute, with effect for the very next sign-up. Whoever is there already is not held to it.
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    payload: Payload,
) -> Result<impl IntoResponse, Problem> {
    let (caller, mut before) = open(&app, &session).await?;
    let body: Create = payload.read()?;
    let now = app.clock.now();
    let origin = request.origin(Actor::User(caller.id), now);
    let new = body.row(app.store.attribute_id(now), now);
    let location = format!("/v1/user-attributes/{}", new.name.as_str());
    let location = HeaderValue::from_str(&location).map_err(Problem::internal)?;
    for _ in 0..MAX_TRIES {
        let after = before.with(new.clone()).map_err(CreateError::Refused)?;
        match app.store.change_attributes(&before, &after, (None, Some(&new)), &origin).await? {
            AttributesChange::Done => {
                let body = Json(AttributeBody::from(new.clone()));
                return Ok((StatusCode::CREATED, [(header::LOCATION, location)], ETag(new.version), body));
            }
            AttributesChange::Overtaken => before = app.store.attributes().await?,
        }
    }
    Err(CreateError::Overtaken.into())
}

#[cfg(test)]
pub(crate) mod tests;
