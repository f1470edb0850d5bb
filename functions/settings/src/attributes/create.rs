//! `POST /v1/user-attributes`: defines an attribute.

use axum::extract::State;
use jiff::Timestamp;
use shared::{
    domain::{
        Fault,
        attribute::{
            AttributeName, Definition, Definitions, HIGHEST_ORDER, Kind, MAX_CHOICES, Pattern, Refused, Type,
            Visibility, choice as choice_text,
        },
        audit::{Actor, Origin},
        each_once,
        ids::AttributeId,
        name::Name,
    },
    http::{
        Created, Fields, FromFields, IdempotencyKey, Payload, Problem, RequestId, Session, boolean, choice, integer,
        items, recall, text,
    },
    store::{AttributeDefinition, Record},
};
use utoipa::ToSchema;

use super::{AttributeBody, MAX_TRIES, open_sought, refused};
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

/// The attribute to be.
#[derive(Debug, ToSchema)]
#[schema(as = CreateAttribute)]
#[expect(dead_code, reason = "written down, not read: the type is read with what belongs to it")]
struct CreateBody {
    /// What it is called in requests and answers.
    name: AttributeName,
    /// What it is called on the form.
    label: Name,
    /// What values it has, for good.
    r#type: Type,
    /// What can be chosen: of a `choice` alone, which has some.
    #[schema(min_items = 1, max_items = 50)]
    choices: Option<Vec<String>>,
    /// What a text has to match: of a `string` alone.
    pattern: Option<Pattern>,
    /// Whether the sign-up form insists on a value.
    #[schema(default = false)]
    required: Option<bool>,
    /// Whether a value stays once it is set.
    #[schema(default = false)]
    write_once: Option<bool>,
    /// Who sees values.
    #[schema(default = "private")]
    visibility: Option<Visibility>,
    /// Whether the sign-up form asks for it.
    #[schema(default = true)]
    on_form: Option<bool>,
    /// Its place, smaller first.
    #[schema(maximum = 1000, default = 0)]
    order: Option<u32>,
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
#[utoipa::path(
    post, path = "/v1/user-attributes",
    params(IdempotencyKey), request_body = CreateBody,
    responses(
        (status = 201, description = "The attribute.", body = AttributeBody, headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage attributes."),
        (status = 409, description = "`attribute-name-taken`: another one has this name. \
            `too-many-attributes`: there are at most 30, of at most 64 KiB together."),
    ),
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<AttributeBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let (caller, before, record) = open_sought(&app, &session, wish.sought()).await?;
    let origin = request.origin(Actor::User(caller.id), now).repeatable(wish.granted()?);
    let definition = match record {
        Some(record) => Defined::Before(record),
        None => define(&app, payload.read()?, before, &origin).await?,
    };
    let (definition, replayed) = match definition {
        Defined::Now(definition) => (definition, false),
        Defined::Before(record) => (recall(&app.store, record, &origin).await?, true),
    };
    let location = format!("/v1/user-attributes/{}", definition.name.as_str());
    let version = definition.version;
    Ok(Created::at(location, AttributeBody::from(definition)).version(version).replayed(replayed))
}

/// By which request an attribute is defined.
enum Defined {
    Now(Definition),
    Before(Record),
}

async fn define(app: &App, body: Create, before: Definitions, origin: &Origin) -> Result<Defined, Problem> {
    let mut before = before;
    let new = body.row(app.store.attribute_id(origin.now), origin.now);
    for _ in 0..MAX_TRIES {
        let after = match before.with(new.clone()) {
            Ok(after) => after,
            Err(refusal) => {
                // What stands in the way may be what the first of two equal requests defined a moment ago.
                let earlier = app.store.record_of(origin).await?.map(Defined::Before);
                return earlier.ok_or_else(|| CreateError::Refused(refusal).into());
            }
        };
        match app.store.define_attribute(&before, &after, &new, origin).await? {
            AttributeDefinition::Done => return Ok(Defined::Now(new)),
            AttributeDefinition::Repeated(record) => return Ok(Defined::Before(record)),
            AttributeDefinition::Overtaken => before = app.store.attributes().await?,
        }
    }
    Err(CreateError::Overtaken.into())
}

#[cfg(test)]
pub(crate) mod tests;
