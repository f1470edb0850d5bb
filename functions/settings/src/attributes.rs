//! Custom sign-up attributes: how they are shown, and how the one of a path is found.

pub mod change;
pub mod create;
pub mod delete;
pub mod list;
pub mod read;

use serde::Serialize;
use serde_json::{Map, Value};
use shared::{
    domain::{
        attribute::{AttributeName, Definition, Definitions, Pattern, Refused, Type, Visibility},
        idempotency::Repeatable,
        name::Name,
        rights::{Action, decide},
        user::User,
    },
    http::{Instant, Problem, Session, admit},
    store::Record,
};
use utoipa::ToSchema;

use crate::App;

/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;

/// An attribute, as API Owners see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attribute)]
pub struct AttributeBody {
    name: AttributeName,
    label: Name,
    #[serde(rename = "type")]
    #[schema(value_type = Type)]
    kind: &'static str,
    /// What may be chosen, where it is a choice.
    choices: Option<Vec<String>>,
    pattern: Option<Pattern>,
    /// Whether a registration has to have a value.
    required: bool,
    /// Whether a value stays as it was first given, but for API Owners.
    write_once: bool,
    visibility: Visibility,
    /// Whether the sign-up form asks for it.
    on_form: bool,
    /// Its place on the form, the lowest first.
    order: u32,
    created_at: Instant,
    updated_at: Instant,
}

impl AttributeBody {
    /// The fields by name.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

impl From<Definition> for AttributeBody {
    fn from(definition: Definition) -> Self {
        Self {
            kind: definition.kind.as_type().as_str(),
            choices: definition.kind.choices().map(<[String]>::to_vec),
            pattern: definition.kind.pattern().cloned(),
            name: definition.name,
            label: definition.label,
            required: definition.required,
            write_once: definition.write_once,
            visibility: definition.visibility,
            on_form: definition.on_form,
            order: definition.order,
            created_at: Instant(definition.created_at),
            updated_at: Instant(definition.updated_at),
        }
    }
}

/// An attribute, as the sign-up form needs it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormAttribute)]
pub struct FormAttribute {
    name: AttributeName,
    label: Name,
    #[serde(rename = "type")]
    #[schema(value_type = Type)]
    kind: &'static str,
    /// What may be chosen, where it is a choice.
    choices: Option<Vec<String>>,
    pattern: Option<Pattern>,
    /// Whether a registration has to have a value.
    required: bool,
}

impl From<&Definition> for FormAttribute {
    fn from(definition: &Definition) -> Self {
        Self {
            name: definition.name.clone(),
            label: definition.label.clone(),
            kind: definition.kind.as_type().as_str(),
            choices: definition.kind.choices().map(<[String]>::to_vec),
            pattern: definition.kind.pattern().cloned(),
            required: definition.required,
        }
    }
}

/// 409: what the definitions as a whole do not allow.
pub(crate) fn refused(refusal: Refused) -> Problem {
    match refusal {
        Refused::NameTaken => {
            Problem::conflict("attribute-name-taken", "Name taken", "Another attribute has this name.")
        }
        Refused::TooMany => {
            let detail = "There are at most 30 attributes, which hold at most 64 KiB together.";
            Problem::conflict("too-many-attributes", "Too many attributes", detail)
        }
    }
}

/// Lets a caller in who manages the attributes, and reads them, in one batch.
pub(crate) async fn open(app: &App, session: &Session) -> Result<(User, Definitions), Problem> {
    let (caller, definitions, _) = open_sought(app, session, None).await?;
    Ok((caller, definitions))
}

/// The same with, where the request may be a repeat, the record of its first.
pub(crate) async fn open_sought(
    app: &App,
    session: &Session,
    sought: Option<&Repeatable>,
) -> Result<(User, Definitions, Option<Record>), Problem> {
    let (caller, definitions, record) = app.store.person_attributes_and_record(&session.user_id, sought).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::ManageSettings)?;
    Ok((caller, definitions, record))
}
