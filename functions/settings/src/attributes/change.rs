//! `PATCH /v1/user-attributes/{name}`: changes what is named and leaves the rest.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::{
    domain::{
        Fault,
        attribute::{
            AttributeName, Definition, Definitions, HIGHEST_ORDER, Kind, MAX_CHOICES, Pattern, Refused, Type,
            Visibility, choice as choice_text,
        },
        audit::Actor,
        each_once,
        ids::AttributeId,
        name::Name,
    },
    http::{
        ETag, Fields, IfMatch, Instant, PathId, Payload, Problem, RequestId, Session, boolean, choice, integer, items,
        text,
    },
    store::AttributesChange,
};
use utoipa::ToSchema;

use super::{AttributeBody, MAX_TRIES, open, refused};
use crate::App;

/// What is named; outer `None` leaves a value as it is, inner `None` clears it.
#[derive(Clone, Debug, Default)]
pub struct Change {
    label: Option<Name>,
    choices: Option<Vec<String>>,
    #[expect(clippy::option_option, reason = "absent and null are different in a merge")]
    pattern: Option<Option<Pattern>>,
    required: Option<bool>,
    write_once: Option<bool>,
    visibility: Option<Visibility>,
    on_form: Option<bool>,
    order: Option<u32>,
}

/// What is named; the rest stays.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeAttribute)]
#[expect(dead_code, reason = "written down, not read: what can be changed hangs on the attribute's type")]
struct ChangeBody {
    /// As it is shown: it never changes.
    #[schema(nullable = false)]
    name: Option<AttributeName>,
    /// As it is shown: it never changes.
    #[schema(nullable = false)]
    r#type: Option<Type>,
    /// As it is shown.
    #[schema(nullable = false)]
    created_at: Option<Instant>,
    /// As it is shown.
    #[schema(nullable = false)]
    updated_at: Option<Instant>,
    /// What it is called on the form.
    #[schema(nullable = false)]
    label: Option<Name>,
    /// What can be chosen: of a `choice` alone.
    #[schema(min_items = 1, max_items = 50)]
    choices: Option<Vec<String>>,
    /// What a text has to match, `null` for nothing: of a `string` alone.
    pattern: Option<Pattern>,
    /// Whether the sign-up form insists on a value.
    #[schema(nullable = false)]
    required: Option<bool>,
    /// Whether a value stays once it is set.
    #[schema(nullable = false)]
    write_once: Option<bool>,
    /// Who sees values.
    #[schema(nullable = false)]
    visibility: Option<Visibility>,
    /// Whether the sign-up form asks for it.
    #[schema(nullable = false)]
    on_form: Option<bool>,
    /// Its place, smaller first.
    #[schema(maximum = 1000, nullable = false)]
    order: Option<u32>,
}

impl Change {
    /// Takes everything that can be changed of an attribute of this `kind`. Of the rest, only what `shown` says already is
    /// accepted: above all the type, in which people have values.
    fn read(fields: &mut Fields, kind: &Kind, shown: &Map<String, Value>) -> Self {
        let mut change = Self {
            label: fields.replace("label", text(Name::parse)),
            required: fields.replace("required", boolean),
            write_once: fields.replace("write_once", boolean),
            visibility: fields.replace("visibility", choice(Visibility::parse)),
            on_form: fields.replace("on_form", boolean),
            order: fields.replace("order", integer(0, HIGHEST_ORDER)),
            ..Self::default()
        };
        match kind {
            Kind::String { .. } => change.pattern = fields.change("pattern", text(Pattern::parse)),
            Kind::Choice { .. } => {
                change.choices = fields.replace("choices", items(MAX_CHOICES, choice_text)).map(each_once);
                if change.choices.as_ref().is_some_and(Vec::is_empty) {
                    fields.fault("choices", Fault::new("required", "There is at least one choice."));
                }
            }
            Kind::Number | Kind::Boolean => {}
        }
        fields.unchanged(shown, || Fault::new("not_changeable", "This cannot be changed."));
        change
    }

    fn over(self, before: &Definition, now: Timestamp) -> Definition {
        let kind = match before.kind.clone() {
            Kind::String { pattern } => Kind::String { pattern: self.pattern.unwrap_or(pattern) },
            Kind::Choice { choices } => Kind::Choice { choices: self.choices.unwrap_or(choices) },
            kind @ (Kind::Number | Kind::Boolean) => kind,
        };
        let after = Definition {
            label: self.label.unwrap_or_else(|| before.label.clone()),
            kind,
            required: self.required.unwrap_or(before.required),
            write_once: self.write_once.unwrap_or(before.write_once),
            visibility: self.visibility.unwrap_or(before.visibility),
            on_form: self.on_form.unwrap_or(before.on_form),
            order: self.order.unwrap_or(before.order),
            ..before.clone()
        };
        if after == *before { after } else { Definition { updated_at: now, version: before.version + 1, ..after } }
    }
}

/// Why an attribute stays as it is.
#[derive(Debug)]
pub enum ChangeError {
    /// There is no such attribute.
    Unknown,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// The definitions as a whole do not allow it.
    Refused(Refused),
    /// Others kept changing the attributes at the same time.
    Overtaken,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown => Self::not_found(),
            ChangeError::VersionMismatch => Self::version_mismatch(),
            ChangeError::Refused(refusal) => refused(refusal),
            ChangeError::Overtaken => Self::try_again(1),
        }
    }
}

/// Changes an attribute, with effect for the very next sign-up. Values that people have already stay as they are.
#[utoipa::path(
    patch, path = "/v1/user-attributes/{name}",
    params(("name" = AttributeName, Path, description = "The attribute's name."), IfMatch), request_body = ChangeBody,
    responses(
        (status = 200, description = "The attribute as it is now.", body = AttributeBody),
        (status = 403, description = "`forbidden`: only API Owners manage attributes."),
        (status = 409, description = "`too-many-attributes`: there are at most 30, of at most 64 KiB together."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<AttributeBody>), Problem> {
    let (caller, mut before) = open(&app, &session).await?;
    let meant = before.named(&name).ok_or(ChangeError::Unknown)?.clone();
    let shown = AttributeBody::from(meant.clone()).fields();
    let change = payload.read_with(|fields| Some(Change::read(fields, &meant.kind, &shown)))?;
    let now = app.clock.now();
    let origin = request.origin(Actor::User(caller.id), now);
    for _ in 0..MAX_TRIES {
        let old = find(&before, &name, &meant.id)?;
        if !if_match.allows(old.version) {
            return Err(ChangeError::VersionMismatch.into());
        }
        let new = change.clone().over(old, now);
        if new == *old {
            return Ok((ETag(new.version), Json(new.into())));
        }
        let after = before.replacing(&new).map_err(ChangeError::Refused)?;
        match app.store.change_attributes(&before, &after, (old, Some(&new)), &origin).await? {
            AttributesChange::Done => return Ok((ETag(new.version), Json(new.into()))),
            AttributesChange::Overtaken => before = app.store.attributes().await?,
        }
    }
    Err(ChangeError::Overtaken.into())
}

/// The attribute that the caller means: not one that was defined anew under its name.
fn find<'a>(all: &'a Definitions, name: &str, id: &AttributeId) -> Result<&'a Definition, ChangeError> {
    all.named(name).filter(|definition| definition.id == *id).ok_or(ChangeError::Unknown)
}

#[cfg(test)]
pub(crate) mod tests;
