//! `GET /v1/users/{id}/access`: why somebody sees what they see.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    domain::{
        ids::UserId,
        rights::{self, Action, Sight, decide, makes_visible, sight},
        user::{Role, Status, User},
    },
    http::{PathId, PlaceBody, Problem, Session, admit},
    store::Places,
};
use utoipa::ToSchema;

use crate::App;

/// What somebody sees, and the reasons.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Access)]
pub struct AccessBody {
    user_id: UserId,
    status: Status,
    role: Role,
    organisation: Option<PlaceBody>,
    /// Those of their teams that the caller is shown.
    teams: Vec<TeamAccess>,
    people: PeopleAccess,
}

/// What a team adds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamAccess)]
struct TeamAccess {
    #[serde(flatten)]
    team: PlaceBody,
    /// As what they are in it.
    role: Role,
    /// Whether they see its people.
    shows_people: bool,
    /// Why, in a sentence.
    reason: &'static str,
}

/// Whom they see, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeopleAccess)]
struct PeopleAccess {
    /// Whom.
    #[schema(value_type = Sight)]
    sees: &'static str,
    /// Why, in a sentence.
    reason: &'static str,
}

impl AccessBody {
    /// The access of `person`, with the teams that `caller` is shown.
    fn new(caller: &User, person: &User, places: &Places) -> Self {
        let shown = rights::visible_teams(caller, person);
        let teams = shown.iter().filter_map(|id| {
            let visible = makes_visible(id);
            let team = PlaceBody::team(id, places)?;
            let reason = if visible {
                "The people of a team see each other."
            } else {
                "Strangers meet in this team: it shows nobody."
            };
            Some(TeamAccess { team, role: person.role, shows_people: visible, reason })
        });
        Self {
            user_id: person.id.clone(),
            status: person.status,
            role: person.role,
            organisation: person.organisation_id.as_ref().and_then(|id| PlaceBody::organisation(id, places)),
            teams: teams.collect(),
            people: PeopleAccess::of(sight(person, &shown)),
        }
    }
}

impl PeopleAccess {
    fn of(sight: Sight) -> Self {
        let (sees, reason) = match sight {
            Sight::Nobody => ("nobody", "Only who is active gets in."),
            Sight::Oneself => ("oneself", "No team makes anybody visible."),
            Sight::SharedTeams => ("shared_teams", "People who share a team see each other."),
            Sight::Everybody => ("everybody", "API Owners see everybody."),
        };
        Self { sees, reason }
    }
}

/// Why a person's access is not shown.
#[derive(Debug)]
pub enum AccessError {
    /// There is no such person.
    Unknown,
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unknown => Self::not_found(),
        }
    }
}

/// Shows whom somebody sees and by which team, to those who may read them; Consumer Admins are told of shared teams alone.
#[utoipa::path(
    get, path = "/v1/users/{id}/access",
    params(("id" = UserId, Path, description = "The person.")),
    responses(
        (status = 200, description = "Whom the person sees, and by which team.", body = AccessBody),
        (status = 403, description = "`forbidden`: Team Members are told of nobody."),
    ),
)]
pub async fn access(State(app): State<App>, session: Session, PathId(id): PathId) -> Result<Json<AccessBody>, Problem> {
    let id = UserId::parse(&id);
    let (caller, person, mut places) =
        app.store.caller_and_person(&session.user_id, id.as_ref().unwrap_or(&session.user_id)).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::ReadPerson(&caller))?;
    let person = person.filter(|_| id.is_some()).ok_or(AccessError::Unknown)?;
    decide(&caller, Action::ReadPerson(&person))?;
    app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
    Ok(Json(AccessBody::new(&caller, &person, &places)))
}

#[cfg(test)]
mod tests {
    use harness::{Reply, Sample, SignedIn};
    use serde_json::{Value, json};

    use super::*;
    use crate::{change::tests::Acme, list::tests::send};

    async fn access(acme: &Acme, id: &UserId, caller: &SignedIn) -> Reply {
        send(&acme.bench, Sample::of("users-access").id(id).by(caller)).await
    }

    #[tokio::test]
    async fn a_member_sees_the_people_of_their_teams() {
        let acme = Acme::new().await;
        let ada = acme.member("ada", &[1, 3]).await;

        let reply = access(&acme, &ada.id, &acme.owner).await;

        let reason = "The people of a team see each other.";
        let team = |number: usize| {
            let name = format!("Acme team {number}");
            json!({"id": acme.teams[number], "name": name, "role": "team_member", "shows_people": true, "reason": reason})
        };
        let shown = json!({
            "user_id": ada.id, "status": "active", "role": "team_member", "organisation": {"id": acme.id, "name": "Acme"},
            "teams": [team(1), team(3)],
            "people": {"sees": "shared_teams", "reason": "People who share a team see each other."},
        });
        assert_eq!((reply.status, reply.body), (200, shown));
        let to_admin = access(&acme, &ada.id, &acme.admin).await;
        assert_eq!(to_admin.body["teams"], json!([team(1)]));
    }

    #[tokio::test]
    async fn strangers_owners_and_who_is_not_active_are_told_apart() {
        let acme = Acme::new().await;
        let stranger = acme.bench.person("stranger@example.com", Role::ConsumerAdmin, Status::Active).await;
        let inactive = acme.person("inactive", Role::TeamMember, Status::Inactive, &[1]).await;

        let [stranger, owner, inactive] = [&stranger.id, &acme.owner.user.id, &inactive.id];
        let of = async |id| access(&acme, id, &acme.owner).await.body;

        let stranger = of(stranger).await;
        assert_eq!(
            (&stranger["people"]["sees"], &stranger["teams"][0]["shows_people"]),
            (&json!("oneself"), &json!(false))
        );
        let owner = of(owner).await;
        assert_eq!((&owner["people"]["sees"], &owner["organisation"]), (&json!("everybody"), &Value::Null));
        assert_eq!(of(inactive).await["people"]["sees"], "nobody");
    }

    #[tokio::test]
    async fn who_may_not_read_a_person_learns_nothing_of_their_access() {
        let acme = Acme::new().await;
        let elsewhere = acme.member("elsewhere", &[3]).await;
        let member = acme.bench.sign_in(&acme.member("member", &[1]).await).await;

        assert_eq!(access(&acme, &elsewhere.id, &acme.admin).await.problem(), "not-found");
        assert_eq!(access(&acme, &member.user.id, &member).await.problem(), "forbidden");
    }
}
