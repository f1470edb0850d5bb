//! How people are shown.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{AnyOfBuilder, Schema},
    },
};

use super::{AttributeValues, Instant};
use crate::{
    domain::{
        email::Email,
        ids::{OrganisationId, TeamId, UserId},
        name::Name,
        rights,
        suppression::MailStatus,
        user::{Role, Source, Status, User},
    },
    store::Places,
};

/// An organisation or team wherever it is named.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Place)]
pub struct PlaceBody {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Name,
}

impl PlaceBody {
    /// An organisation; `None` where it is gone.
    #[must_use]
    pub fn organisation(id: &OrganisationId, places: &Places) -> Option<Self> {
        Some(Self { id: id.to_string(), name: places.organisation(id)?.clone() })
    }

    /// A team; `None` where it is gone.
    #[must_use]
    pub fn team(id: &TeamId, places: &Places) -> Option<Self> {
        Some(Self { id: id.to_string(), name: places.team(id)?.clone() })
    }

    /// Teams. One that is being deleted has lost its row, and with it its name: it is not shown any more.
    #[must_use]
    pub fn teams(ids: &[TeamId], places: &Places) -> Vec<Self> {
        ids.iter().filter_map(|id| Self::team(id, places)).collect()
    }
}

/// A person, as admins, owners and they themselves see them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    id: UserId,
    #[schema(value_type = Email)]
    email: String,
    first_name: Name,
    last_name: Name,
    status: Status,
    role: Role,
    organisation: Option<PlaceBody>,
    /// The teams that they are in.
    teams: Vec<PlaceBody>,
    /// Whether the next login asks for another password.
    must_change_password: bool,
    source: Source,
    mail_status: MailStatus,
    #[schema(value_type = AttributeValues)]
    attributes: Map<String, Value>,
    created_at: Instant,
    updated_at: Instant,
    last_login_at: Option<Instant>,
}

impl UserBody {
    /// `person` as `caller` sees them: teams that are not the caller's are not shown, nor attributes that they may not
    /// see.
    #[must_use]
    pub fn new(caller: &User, person: User, places: &Places) -> Self {
        let teams = PlaceBody::teams(&rights::visible_teams(caller, &person), places);
        let organisation = person.organisation_id.as_ref().and_then(|id| PlaceBody::organisation(id, places));
        let attributes = rights::visible_attributes(caller, &person, places.attributes());
        Self {
            id: person.id,
            email: person.email.into(),
            first_name: person.first_name,
            last_name: person.last_name,
            status: person.status,
            role: person.role,
            organisation,
            teams,
            must_change_password: person.must_change_password,
            source: person.source,
            mail_status: person.mail_status,
            attributes,
            created_at: Instant(person.created_at),
            updated_at: Instant(person.updated_at),
            last_login_at: person.last_login_at.map(Instant),
        }
    }
}

/// A person in a list: whole for admins and owners, without what is none of a Team Member's business.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum ListedPerson {
    /// As admins and owners see them.
    Whole(Box<UserBody>),
    /// As Team Members see them.
    Brief(BriefBody),
}

/// A person, as Team Members see them in lists.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BriefUser)]
pub struct BriefBody {
    id: UserId,
    first_name: Name,
    last_name: Name,
    #[schema(value_type = Email)]
    email: String,
    status: Status,
    role: Role,
    /// The teams shared with the caller.
    teams: Vec<PlaceBody>,
}

// Not derived: whoever is shown whole fits the brief shape too, so that it is any of the two and not exactly one.
impl PartialSchema for ListedPerson {
    fn schema() -> RefOr<Schema> {
        let shapes = AnyOfBuilder::new()
            .description(Some("A person in a list: whole for admins and owners, in brief for Team Members."))
            .item(Ref::from_schema_name(UserBody::name()))
            .item(Ref::from_schema_name(BriefBody::name()));
        shapes.into()
    }
}

impl ToSchema for ListedPerson {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ListedUser")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        UserBody::schemas(schemas);
        BriefBody::schemas(schemas);
        let shapes = [(UserBody::name(), UserBody::schema()), (BriefBody::name(), BriefBody::schema())];
        schemas.extend(shapes.map(|(name, shape)| (name.into_owned(), shape)));
    }
}

impl ListedPerson {
    /// `person` as `caller` sees them in a list.
    #[must_use]
    pub fn new(caller: &User, person: User, places: &Places) -> Self {
        if rights::sees_details_in_lists(caller) {
            return Self::Whole(Box::new(UserBody::new(caller, person, places)));
        }
        let teams = PlaceBody::teams(&rights::visible_teams(caller, &person), places);
        Self::Brief(BriefBody {
            id: person.id,
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email.into(),
            status: person.status,
            role: person.role,
            teams,
        })
    }
}
