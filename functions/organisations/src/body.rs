//! How organisations and teams are shown, and what their routes have in common.

use axum::Json;
use jiff::SignedDuration;
use serde::Serialize;
use shared::{
    domain::{
        Fault,
        idempotency::Repeatable,
        ids::{OrganisationId, TeamId},
        name::Name,
        organisation::{Organisation, Team},
        rights::{Action, decide},
        user::User,
    },
    http::{ETag, Fields, FromFields, Instant, PathIds, Problem, Session, admit, text},
    store::Record,
};
use utoipa::ToSchema;

use crate::App;

/// An organisation, as API Owners see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organisation)]
pub struct OrganisationBody {
    id: OrganisationId,
    name: Name,
    /// Whether it is the Default Organisation.
    default: bool,
    created_at: Instant,
    updated_at: Instant,
}

impl OrganisationBody {
    /// `organisation` with its version.
    pub(crate) fn tagged(organisation: Organisation) -> (ETag, Json<Self>) {
        (ETag(organisation.version), Json(organisation.into()))
    }
}

impl From<Organisation> for OrganisationBody {
    fn from(organisation: Organisation) -> Self {
        Self {
            default: organisation.is_default(),
            id: organisation.id,
            name: organisation.name,
            created_at: Instant(organisation.created_at),
            updated_at: Instant(organisation.updated_at),
        }
    }
}

/// A team, as API Owners see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub struct TeamBody {
    id: TeamId,
    organisation_id: OrganisationId,
    name: Name,
    /// Whether it is the default team of its organisation.
    default: bool,
    created_at: Instant,
    updated_at: Instant,
}

impl TeamBody {
    /// `team` with its version.
    pub(crate) fn tagged(team: Team, default: bool) -> (ETag, Json<Self>) {
        (ETag(team.version), Json(Self::new(team, default)))
    }

    /// `team`, which is or is not its organisation's default team.
    #[must_use]
    pub fn new(team: Team, default: bool) -> Self {
        Self {
            id: team.id,
            organisation_id: team.organisation_id,
            name: team.name,
            default,
            created_at: Instant(team.created_at),
            updated_at: Instant(team.updated_at),
        }
    }
}

/// How long a request that deletes goes on moving people before it asks for a repeat: the function has 20 seconds.
pub(crate) const WORKING_TIME: SignedDuration = SignedDuration::from_secs(12);

/// Lets an API Owner in and finds the organisation of the path, in one batch. Rights come first. One that is being
/// deleted is gone.
///
/// # Errors
/// 401, 403, and 404 where there is no such organisation.
pub(crate) async fn open(app: &App, session: &Session, id: &str) -> Result<(User, Organisation), Problem> {
    let (caller, organisation, _) = open_once(app, session, id, None).await?;
    Ok((caller, organisation))
}

/// The same for a creation in the organisation, with the record of its first request where it may be a repeat.
///
/// # Errors
/// As [`open`].
pub(crate) async fn open_once(
    app: &App,
    session: &Session,
    id: &str,
    sought: Option<&Repeatable>,
) -> Result<(User, Organisation, Option<Record>), Problem> {
    let (caller, organisation, record) = find_once(app, session, id, sought).await?;
    if organisation.is_being_deleted() {
        return Err(Problem::not_found());
    }
    Ok((caller, organisation, record))
}

/// The same, also for an organisation that is being deleted.
///
/// # Errors
/// 401, 403, and 404 where there is no such organisation.
pub(crate) async fn find(app: &App, session: &Session, id: &str) -> Result<(User, Organisation), Problem> {
    let (caller, organisation, _) = find_once(app, session, id, None).await?;
    Ok((caller, organisation))
}

async fn find_once(
    app: &App,
    session: &Session,
    id: &str,
    sought: Option<&Repeatable>,
) -> Result<(User, Organisation, Option<Record>), Problem> {
    // An id that cannot be one is looked up as another, which tells nothing and keeps the order of checks.
    let id = OrganisationId::parse(id);
    let looked_up = id.clone().unwrap_or_else(OrganisationId::default_organisation);
    let (caller, organisation, record) =
        app.store.caller_organisation_and_record(&session.user_id, &looked_up, sought).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::ManageOrganisations)?;
    let organisation = organisation.filter(|_| id.is_some());
    Ok((caller, organisation.ok_or_else(Problem::not_found)?, record))
}

/// The ids in a path, and whether they can be ids at all: others are looked up instead, which tells nothing and keeps
/// the order of checks.
pub(crate) fn place_of(PathIds(id, team_id): &PathIds) -> ((OrganisationId, TeamId), bool) {
    let ids = OrganisationId::parse(id).zip(TeamId::parse(team_id));
    let named = ids.is_some();
    (ids.unwrap_or_else(|| (OrganisationId::default_organisation(), TeamId::default_team())), named)
}

/// Lets an API Owner in and finds the team of the path, which is its organisation's, in one batch.
///
/// # Errors
/// 401, 403, and 404 where there is no such organisation, or it has no such team.
pub(crate) async fn open_team(
    app: &App,
    session: &Session,
    path: &PathIds,
) -> Result<(User, Organisation, Team), Problem> {
    let ((id, team_id), named) = place_of(path);
    let (caller, organisation, team) = app.store.caller_and_team(&session.user_id, &id, &team_id).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::ManageOrganisations)?;
    let place = organisation.zip(team).filter(|(organisation, team)| {
        named && team.organisation_id == organisation.id && !organisation.is_being_deleted()
    });
    let (organisation, team) = place.ok_or_else(Problem::not_found)?;
    Ok((caller, organisation, team))
}

/// Another name.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = Rename)]
pub(crate) struct Rename {
    /// The name; absent, the one that is there stays.
    #[schema(nullable = false)]
    pub name: Option<Name>,
}

impl FromFields for Rename {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.change("name", text(Name::parse));
        if matches!(name, Some(None)) {
            fields.fault("name", Fault::new("required", "This always has a value."));
        }
        Some(Self { name: name.flatten() })
    }
}

/// Why a name stays as it is.
#[derive(Debug)]
pub(crate) enum RenameError {
    /// What it would be the name of was deleted a moment ago.
    Gone,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing it at the same time.
    Overtaken,
}

impl From<RenameError> for Problem {
    fn from(error: RenameError) -> Self {
        match error {
            RenameError::Gone => Self::not_found(),
            RenameError::VersionMismatch => Self::version_mismatch(),
            RenameError::Overtaken => Self::try_again(1),
        }
    }
}

/// How often a change is made again over somebody else's, before the caller is told to try later.
pub(crate) const MAX_TRIES: usize = 5;

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use harness::portal;
    use harness::{Bench, Reply, Sample, SignedIn};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::{
        domain::{
            ids::UserId,
            organisation::Placement,
            user::{Role, Status},
        },
        store::Renaming,
    };

    use super::*;
    use crate::router;

    /// The sample of each route.
    pub(crate) const SAMPLES: [&str; 9] = [
        "organisations-list",
        "organisations-create",
        "organisations-read",
        "organisations-list-teams",
        "organisations-create-team",
        "organisations-change",
        "organisations-change-team",
        "organisations-delete",
        "organisations-delete-team",
    ];

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), clock: bench.clock.clone() }
    }

    pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
        bench.advance(SignedDuration::from_millis(1));
        request.send(router(app(bench))).await
    }

    /// An organisation of that name, as it is answered.
    pub(crate) async fn organisation(bench: &Bench, owner: &SignedIn, name: &str) -> Value {
        let sample = Sample::of("organisations-create").by(owner).body(&json!({"name": name}));
        let reply = send(bench, sample).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body
    }

    /// Renames an organisation as another API Owner does.
    pub(crate) fn rename(bench: &Bench, id: &str, name: &str) -> impl Future<Output = ()> + Send + use<> {
        let (store, origin) = (bench.store.clone(), bench.origin());
        let (id, name) = (OrganisationId::parse(id).unwrap(), Name::parse(name).unwrap());
        async move {
            let nobody = UserId::new(origin.now, 0);
            let before = store.caller_and_organisation(&nobody, &id).await.unwrap().1.unwrap();
            let after = before.renamed(name, origin.now);
            let renamed = store.rename_organisation(&before, &after, &origin).await.unwrap();
            assert!(matches!(renamed, Renaming::Done), "{renamed:?}");
        }
    }

    /// Renames a team as another API Owner does.
    pub(crate) fn rename_team(
        bench: &Bench,
        id: &OrganisationId,
        team: &TeamId,
        name: &str,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (store, origin) = (bench.store.clone(), bench.origin());
        let (id, team, name) = (id.clone(), team.clone(), Name::parse(name).unwrap());
        async move {
            let nobody = UserId::new(origin.now, 0);
            let before = store.caller_and_team(&nobody, &id, &team).await.unwrap().2.unwrap();
            let after = before.renamed(name, origin.now);
            let renamed = store.rename_team(&before, &after, &origin).await.unwrap();
            assert!(matches!(renamed, Renaming::Done), "{renamed:?}");
        }
    }

    pub(crate) fn names(reply: &Reply) -> Vec<&str> {
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn only_api_owners_are_let_in_whatever_the_request_holds() {
        let (bench, _) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 0).await;
        let place = Some(Placement { organisation_id: acme.clone(), team_ids: teams });
        let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, place).await;
        let callers = [bench.sign_in(&admin).await, bench.signed_in("ada@example.com", Role::TeamMember).await];
        for name in SAMPLES {
            for caller in &callers {
                let mut sample = Sample::of(name).by(caller).query("limit=junk");
                if !sample.event()["pathParameters"]["id"].is_null() {
                    sample = sample.id(&acme);
                }
                if ["POST", "PATCH"].contains(&sample.event()["requestContext"]["http"]["method"].as_str().unwrap()) {
                    sample = sample.raw_body("{", "text/plain");
                }
                let reply = send(&bench, sample).await;
                assert_eq!((reply.status, reply.problem()), (403, "forbidden"), "{name}");
            }
        }
    }

    #[tokio::test]
    async fn a_token_that_does_not_count_is_refused_on_every_route() {
        let (bench, owner) = portal().await;
        for name in SAMPLES {
            let ask = || Sample::of(name).by(&owner);
            for sample in [ask().without_token(), ask().claim("token_use", "id"), ask().claim("origin_jti", "another")]
            {
                let reply = send(&bench, sample).await;
                assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"), "{name}");
            }
        }
    }

    #[tokio::test]
    async fn an_unknown_organisation_is_not_found_on_every_route_that_names_one() {
        let (bench, owner) = portal().await;
        let unknown = OrganisationId::new(bench.now(), 7).to_string();
        for name in SAMPLES.into_iter().filter(|name| !Sample::of(name).event()["pathParameters"]["id"].is_null()) {
            for id in [unknown.as_str(), "org_junk", "team_00000000000000000000000000"] {
                let reply = send(&bench, Sample::of(name).by(&owner).id(id)).await;
                assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{name} {id}");
            }
        }
    }
}
