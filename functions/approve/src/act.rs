//! What the five routes have in common: who decides about whom, and what stands in the way.

use shared::{
    domain::{
        audit::Actor,
        ids::UserId,
        rights::{Action, decide},
        transition::Transition,
        user::{Status, User},
    },
    http::{Problem, RequestId, Session, UserBody, admit},
    store::{Admission, DecisionFacts, Places, Terms, Transitioned},
};

use crate::App;

/// Why a decision is refused. The facts are the same for every route.
#[derive(Debug)]
pub enum DecisionError {
    /// There is no such person.
    Unknown,
    /// The person is in a state that the decision does not start from.
    WrongStatus(Status),
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// The organisation has no such team any more.
    NoSuchTeam,
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Unknown => Self::not_found(),
            DecisionError::WrongStatus(status) => Self::wrong_status(status),
            DecisionError::LastOwner => Self::last_api_owner(),
            DecisionError::NoSuchTeam => Self::unknown_team(),
        }
    }
}

/// A person about whom the caller may decide.
#[derive(Debug)]
pub(crate) struct Case {
    caller: User,
    person: User,
    facts: DecisionFacts,
}

impl Case {
    /// Whom the decision is about.
    pub(crate) fn person(&self) -> &User {
        &self.person
    }

    /// What it is made from.
    pub(crate) fn facts(&self) -> &DecisionFacts {
        &self.facts
    }
}

/// Lets the caller in and finds the person, with the places that `terms` name, in one batch. Rights come first: who may
/// not decide learns nothing.
pub(crate) async fn open(app: &App, session: &Session, id: &str, terms: &Terms) -> Result<Case, Problem> {
    // An id that cannot be one is looked up as the caller's own, which tells nothing and keeps the order of checks.
    let id = UserId::parse(id);
    let caller = &session.user_id;
    let mut facts = app.store.decision_facts(caller, id.as_ref().unwrap_or(caller), terms).await?;
    let caller = admit(session, facts.caller.take())?;
    decide(&caller, Action::ChangeStates)?;
    let person = facts.person.take().filter(|_| id.is_some()).ok_or(DecisionError::Unknown)?;
    decide(&caller, Action::ChangeState(&person))?;
    Ok(Case { caller, person, facts })
}

/// Makes the transition and shows the person as they now are.
pub(crate) async fn act(
    app: &App,
    request: &RequestId,
    case: Case,
    transition: Transition,
    reason: Option<&str>,
) -> Result<UserBody, Problem> {
    let origin = request.origin(Actor::User(case.caller.id.clone()), app.clock.now());
    let outcome = app.store.transition(&case.person, transition, reason, &origin).await?;
    shown(app, case, outcome).await
}

/// Lets the person in where `admission` puts them, and shows them as they now are.
pub(crate) async fn approve(
    app: &App,
    request: &RequestId,
    case: Case,
    admission: &Admission,
) -> Result<UserBody, Problem> {
    let origin = request.origin(Actor::User(case.caller.id.clone()), app.clock.now());
    let outcome = app.store.admit(&case.person, admission, &origin).await?;
    shown(app, case, outcome).await
}

async fn shown(app: &App, case: Case, outcome: Transitioned) -> Result<UserBody, Problem> {
    let mut places: Places = case.facts.places;
    match outcome {
        Transitioned::Done(person) => {
            app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
            Ok(UserBody::new(&case.caller, *person, &places))
        }
        Transitioned::WrongStatus(status) => Err(DecisionError::WrongStatus(status).into()),
        Transitioned::LastOwner => Err(DecisionError::LastOwner.into()),
        Transitioned::NoSuchTeam => Err(DecisionError::NoSuchTeam.into()),
        Transitioned::Gone => Err(DecisionError::Unknown.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use harness::portal;
    use harness::{Bench, Fault, Reply, Sample, SignedIn};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::domain::user::Role;

    use super::*;
    use crate::router;

    const ACTIONS: [(&str, Transition); 5] = [
        ("approve", Transition::Approve),
        ("reject", Transition::Reject),
        ("reopen", Transition::Reopen),
        ("activate", Transition::Activate),
        ("deactivate", Transition::Deactivate),
    ];

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
    }

    /// The sample event of `action` about the person with that id.
    pub(crate) fn request(action: &str, id: impl std::fmt::Display, caller: &SignedIn) -> Sample {
        Sample::of(&format!("approve-{action}")).id(id).by(caller)
    }

    pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
        bench.advance(SignedDuration::from_millis(1));
        request.send(router(app(bench))).await
    }

    /// The audit event of `action`, which there is once.
    pub(crate) async fn audited(bench: &Bench, action: &str) -> Value {
        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["action"] == action);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    #[tokio::test]
    async fn a_transition_from_any_other_state_is_refused_and_names_the_state() {
        let (bench, owner) = portal().await;
        for status in Status::ALL {
            let address = format!("{}@example.com", status.as_str());
            let person = bench.person(&address, Role::TeamMember, status).await;
            let mails = bench.mail_events(&address).await;
            for (action, transition) in ACTIONS {
                if transition.from() == status {
                    continue;
                }

                let reply = send(&bench, request(action, &person.id, &owner)).await;

                assert_eq!((reply.status, reply.problem()), (409, "wrong-status"), "{action} from {status:?}");
                assert_eq!(reply.body["user_status"], status.as_str(), "{action} from {status:?}");
                assert!(reply.body["detail"].as_str().unwrap().contains(status.as_str()));
                assert_eq!(bench.read(&person.id).await, person, "{action} from {status:?}");
            }
            assert_eq!(bench.mail_events(&address).await, mails);
        }
    }

    #[tokio::test]
    async fn whose_password_is_not_set_yet_is_not_switched_on() {
        let (bench, owner) = portal().await;
        let begun = bench.person("begun@example.com", Role::TeamMember, Status::Inactive).await;
        bench.overwrite(&begun.id, "identity_due", &json!(Status::Active)).await;
        let begun = bench.read(&begun.id).await;

        let reply = send(&bench, request("activate", &begun.id, &owner)).await;

        assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
        assert_eq!(bench.read(&begun.id).await, begun);
    }

    #[tokio::test]
    async fn rights_come_before_body_and_person() {
        let (bench, owner) = portal().await;
        let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
        let member = bench.signed_in("member@example.com", Role::TeamMember).await;
        let nobody = UserId::new(bench.now(), 7);
        for (action, _) in ACTIONS {
            for (caller, target) in [(&admin, &member.user.id), (&member, &admin.user.id), (&member, &nobody)] {
                let sample = request(action, target, caller).raw_body("{", "text/plain");

                let reply = send(&bench, sample.clone()).await;
                let without_token = send(&bench, sample.without_token()).await;

                assert_eq!((reply.status, reply.problem()), (403, "forbidden"), "{action}");
                assert_eq!((without_token.status, without_token.problem()), (401, "unauthenticated"), "{action}");
                assert_eq!(without_token.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
            }
            let oneself = send(&bench, request(action, &owner.user.id, &owner).raw_body("{", "text/plain")).await;
            assert_eq!((oneself.status, oneself.problem()), (403, "forbidden"), "{action}");
        }
    }

    #[tokio::test]
    async fn a_token_that_does_not_count_is_refused() {
        let (bench, owner) = portal().await;
        let person = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        let other = bench.signed_in("other@example.com", Role::ApiOwner).await;
        let gone = SignedIn { user: person.clone(), ..owner.clone() };
        let approve = |caller: &SignedIn| request("approve", &person.id, caller);
        let refused = [
            approve(&owner).claim("token_use", "id"),
            approve(&owner).claim("origin_jti", other.session.as_str()),
            approve(&owner).claim("username", "owner@example.com"),
            approve(&owner).claim("username", UserId::new(bench.now(), 7).as_str()),
            approve(&gone),
        ];
        for (number, sample) in refused.into_iter().enumerate() {
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"), "{number}");
            assert!(reply.headers.contains_key("www-authenticate"));
        }
        bench.store.close_session(&owner.user.id, &owner.session).await.unwrap();
        assert_eq!(send(&bench, approve(&owner)).await.status, 401);
        assert_eq!(bench.read(&person.id).await, person);
        assert_eq!(send(&bench, approve(&other)).await.status, 200);
    }

    #[tokio::test]
    async fn whoever_is_not_there_is_not_found() {
        let (bench, owner) = portal().await;
        let unknown = UserId::new(bench.now(), 7);
        let shouted = owner.user.id.as_str().to_uppercase();
        let ids = [unknown.as_str(), "usr_", "ada", "org_01kf0ev11gzqq463a0qnbxxtp1", "%20", "%ff", &shouted];
        for (action, _) in ACTIONS {
            for id in ids {
                let reply = send(&bench, request(action, id, &owner)).await;

                assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{action} {id}");
            }
        }
    }

    #[tokio::test]
    async fn bodies_that_do_not_fit_are_refused_and_an_empty_object_is_as_good_as_none() {
        let (bench, owner) = portal().await;
        for (action, transition) in ACTIONS {
            let address = format!("{action}@example.com");
            let person = bench.person(&address, Role::TeamMember, transition.from()).await;
            let with = |body: &str| request(action, &person.id, &owner).raw_body(body, "application/json");

            let malformed = send(&bench, with("{")).await;
            let unknown = send(&bench, with(r#"{"because": "I say so"}"#)).await;
            let form = send(&bench, with("a=b").raw_body("a=b", "application/x-www-form-urlencoded")).await;

            assert_eq!((malformed.status, malformed.problem()), (400, "malformed-json"), "{action}");
            assert_eq!(unknown.faults(), [("/because", "unknown_field")], "{action}");
            assert_eq!((form.status, form.problem()), (415, "unsupported-media-type"), "{action}");
            assert_eq!(bench.read(&person.id).await, person, "{action}");
            assert_eq!(send(&bench, with("{}")).await.status, 200, "{action}");
        }
    }

    #[tokio::test]
    async fn a_failure_of_the_table_tells_nothing_of_its_inside_and_changes_nothing() {
        let (bench, owner) = portal().await;
        let person = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        for operation in ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"] {
            let refused = Fault::refused("AccessDeniedException", "arn:aws:iam::123456789012:role/secret");
            bench.services.calls().fail_next(operation, refused);

            let reply = send(&bench, request("approve", &person.id, &owner)).await;

            assert_eq!((reply.status, reply.problem()), (500, "internal"), "{operation}");
            let told = reply.body.to_string();
            for inside in ["arn:", "AccessDenied", "DynamoDB", "TransactWriteItems", "BatchGetItem", "USER#"] {
                assert!(!told.contains(inside), "{told}");
            }
            assert_eq!(reply.headers["x-request-id"], reply.body["request_id"]);
        }
        assert_eq!(bench.read(&person.id).await, person);
    }

    #[tokio::test]
    async fn throttling_is_told_after_the_sdk_has_waited_it_out() {
        let (bench, owner) = portal().await;
        let person = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        for operation in ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"] {
            bench.services.calls().fail_next(operation, Fault::throttled().times(3));

            let reply = send(&bench, request("approve", &person.id, &owner)).await;

            assert_eq!((reply.status, reply.problem()), (503, "try-again"), "{operation}");
            assert!(reply.headers.contains_key("retry-after"));
            assert_eq!(bench.services.calls().outstanding(), 0);
        }
        assert_eq!(bench.read(&person.id).await, person);
    }
}
