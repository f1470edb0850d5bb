//! `PATCH /v1/users/{id}`: changes what is named of a person and leaves the rest.

use axum::{Json, extract::State};
use serde_json::{Map, Value};
use shared::{
    address_change::tell_cognito,
    domain::{
        Fault,
        attribute::{Definitions, Writer, merge},
        audit::Actor,
        change_of_person::{ChangeOfPerson, NotChanged, WantedPlace},
        email::Email,
        ids::{OrganisationId, TeamId, UserId},
        name::Name,
        organisation::{MAX_TEAMS, Placement},
        rights::{Action, Why, changes_attributes, decide},
        user::{Role, User},
    },
    http::{
        AttributeValues, ETag, FieldFault, Fields, IfMatch, PathId, Payload, Problem, RequestId, Session, UserBody,
        admit, choice, items, object, text,
    },
    store::{AddressFacts, PersonChanged, Places, Placing, Stage},
};
use utoipa::ToSchema;

use crate::App;

/// How often a change is made again over somebody else's, before the caller is told to try later.
pub(crate) const MAX_TRIES: usize = 5;

/// What is named; the rest stays.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeUser)]
#[expect(dead_code, reason = "written down, not read: what a field may be depends on who sends it")]
struct ChangeBody {
    /// First name.
    #[schema(nullable = false)]
    first_name: Option<Name>,
    /// Last name.
    #[schema(nullable = false)]
    last_name: Option<Name>,
    /// Another address, by an API Owner.
    #[schema(nullable = false)]
    email: Option<Email>,
    /// What they may do.
    #[schema(nullable = false)]
    role: Option<Role>,
    /// Another organisation, by an API Owner; none where they are or become one.
    organisation_id: Option<OrganisationId>,
    /// Their teams: all of them, or a Consumer Admin's own among them.
    #[schema(nullable = false, max_items = 20)]
    team_ids: Option<Vec<TeamId>>,
    /// Only `ok`, by an API Owner: mail is sent to their address again.
    #[schema(nullable = false, pattern = "^ok$")]
    mail_status: Option<String>,
    /// Values of custom attributes, by an API Owner; those that are not named stay, `null` clears one.
    attributes: Option<AttributeValues>,
}

/// Reads what is named: names, address, role and place, and the attributes (by name), which only an API Owner changes.
fn read(
    fields: &mut Fields,
    caller: &User,
    before: &User,
    definitions: &Definitions,
) -> (ChangeOfPerson, Option<Map<String, Value>>) {
    let person = ChangeOfPerson {
        first_name: fields.replace("first_name", text(Name::parse)),
        last_name: fields.replace("last_name", text(Name::parse)),
        email: fields.replace("email", text(Email::parse)),
        role: fields.replace("role", choice(Role::parse)),
        organisation_id: fields.change("organisation_id", choice(OrganisationId::parse)),
        team_ids: fields.replace("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(Fault::no_such_team))),
        // The only change that there is: what becomes of mails is not for anybody to say.
        allow_mail: fields.replace("mail_status", choice(|word| (word == "ok").then_some(()))).is_some(),
    };
    if !changes_attributes(caller) {
        if fields.is_given("attributes") {
            drop(fields.optional("attributes", object));
            fields.fault("attributes", Fault::new("not_allowed", "Only an API Owner changes attributes of others."));
        }
        return (person, None);
    }
    let attributes = fields.attribute_change(definitions, &before.attributes, Writer::Owner);
    (person, attributes)
}

/// Why a person stays as they are.
#[derive(Debug)]
pub enum ChangeError {
    /// There is no such person.
    Unknown,
    /// They are of another version than the caller has seen.
    VersionMismatch,
    /// Somebody wants to change their own role.
    OwnRole,
    /// The caller was an API Owner when they were first read, and sent what only these change.
    NoOwnerAnyMore,
    /// What is named cannot be.
    Refused(Vec<NotChanged>),
    /// Attributes cannot be what was sent.
    Attributes(Vec<FieldFault>),
    /// There is no such organisation.
    NoSuchOrganisation,
    /// The organisation has no such team.
    NoSuchTeam,
    /// Somebody else has the address.
    EmailTaken,
    /// Another address needs a mail, and there is no sender.
    NoSender,
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// They, or whoever has the address, are just being created, or others kept changing them at the same time.
    Busy,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown => Self::not_found(),
            ChangeError::VersionMismatch => Self::version_mismatch(),
            ChangeError::OwnRole => Self::forbidden(Why::OnOneself),
            ChangeError::NoOwnerAnyMore => Self::forbidden(Why::OwnersOnly),
            ChangeError::Refused(faults) => Self::validation(&faults.into_iter().map(told).collect::<Vec<_>>()),
            ChangeError::Attributes(faults) => Self::validation(&faults),
            ChangeError::NoSuchOrganisation => Self::unknown_organisation(),
            ChangeError::NoSuchTeam => Self::unknown_team(),
            ChangeError::EmailTaken => Self::email_taken(),
            ChangeError::NoSender => Self::mail_not_configured(),
            ChangeError::LastOwner => Self::last_api_owner(),
            ChangeError::Busy => Self::try_again(1),
        }
    }
}

fn told(fault: NotChanged) -> FieldFault {
    let (field, code, detail) = match fault {
        NotChanged::OwnRole => ("role", "not_allowed", "Nobody changes their own role."),
        NotChanged::MailStatusNotYours => ("mail_status", "not_allowed", "Only an API Owner lets mail be sent again."),
        NotChanged::EmailNotYours => ("email", "not_allowed", "Only an API Owner changes addresses."),
        NotChanged::RoleNotYours => ("role", "not_allowed", "Only an API Owner makes API Owners."),
        NotChanged::OrganisationNotYours => ("organisation_id", "not_allowed", "Only an API Owner moves people."),
        NotChanged::TeamNotYours => ("team_ids", "unknown_team", "Name teams of your own."),
        NotChanged::TeamsMissing => ("team_ids", "required", "Name one or more of your teams."),
        NotChanged::TooManyTeams => {
            ("team_ids", "too_many", "A person is in at most 20 teams, those elsewhere included.")
        }
        NotChanged::OwnerHasNoOrganisation => ("organisation_id", "not_allowed", "API Owners have no organisation."),
        NotChanged::OwnerHasNoTeams => ("team_ids", "not_allowed", "API Owners have no teams."),
        NotChanged::OrganisationMissing => ("organisation_id", "required", "Everybody but API Owners is in one."),
    };
    FieldFault::new(field, Fault::new(code, detail))
}

impl From<Vec<NotChanged>> for ChangeError {
    fn from(faults: Vec<NotChanged>) -> Self {
        if faults.contains(&NotChanged::OwnRole) { Self::OwnRole } else { Self::Refused(faults) }
    }
}

/// Changes a person, with effect for their very next request. Two changes at once are made one after the other, unless
/// the caller names the version to start from.
#[utoipa::path(
    patch, path = "/v1/users/{id}",
    params(("id" = UserId, Path, description = "The person."), IfMatch), request_body = ChangeBody,
    responses(
        (status = 200, description = "The person as they are now.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners, and Consumer Admins of a shared team, change people, and \
            nobody their own role."),
        (status = 409, description = "`email-taken`: somebody else has the address. `mail-not-configured`: nobody can be told \
            of another address. `last-api-owner`: the portal keeps at least one."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<UserBody>), Problem> {
    let id = UserId::parse(&id);
    let (mut caller, mut before, mut places) = parties(&app, &session, id.as_ref()).await?;
    let (change, attributes) = payload.read_with(|fields| Some(read(fields, &caller, &before, places.attributes())))?;
    let now = app.clock.now();
    let origin = request.origin(Actor::User(caller.id.clone()), now);
    for _ in 0..MAX_TRIES {
        if !if_match.allows(before.version) {
            return Err(ChangeError::VersionMismatch.into());
        }
        if before.identity_due.is_some() {
            return Err(ChangeError::Busy.into());
        }
        let (mut after, wanted) = change.over(&caller, &before).map_err(ChangeError::from)?;
        if let Some(attributes) = &attributes {
            if !changes_attributes(&caller) {
                return Err(ChangeError::NoOwnerAnyMore.into());
            }
            let merged = merge(places.attributes(), &before.attributes, attributes, Writer::Owner);
            let faults = |faults| ChangeError::Attributes(FieldFault::of_attributes(faults).collect());
            after.attributes = merged.map_err(faults)?;
        }
        let place = match wanted {
            Some(wanted) => Some(find(&app, &caller, after.role, wanted).await?),
            None => None,
        };
        let facts = readdressing(&app, &before, &after).await?;
        if let Some(facts) = facts.as_ref().filter(|_| !change.allow_mail) {
            after.mail_status = facts.mail_status;
        }
        let after = after.placed(place).following(&before, now);
        app.store.complete_places(&mut places, std::slice::from_ref(&after)).await?;
        if after != before || change.allow_mail {
            let written = match &facts {
                Some(facts) => {
                    let written = (&before, &after, &places);
                    app.store.readdress_person(&caller, written, facts, change.allow_mail, &origin).await?
                }
                None => app.store.change_person(&caller, &before, &after, &places, change.allow_mail, &origin).await?,
            };
            match written {
                PersonChanged::Done if facts.is_some() => {
                    tell_cognito(&app.store, &app.identity, &after, &origin).await;
                }
                PersonChanged::Done => {}
                PersonChanged::Overtaken(_) | PersonChanged::CallerChanged => {
                    (caller, before, places) = parties(&app, &session, id.as_ref()).await?;
                    continue;
                }
                PersonChanged::EmailTaken(known) if known.stage == Stage::Unfinished => {
                    return Err(ChangeError::Busy.into());
                }
                PersonChanged::EmailTaken(_) => return Err(ChangeError::EmailTaken.into()),
                PersonChanged::LastOwner => return Err(ChangeError::LastOwner.into()),
                PersonChanged::NoSuchTeam => return Err(ChangeError::NoSuchTeam.into()),
                PersonChanged::Gone => return Err(ChangeError::Unknown.into()),
            }
        }
        return Ok((ETag(after.version), Json(UserBody::new(&caller, after, &places))));
    }
    Err(ChangeError::Busy.into())
}

/// Who changes whom, as both now stand in the table, with the names of places that come with them.
async fn parties(app: &App, session: &Session, id: Option<&UserId>) -> Result<(User, User, Places), Problem> {
    let (caller, person, places) =
        app.store.caller_and_person(&session.user_id, id.unwrap_or(&session.user_id)).await?;
    let caller = admit(session, caller)?;
    // Who changes nobody at all is told before anybody is looked for.
    decide(&caller, Action::ChangePerson(&caller))?;
    let person = person.filter(|_| id.is_some()).ok_or(ChangeError::Unknown)?;
    decide(&caller, Action::ChangePerson(&person))?;
    Ok((caller, person, places))
}

/// What another address is decided from; nothing where it stays.
async fn readdressing(app: &App, before: &User, after: &User) -> Result<Option<AddressFacts>, Problem> {
    if after.email == before.email {
        return Ok(None);
    }
    let facts = app.store.address_facts(before, &after.email).await?;
    if facts.settings.sender.is_none() {
        return Err(ChangeError::NoSender.into());
    }
    Ok(Some(facts))
}

async fn find(app: &App, caller: &User, role: Role, wanted: WantedPlace) -> Result<Placement, Problem> {
    if let Some(place) = wanted.known() {
        return Ok(place);
    }
    match app.store.placing(Some(wanted.organisation_id.clone()), wanted.joined.clone()).await? {
        Placing::At(found) => {
            Ok(wanted.with(caller, role, found).map_err(|fault| ChangeError::Refused(vec![fault]))?)
        }
        Placing::NoSuchOrganisation => Err(ChangeError::NoSuchOrganisation.into()),
        Placing::NoSuchTeam => Err(ChangeError::NoSuchTeam.into()),
    }
}

#[cfg(test)]
mod address;
#[cfg(test)]
mod address_races;
#[cfg(test)]
mod address_unfinished;
#[cfg(test)]
mod attributes;
#[cfg(test)]
mod mail_status;
#[cfg(test)]
mod owners;
#[cfg(test)]
mod races;
#[cfg(test)]
mod rights_lost;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod unfinished;
