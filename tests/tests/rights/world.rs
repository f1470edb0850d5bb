//! A portal with a caller, and somebody and something at every distance from them.

use std::collections::HashMap;

use harness::{Bench, CODE, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::json;
use shared::{
    domain::{
        ids::{OrganisationId, TeamId},
        name::Name,
        organisation::Placement,
        user::{Role, Status},
    },
    store::Requested,
};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Anonymous,
    /// With a session that was opened before they were to wait again.
    Pending,
    /// With a session that was opened before they were switched off.
    Inactive,
    TeamMember,
    ConsumerAdmin,
    ApiOwner,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Anonymous, Self::Pending, Self::Inactive, Self::TeamMember, Self::ConsumerAdmin, Self::ApiOwner];
}

/// How far what a call is about is from the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The caller, or what is of their own team and made by them.
    Oneself,
    /// Of a team that the caller is in.
    OwnTeam,
    /// Of a team of the caller's organisation that the caller is not in.
    SameOrganisation,
    /// Of another organisation.
    OtherOrganisation,
    /// Of the Default Organisation.
    DefaultOrganisation,
}

impl Relation {
    pub const ALL: [Self; 5] =
        [Self::Oneself, Self::OwnTeam, Self::SameOrganisation, Self::OtherOrganisation, Self::DefaultOrganisation];
}

/// What a call can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    Person,
    Invitation,
    InviteCode,
    Attribute,
    OrganisationRequest,
}

/// The portal. What a call is about is made when it is first asked for.
pub struct World {
    pub bench: Bench,
    /// Who calls; `None` for one without a token.
    pub caller: Option<SignedIn>,
    kind: Kind,
    owner: SignedIn,
    acme: OrganisationId,
    acme_teams: Vec<TeamId>,
    other: OrganisationId,
    other_teams: Vec<TeamId>,
    made: HashMap<(Subject, Relation), String>,
}

impl World {
    pub async fn new(kind: Kind) -> Self {
        let bench = Bench::new().await;
        let (acme, acme_teams) = bench.organisation("Acme", 2).await;
        let (other, other_teams) = bench.organisation("Other", 1).await;
        let owner = bench.signed_in("first.owner@example.com", Role::ApiOwner).await;
        let mut world =
            Self { bench, caller: None, kind, owner, acme, acme_teams, other, other_teams, made: HashMap::new() };
        world.caller = world.caller(kind).await;
        world
    }

    async fn caller(&self, kind: Kind) -> Option<SignedIn> {
        let (role, status) = match kind {
            Kind::Anonymous => return None,
            Kind::Pending => (Role::ConsumerAdmin, Status::Pending),
            Kind::Inactive => (Role::ConsumerAdmin, Status::Inactive),
            Kind::TeamMember => (Role::TeamMember, Status::Active),
            Kind::ConsumerAdmin => (Role::ConsumerAdmin, Status::Active),
            Kind::ApiOwner => (Role::ApiOwner, Status::Active),
        };
        let place = (role != Role::ApiOwner).then(|| self.place(Relation::OwnTeam));
        let user = self.bench.person_at("caller@example.com", role, Status::Active, place).await;
        let caller = self.bench.sign_in(&user).await;
        if status != Status::Active {
            self.bench.overwrite(&user.id, "status", &json!(status)).await;
        }
        Some(caller)
    }

    /// Where things are that stand in `relation` to a consumer who calls.
    pub fn place(&self, relation: Relation) -> Placement {
        let at = |organisation: &OrganisationId, team: &TeamId| Placement {
            organisation_id: organisation.clone(),
            team_ids: vec![team.clone()],
        };
        match relation {
            Relation::Oneself | Relation::OwnTeam => at(&self.acme, &self.acme_teams[1]),
            Relation::SameOrganisation => at(&self.acme, &self.acme_teams[2]),
            Relation::OtherOrganisation => at(&self.other, &self.other_teams[1]),
            Relation::DefaultOrganisation => Placement::default_place(),
        }
    }

    /// The id, or code, of what stands in `relation` to the caller.
    pub async fn subject(&mut self, subject: Subject, relation: Relation) -> String {
        if let Some(made) = self.made.get(&(subject, relation)) {
            return made.clone();
        }
        let made = match subject {
            Subject::Person => self.person(relation).await,
            Subject::Invitation => self.invitation(relation).await,
            Subject::InviteCode => self.code(relation).await,
            Subject::Attribute => self.attribute(relation).await,
            Subject::OrganisationRequest => self.organisation_request(relation).await,
        };
        self.made.insert((subject, relation), made.clone());
        made
    }

    async fn person(&self, relation: Relation) -> String {
        if let (Some(caller), Relation::Oneself) = (&self.caller, relation) {
            return caller.user.id.to_string();
        }
        let (address, place) = (format!("{relation:?}@example.com"), Some(self.place(relation)));
        self.bench.person_at(&address, Role::TeamMember, Status::Active, place).await.id.to_string()
    }

    /// An invitation into a place; `Oneself` is one that the caller sent, where they may send any.
    async fn invitation(&self, relation: Relation) -> String {
        let place = self.place(relation);
        let body = |organisation: Option<&OrganisationId>| {
            json!({
                "email": format!("invited.{relation:?}@example.com"), "first_name": "Ada", "last_name": "Lovelace",
                "team_ids": place.team_ids, "organisation_id": organisation,
            })
        };
        let invites = matches!(self.kind, Kind::ConsumerAdmin | Kind::ApiOwner) && relation == Relation::Oneself;
        let sender = self.caller.as_ref().filter(|_| invites).unwrap_or(&self.owner);
        let organisation = (sender.user.role == Role::ApiOwner).then_some(&place.organisation_id);
        self.done(Sample::of("invite-create").by(sender).body(&body(organisation))).await
    }

    async fn code(&self, relation: Relation) -> String {
        let (place, text) = (self.place(relation), format!("{CODE}-{}", relation as u8));
        let code = self.bench.invite_code(&text, |code| {
            code.team_id = place.team_ids[0].clone();
            code.organisation_id = place.organisation_id;
        });
        code.await;
        text
    }

    /// A request of somebody in the Default Organisation: nobody else can make one.
    async fn organisation_request(&self, relation: Relation) -> String {
        let requester =
            self.bench.person(&format!("requester.{relation:?}@example.com"), Role::TeamMember, Status::Active).await;
        let (name, origin) = (Name::given("Engines"), self.bench.origin());
        let asked = self.bench.store.request_organisation(&requester, name, &[], &origin).await.unwrap();
        let Requested::Done(request) = asked else { panic!("{asked:?}") };
        request.id.to_string()
    }

    /// The portal's own, whoever calls.
    async fn attribute(&self, relation: Relation) -> String {
        let name = format!("attribute_{}", relation as u8);
        self.bench.attribute(&name, |_| {}).await;
        name
    }

    async fn done(&self, sample: Sample) -> String {
        self.bench.advance(SignedDuration::from_millis(1));
        let reply = crate::functions::send(&self.bench, sample).await;
        assert!(reply.status < 300, "{reply:?}");
        reply.body["id"].as_str().unwrap().to_owned()
    }
}
