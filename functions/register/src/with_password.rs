//! Registering where addresses are not confirmed: row, Cognito, state.

use shared::{
    domain::{
        Fault,
        approval::status_on_arrival,
        audit::Origin,
        password::Password,
        settings::Settings,
        user::{Role, Start, Status, User},
    },
    enrolment::{Enrolment, enrol, resume},
    http::{Applicant, Next, NotRegistrable, Problem},
    store::{Sentinel, Stage, StoreError},
};

use crate::{
    App,
    register::{Outcome, RegisterError, mail_holder, newcomer},
};

/// Registers a person with the password that they send, or mails the holder of a known address.
pub(crate) async fn register(
    app: &App,
    body: &Applicant,
    password: &Password,
    settings: &Settings,
    known: Option<Sentinel>,
    origin: &Origin,
) -> Result<Outcome, Problem> {
    let status = status_on_arrival(settings, &body.email, Role::TeamMember, None);
    let known = if let Some(known) = known {
        known
    } else {
        let owners = match status {
            Status::Pending => app.store.owners_to_notify(settings).await?,
            _ => Vec::new(),
        };
        let new = newcomer(body.clone(), Start::Becoming(status));
        match enrolled(enrol(&app.store, &app.identity, new, password, &owners, origin).await?)? {
            Enrolled::Outcome(outcome) => return Ok(outcome),
            Enrolled::Taken(known) => known,
        }
    };
    if known.stage == Stage::Unfinished {
        return Err(RegisterError::Unfinished.into());
    }
    mail_holder(app, body, &known, status, origin).await
}

/// Finishes what the first of two equal requests began, where a password is still to be set.
pub(crate) async fn resumed(
    app: &App,
    person: Box<User>,
    body: &Applicant,
    settings: &Settings,
    origin: &Origin,
) -> Result<(), Problem> {
    let Some(password) = &body.password else { return Ok(()) };
    body.check_policy(password, settings).map_err(RegisterError::NotRegistrable)?;
    enrolled(resume(&app.store, &app.identity, person, password, settings, origin).await?)?;
    Ok(())
}

/// What became of the steps.
enum Enrolled {
    Outcome(Outcome),
    Taken(Sentinel),
}

fn enrolled(enrolment: Enrolment) -> Result<Enrolled, Problem> {
    match enrolment {
        Enrolment::Done(user) => Ok(Enrolled::Outcome(Outcome::Done(Next::after(user.status)))),
        Enrolment::Repeated(record) => Ok(Enrolled::Outcome(Outcome::Repeated(record))),
        Enrolment::Taken(known) => Ok(Enrolled::Taken(known)),
        Enrolment::PasswordRefused => {
            let reason = NotRegistrable::Password(vec![Fault::refused_password()]);
            Err(RegisterError::NotRegistrable(reason).into())
        }
        Enrolment::Undone => Err(RegisterError::Unfinished.into()),
        Enrolment::NoSuchTeam => Err(StoreError::Missing("the Default Organisation's team").into()),
    }
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, PASSWORD, email};
    use jiff::SignedDuration;
    use serde_json::json;
    use shared::{
        domain::{
            email::MailDomain,
            name::Name,
            organisation::Placement,
            user::{NewUser, Role, Source, Start, Status},
        },
        store::Stage,
    };

    use crate::register::tests::{ada, register};

    async fn bench() -> Bench {
        let bench = Bench::new().await;
        bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
        bench.set(|settings| settings.email_confirmation = false).await;
        bench
    }

    fn with_password(password: &str) -> serde_json::Value {
        json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "password": password})
    }

    #[tokio::test]
    async fn a_registration_waits_for_approval_at_once() {
        let bench = bench().await;

        let reply = register(&bench, &with_password(PASSWORD)).await;

        assert_eq!((reply.status, &reply.body), (202, &json!({"next": "await_approval"})));
        let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
        let user = bench.read(&known.user_id).await;
        assert_eq!((user.status, user.identity_due, known.stage), (Status::Pending, None, Stage::Settled));
        assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
    }

    #[tokio::test]
    async fn a_known_address_gets_the_same_answer() {
        let bench = bench().await;
        let first = register(&bench, &with_password(PASSWORD)).await;

        let second = register(&bench, &with_password("another fine one")).await;

        assert_eq!((second.status, second.body), (first.status, first.body));
        assert_eq!(bench.mail_events("ada@example.com").await, ["already_registered"]);
    }

    #[tokio::test]
    async fn a_password_is_needed_and_judged() {
        let bench = bench().await;

        assert_eq!(register(&bench, &ada()).await.faults(), [("/password", "required")]);
        let reply = register(&bench, &with_password("lovelace1")).await;
        assert_eq!(reply.faults(), [("/password", "password_too_short"), ("/password", "password_tells_name")]);
    }

    #[tokio::test]
    async fn what_cognito_refuses_leaves_the_address_free() {
        let bench = bench().await;
        let refused = Fault::refused("InvalidPasswordException", "no");
        bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);

        let reply = register(&bench, &with_password(PASSWORD)).await;

        assert_eq!(reply.faults(), [("/password", "password_refused")]);
        assert!(bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.is_none());
        assert_eq!(register(&bench, &with_password(PASSWORD)).await.status, 202);
    }

    /// Lets the transaction after Cognito fail, each of its tries.
    fn fail_the_last_step(bench: &Bench, fault: Fault) {
        let calls = std::sync::Arc::clone(bench.services.calls());
        let meanwhile = async move { calls.fail_next("DynamoDB.TransactWriteItems", fault) };
        bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);
    }

    #[tokio::test]
    async fn contention_at_the_last_step_leaves_nothing_that_a_repeat_stumbles_over() {
        let bench = bench().await;
        fail_the_last_step(&bench, Fault::conflict().times(9));

        let first = register(&bench, &with_password(PASSWORD)).await;

        assert_eq!((first.status, first.problem()), (503, "try-again"));
        assert_eq!(register(&bench, &with_password(PASSWORD)).await.body, json!({"next": "await_approval"}));
        assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
        assert_eq!(bench.mail_events("ada@example.com").await, [""; 0]);
    }

    #[tokio::test]
    async fn a_last_step_that_was_written_and_not_answered_counts() {
        let bench = bench().await;
        fail_the_last_step(&bench, Fault::refused("AccessDeniedException", "instead of the answer").after());

        let reply = register(&bench, &with_password(PASSWORD)).await;

        assert_eq!(reply.body, json!({"next": "await_approval"}));
        assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
    }

    #[tokio::test]
    async fn after_a_crash_half_way_a_repeat_is_told_to_wait_and_not_that_all_is_well() {
        let bench = bench().await;
        let new = NewUser {
            email: email("ada@example.com"),
            first_name: Name::given("Ada"),
            last_name: Name::given("Lovelace"),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start: Start::Becoming(Status::Pending),
        };
        bench.store.begin_creation(new, &bench.origin()).await.unwrap();

        let reply = register(&bench, &with_password(PASSWORD)).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert_eq!(bench.mail_events("ada@example.com").await, [""; 0]);
    }

    #[tokio::test]
    async fn a_registration_that_the_settings_approve_is_in_at_once_and_a_known_address_gets_the_same_answer() {
        for by_domain in [false, true] {
            let bench = bench().await;
            let domain = MailDomain::parse("example.com").unwrap();
            bench
                .set(|settings| {
                    settings.auto_approve = !by_domain;
                    settings.auto_approve_domains = if by_domain { vec![domain] } else { Vec::new() };
                })
                .await;

            let first = register(&bench, &with_password(PASSWORD)).await;
            bench.advance(SignedDuration::from_millis(1));
            let second = register(&bench, &with_password("another fine one")).await;

            assert_eq!((first.status, &first.body), (202, &json!({"next": "log_in"})));
            assert_eq!((second.status, second.body), (first.status, first.body));
            let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
            let user = bench.read(&known.user_id).await;
            assert_eq!((user.status, user.identity_due, known.stage), (Status::Active, None, Stage::Settled));
            bench.sign_in(&user).await;
            assert_eq!(bench.mail_events("ada@example.com").await, ["welcome", "already_registered"]);
            assert_eq!(bench.mail_events("owner@example.com").await, ["welcome"]);
        }
    }

    #[tokio::test]
    async fn an_address_of_another_domain_waits() {
        let bench = bench().await;
        bench.set(|settings| settings.auto_approve_domains = vec![MailDomain::parse("example.org").unwrap()]).await;

        assert_eq!(register(&bench, &with_password(PASSWORD)).await.body, json!({"next": "await_approval"}));
        assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
    }
}
