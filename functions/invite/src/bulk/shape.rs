//! What an upload and its answer look like in the contract, where their types do not say it.

use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, Ref, Type,
        schema::{AnyOfBuilder, Array, ArrayBuilder, OneOfBuilder, Schema, SchemaType},
    },
};

use super::rows::MAX_ROWS;
use crate::create::CreateBody;

/// The rows of an upload: invitations, and whatever comes in place of one.
pub(super) fn rows() -> Array {
    let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
    let row = AnyOfBuilder::new().item(Ref::from_schema_name(CreateBody::name())).item(anything);
    let description = "A row for each person; one that is no invitation is `invalid`, and keeps no other back.";
    ArrayBuilder::new().items(row).max_items(Some(MAX_ROWS)).description(Some(description)).build()
}

/// A refusal within an answer.
pub(super) fn problem() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let shape = OneOfBuilder::new().item(Ref::from_schema_name("Problem")).item(null);
    let description = "The answer that a single invitation would have got, where nobody is invited; `duplicate-row` \
        where an earlier row names the address.";
    Schema::OneOf(shape.description(Some(description)).build())
}
