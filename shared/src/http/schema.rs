//! What the texts of the domain look like in the contract (`docs/openapi.json`); its enums derive their words. A shape says
//! what a client can check before it asks; the rest is judged where the text is read.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, RefOr, Required, SchemaFormat, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{Schema, SchemaType},
    },
};

use super::{IdempotencyKey, IfMatch, Instant};
use crate::domain::{
    attribute::{AttributeName, Pattern},
    email::{Email, MailDomain},
    ids::{AttributeId, EventId, InvitationId, MailId, OrganisationId, OrganisationRequestId, TeamId, UserId},
    invite_code::{Code, FoldedCode, Note},
    name::Name,
    password::Password,
};

/// Gives each type a name and the shape that is built on a string.
macro_rules! texts {
    ($($type:ty = $name:literal: $build:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let build: fn(ObjectBuilder) -> ObjectBuilder = $build;
                build(ObjectBuilder::new().schema_type(Type::String)).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )*};
}

/// The same for ids: a prefix and a time-ordered unique part.
macro_rules! ids {
    ($($type:ty = $name:literal;)*) => {
        texts! {$(
            $type = $name: |text| {
                let example = format!("{}01hq2y7xw8k3m5n9p4r6t0v2bc", <$type>::PREFIX);
                text.pattern(Some(format!("^{}[0-9a-z]{{26}}$", <$type>::PREFIX))).examples([example])
            };
        )*}
    };
}

ids! {
    AttributeId = "AttributeId";
    EventId = "EventId";
    InvitationId = "InvitationId";
    MailId = "MailId";
    OrganisationId = "OrganisationId";
    OrganisationRequestId = "OrganisationRequestId";
    TeamId = "TeamId";
    UserId = "UserId";
}

texts! {
    AttributeName = "AttributeName": |text| text.pattern(Some("^[a-z][a-z0-9_]{0,39}$")).examples(["company_size"]);
    Code = "Code": |text| {
        let text = text.description(Some(
            "A code as it is shown, of at least six letters and digits. Codes that differ only in case, hyphens or \
             look-alikes (o and 0, i, l and 1) are one.",
        ));
        let text = text.min_length(Some(8)).max_length(Some(64)).pattern(Some("^-*([A-Za-z0-9]-*){6,}$"));
        text.examples(["7K2M-9PQR-4TVW-X3YZ"])
    };
    Email = "Email": |text| {
        let text = text.description(Some("An address, without a display name."));
        text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Email))).max_length(Some(254)).examples(["ada@example.com"])
    };
    FoldedCode = "TypedCode": |text| {
        let text = text.description(Some(
            "A code as somebody types it. Case, hyphens and white space do not count; o is 0, i and l are 1.",
        ));
        text.min_length(Some(1)).examples(["7k2m 9pqr 4tvw x3yz"])
    };
    Instant = "Instant": |text| {
        let text = text.description(Some("RFC 3339, in UTC, with three decimals."));
        text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).examples(["2026-01-31T09:30:00.000Z"])
    };
    MailDomain = "MailDomain": |text| {
        text.description(Some("What addresses have behind their `@`.")).max_length(Some(253)).examples(["example.com"])
    };
    Name = "Name": |text| {
        let text = text.description(Some("1 to 100 characters after trimming, in any script, without control characters."));
        text.min_length(Some(1)).max_length(Some(100)).examples(["Ada"])
    };
    Note = "Note": |text| text.min_length(Some(1)).max_length(Some(500)).examples(["For the workshop in May"]);
    Pattern = "Pattern": |text| {
        let text = text.description(Some("A regular expression that the whole text has to match, in the syntax of Rust's `regex`."));
        text.min_length(Some(1)).max_length(Some(500)).examples(["[A-Z]{2}[0-9]{4}"])
    };
    Password = "Password": |text| {
        let text = text.description(Some("Held to the portal's password policy; no white space at either end."));
        let text = text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Password))).write_only(true);
        text.min_length(Some(8)).max_length(Some(256)).examples(["violet tractor 42!"])
    };
}

/// Values of custom attributes by name: the shape of a map whose names are defined in the settings.
#[derive(Debug)]
pub struct AttributeValues;

impl PartialSchema for AttributeValues {
    fn schema() -> RefOr<Schema> {
        let value = SchemaType::from_iter([Type::String, Type::Number, Type::Boolean, Type::Null]);
        let values = ObjectBuilder::new().schema_type(Type::Object).description(Some(
            "Values of custom attributes, by name: a text, a number, true or false, or one of the texts offered. `null` is no value.",
        ));
        let values = values.additional_properties(Some(ObjectBuilder::new().schema_type(value)));
        values.examples([serde_json::json!({"company_size": 40})]).into()
    }
}

impl ToSchema for AttributeValues {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("AttributeValues")
    }
}

/// An answer that says no more than its status: the rest would tell a stranger who has an account.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Empty {}

/// A header that a request may have.
fn header(name: &str, description: &str, shape: Object) -> Vec<Parameter> {
    let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False);
    vec![header.description(Some(description)).schema(Some(shape)).build()]
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Makes repeats of this request one request for 24 hours: same caller, route, key and body.";
        let shape = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
        header("Idempotency-Key", description, shape.pattern(Some("^[!-~]+$")).build())
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "The `ETag` of what was read: anything else that stands there by now is left alone, 412.";
        header("If-Match", description, ObjectBuilder::new().schema_type(Type::String).build())
    }
}

/// The part of a list that is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many entries at most.
    #[param(minimum = 1, maximum = 100, default = 25)]
    #[expect(dead_code, reason = "written down, not read: parameters are read with all their faults")]
    limit: Option<u16>,
    /// Where to go on: the `next_cursor` of a page of the same list.
    #[expect(dead_code, reason = "as above")]
    cursor: Option<String>,
}
