//! `POST /v1/invite-codes`: creates a code, a chosen one or one that is drawn.

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        email::MailDomain,
        ids::{InviteCodeId, TeamId},
        invite_code::{Code, HIGHEST_QUOTA, InviteCode, MAX_DOMAINS, Note},
        organisation::Team,
        rights::{Action, decide},
        user::User,
    },
    http::{
        ETag, FieldFault, Fields, Payload, Problem, RequestId, Session, admit, boolean, instant, integer, items, text,
    },
    store::CodeCreation,
};

use crate::{App, view::shown};

/// How often another code is drawn because there is one that reads the same: with 80 random bits hardly ever once.
const MAX_DRAWS: usize = 5;

/// The code to be.
#[derive(Clone, Debug)]
pub struct Create {
    team_id: TeamId,
    quota: Option<u32>,
    expires_at: Option<Timestamp>,
    active: bool,
    auto_approve: bool,
    code: Option<Code>,
    note: Option<Note>,
    allowed_email_domains: Vec<MailDomain>,
}

impl Create {
    /// Reads the body; an expiry lies after `now`.
    fn read(fields: &mut Fields, now: Timestamp) -> Option<Self> {
        let team_id = fields.required("team_id", text(|id| TeamId::parse(id).ok_or_else(no_such_team)));
        let quota = fields.optional("quota", integer(1, HIGHEST_QUOTA));
        let expires_at = fields.optional("expires_at", |value| match instant(value)? {
            at if at <= now => Err(Fault::new("in_the_past", "This instant is over already.")),
            at => Ok(at),
        });
        let active = fields.optional("active", boolean).unwrap_or(true);
        let auto_approve = fields.optional("auto_approve", boolean).unwrap_or(true);
        let code = fields.optional("code", text(Code::parse));
        let note = fields.optional("note", text(Note::parse));
        let domains = fields.optional("allowed_email_domains", items(MAX_DOMAINS, MailDomain::parse));
        let mut allowed_email_domains: Vec<MailDomain> = Vec::new();
        for domain in domains.unwrap_or_default() {
            if !allowed_email_domains.contains(&domain) {
                allowed_email_domains.push(domain);
            }
        }
        Some(Self { team_id: team_id?, quota, expires_at, active, auto_approve, code, note, allowed_email_domains })
    }

    /// The row of it, with `code` as its text.
    fn row(&self, id: InviteCodeId, code: Code, team: &Team, caller: &User, now: Timestamp) -> InviteCode {
        InviteCode {
            id,
            code,
            team_id: team.id.clone(),
            organisation_id: team.organisation_id.clone(),
            quota: self.quota,
            used: 0,
            expires_at: self.expires_at,
            active: self.active,
            auto_approve: self.auto_approve,
            note: self.note.clone(),
            allowed_email_domains: self.allowed_email_domains.clone(),
            created_by: caller.id.clone(),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

fn no_such_team() -> Fault {
    Fault::new("unknown_team", "There is no such team.")
}

/// Why no code is created.
#[derive(Debug)]
pub enum CreateError {
    /// There is no such team.
    NoSuchTeam,
    /// There is a code that reads the same.
    Taken,
    /// Every code that was drawn is there already.
    NoneFree,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::NoSuchTeam => Self::validation(&[FieldFault::new("team_id", no_such_team())]),
            CreateError::Taken => {
                let detail = "There is a code that reads the same, but for case, hyphens and look-alikes.";
                Self::conflict("invite-code-taken", "Invite code taken", detail)
            }
            CreateError::NoneFree => Self::try_again(1),
        }
    }
}

/// Creates a code into a team.
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    payload: Payload,
) -> Result<impl IntoResponse, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ManageInviteCodes)?;
    let now = app.clock.now();
    let body = payload.read_with(|fields| Create::read(fields, now))?;
    let origin = request.origin(Actor::User(caller.id.clone()), now);
    let team = app.store.team_of_code(&body.team_id).await?.ok_or(CreateError::NoSuchTeam)?;
    let code = write(&app, &body, &team, &caller, &origin).await?;
    let location = format!("/v1/invite-codes/{}", code.code.as_str());
    let location = HeaderValue::from_str(&location).map_err(Problem::internal)?;
    let version = ETag(code.version);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], version, Json(shown(&app, code, now).await?)))
}

/// Writes the chosen code, or draws one until it is free.
async fn write(app: &App, body: &Create, team: &Team, caller: &User, origin: &Origin) -> Result<InviteCode, Problem> {
    for _ in 0..MAX_DRAWS {
        let id = InviteCodeId::new(origin.now, app.random.number());
        let text = body.code.clone().unwrap_or_else(|| Code::generated(app.random.number()));
        let code = body.row(id, text, team, caller, origin.now);
        match app.store.create_invite_code(&code, origin).await? {
            CodeCreation::Done => return Ok(code),
            CodeCreation::NoSuchTeam => return Err(CreateError::NoSuchTeam.into()),
            CodeCreation::Taken if body.code.is_some() => return Err(CreateError::Taken.into()),
            CodeCreation::Taken => {}
        }
    }
    Err(CreateError::NoneFree.into())
}

#[cfg(test)]
pub(crate) mod tests {
    use harness::{Bench, CODE, Reply, Sample, SignedIn};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::{
        domain::{invite_code::FoldedCode, user::Role},
        random::Random,
    };

    use super::*;
    use crate::router;

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), clock: bench.clock.clone(), random: bench.random.clone() }
    }

    /// A portal and an API Owner at work.
    pub(crate) async fn portal() -> (Bench, SignedIn) {
        let bench = Bench::new().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        (bench, owner)
    }

    pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
        bench.advance(SignedDuration::from_millis(1));
        request.send(router(app(bench))).await
    }

    /// Asserts that a request is the API Owners' alone, and that its rights come before anything else of it.
    pub(crate) async fn only_owners(bench: &Bench, owner: &SignedIn, sample: &str) {
        let ask = || Sample::of(sample).raw_body("{", "text/plain").query("limit=none");
        for role in [Role::ConsumerAdmin, Role::TeamMember] {
            let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
            let reply = send(bench, ask().by(&caller)).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"), "{sample}");
        }
        let refused = [ask().by(owner).without_token(), ask().by(owner).claim("token_use", "id")];
        for sample in refused {
            let reply = send(bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
        }
    }

    async fn create(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
        send(bench, Sample::of("invite-codes-create").by(owner).body(body)).await
    }

    #[tokio::test]
    async fn a_code_is_drawn_where_none_is_chosen() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;

        let reply = create(&bench, &owner, &json!({"team_id": teams[1]})).await;

        let code = reply.body["code"].as_str().unwrap().to_owned();
        let groups: Vec<_> = code.split('-').collect();
        assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{code}");
        let shown = json!({
            "code": code,
            "team": {"id": teams[1], "name": "Acme team 1"},
            "organisation": {"id": acme, "name": "Acme"},
            "quota": null,
            "used": 0,
            "remaining": null,
            "expires_at": null,
            "active": true,
            "auto_approve": true,
            "state": "usable",
            "note": null,
            "allowed_email_domains": [],
            "created_by": owner.user.id,
            "created_at": bench.now(),
        });
        assert_eq!((reply.status, &reply.body), (201, &shown));
        assert_eq!(
            (&reply.headers["location"], &reply.headers["etag"]),
            (&json!(format!("/v1/invite-codes/{code}")), &json!("\"1\""))
        );
        let read = send(&bench, Sample::of("invite-codes-read").code(&code).by(&owner)).await;
        assert_eq!(read.body, shown);
    }

    #[tokio::test]
    async fn everything_that_can_be_said_of_a_code_is_kept() {
        let (bench, owner) = portal().await;
        let body = json!({
            "team_id": TeamId::default_team(), "quota": 1_000_000, "expires_at": "2026-03-01T01:00:00+01:00", "active": false,
            "auto_approve": false, "code": "Summer-2026", "note": "For\nthe crew",
            "allowed_email_domains": ["Example.com", "bücher.example", "example.COM"],
        });

        let reply = create(&bench, &owner, &body).await;

        assert_eq!(reply.status, 201);
        let shown = json!([
            reply.body["quota"],
            reply.body["remaining"],
            reply.body["expires_at"],
            reply.body["active"],
            reply.body["auto_approve"],
            reply.body["state"],
            reply.body["code"],
            reply.body["note"],
            reply.body["allowed_email_domains"],
        ]);
        let expected = json!([
            1_000_000,
            1_000_000,
            "2026-03-01T00:00:00.000Z",
            false,
            false,
            "inactive",
            "Summer-2026",
            "For\nthe crew",
            ["example.com", "xn--bcher-kva.example"],
        ]);
        assert_eq!(shown, expected);
    }

    #[tokio::test]
    async fn a_code_that_reads_the_same_is_taken() {
        let (bench, owner) = portal().await;
        bench.invite_code("OIL-RIG-2026", |_| {}).await;
        for code in ["OIL-RIG-2026", "oilrig2026", "01L-R1G-2O26"] {
            let reply = create(&bench, &owner, &json!({"team_id": TeamId::default_team(), "code": code})).await;
            assert_eq!((reply.status, reply.problem()), (409, "invite-code-taken"), "{code}");
        }
    }

    #[tokio::test]
    async fn of_two_creations_of_one_code_at_once_one_wins() {
        let (bench, owner) = portal().await;
        let (rival, body) = (router(app(&bench)), json!({"team_id": TeamId::default_team(), "code": CODE, "quota": 7}));
        let sample = Sample::of("invite-codes-create").by(&owner).body(&body);
        let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 201) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = create(&bench, &owner, &json!({"team_id": TeamId::default_team(), "code": CODE})).await;

        assert_eq!((reply.status, reply.problem()), (409, "invite-code-taken"));
        assert_eq!(bench.code(CODE).await.unwrap().quota, Some(7));
    }

    #[tokio::test]
    async fn a_drawn_code_that_is_there_already_is_drawn_again() {
        let (bench, owner) = portal().await;
        let drawing = |seed| router(App { random: Random::seeded(seed), ..app(&bench) });
        let body = json!({"team_id": TeamId::default_team()});
        let ask = || Sample::of("invite-codes-create").by(&owner).body(&body);

        let first = ask().send(drawing(7)).await;
        let second = ask().send(drawing(7)).await;

        assert_eq!((first.status, second.status), (201, 201));
        assert_ne!(first.body["code"], second.body["code"]);
    }

    #[tokio::test]
    async fn a_team_is_needed_and_has_to_be_there_when_the_code_is_written() {
        let (bench, owner) = portal().await;
        let (_, teams) = bench.organisation("Acme", 0).await;
        for (team, fault) in [
            (json!(null), ("/team_id", "required")),
            (json!("sales"), ("/team_id", "unknown_team")),
            (json!("team_01kf0ev11gzqq463a0qnbxxtp1"), ("/team_id", "unknown_team")),
        ] {
            assert_eq!(create(&bench, &owner, &json!({"team_id": team, "code": CODE})).await.faults(), [fault]);
        }
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.erase_team(&teams[0]));

        let reply = create(&bench, &owner, &json!({"team_id": teams[0], "code": CODE})).await;

        assert_eq!(reply.faults(), [("/team_id", "unknown_team")]);
        assert!(bench.code(CODE).await.is_none());
    }

    #[tokio::test]
    async fn values_have_bounds_and_every_fault_is_named() {
        let (bench, owner) = portal().await;
        let body = json!({
            "team_id": 7, "quota": 0, "expires_at": bench.now() + SignedDuration::from_millis(1), "active": "yes",
            "auto_approve": 1, "code": "short", "note": "\u{7}", "allowed_email_domains": ["example.com", "*"],
            "used": 1,
        });

        let expected = [
            ("/team_id", "not_a_string"),
            ("/quota", "out_of_range"),
            ("/expires_at", "in_the_past"),
            ("/active", "not_a_boolean"),
            ("/auto_approve", "not_a_boolean"),
            ("/code", "invalid_code"),
            ("/note", "invalid_note"),
            ("/allowed_email_domains/1", "invalid_domain"),
            ("/used", "unknown_field"),
        ];
        assert_eq!(create(&bench, &owner, &body).await.faults(), expected);
        for (field, value, code) in [
            ("quota", json!(1_000_001), "out_of_range"),
            ("expires_at", json!("tomorrow"), "invalid_instant"),
            ("allowed_email_domains", json!(vec!["example.com"; 51]), "too_many"),
        ] {
            let body = json!({"team_id": TeamId::default_team(), field: value});
            assert_eq!(create(&bench, &owner, &body).await.faults(), [(format!("/{field}").as_str(), code)]);
        }
    }

    #[tokio::test]
    async fn only_owners_create_codes() {
        let (bench, owner) = portal().await;

        only_owners(&bench, &owner, "invite-codes-create").await;
    }

    #[tokio::test]
    async fn creating_is_a_read_of_the_caller_and_of_the_team_a_transaction_and_the_names() {
        let (bench, owner) = portal().await;

        let (reply, calls) = bench.calls(send(&bench, Sample::of("invite-codes-create").by(&owner))).await;

        assert_eq!(reply.status, 201);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let batch = "DynamoDB.BatchGetItem";
        assert_eq!(operations, [batch, batch, "DynamoDB.TransactWriteItems", batch]);
    }

    #[tokio::test]
    async fn the_audit_names_the_codes_id_and_never_its_text() {
        let (bench, owner) = portal().await;
        let body = json!({"team_id": TeamId::default_team(), "code": CODE, "quota": 5, "note": "For the crew"});

        create(&bench, &owner, &body).await;

        let code = bench.code(CODE).await.unwrap();
        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["target"] == json!(code.id));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(
            (&event["action"], &event["actor"]),
            (&json!("invite_code.created"), &json!({"user": owner.user.id}))
        );
        let after = json!({
            "team_id": TeamId::default_team(), "quota": 5, "expires_at": null, "active": true, "auto_approve": true,
        });
        assert_eq!(event["after"], after);
        let event = event.to_string().to_lowercase();
        let folded = FoldedCode::of(CODE).unwrap();
        assert!(["spring", folded.as_str(), "crew"].into_iter().all(|word| !event.contains(word)), "{event}");
    }
}
