//! Registering where addresses are not confirmed: row, Cognito, state.

use shared::{
    domain::{
        Fault,
        audit::Origin,
        password::Holder,
        settings::Settings,
        user::{Start, Status},
    },
    http::{Next, Problem},
    identity::Established,
    store::{Creation, Finish, Sentinel, StoreError},
};

use crate::{
    App,
    register::{Register, RegisterError, applicant},
};

/// Registers a person with the password that they send, or mails the holder of a known address.
pub(crate) async fn register(
    app: &App,
    body: Register,
    settings: &Settings,
    known: Option<Sentinel>,
    origin: &Origin,
) -> Result<Next, Problem> {
    let Some(password) = body.password.clone() else { return Err(RegisterError::PasswordMissing.into()) };
    let holder = Holder { email: &body.email, first_name: &body.first_name, last_name: &body.last_name };
    let faults = settings.password_policy.check(&password, holder);
    if !faults.is_empty() {
        return Err(RegisterError::Password(faults).into());
    }
    let (email, status) = (body.email.clone(), Status::Pending);
    let known = match known {
        Some(known) => known,
        None => match app.store.begin_creation(applicant(body, Start::Becoming(status)), origin).await? {
            Creation::Begun(user) => {
                return match app.identity.establish(&user.id, &user.email, &password).await {
                    Ok(Established::Done) => {
                        let owners = app.store.owners_to_notify(settings).await?;
                        match app.store.finish_creation(&user, &owners, origin).await? {
                            Finish::Done(status) => Ok(Next::after(status)),
                            Finish::Undone => Err(RegisterError::Undone.into()),
                        }
                    }
                    Ok(Established::PasswordRefused) => {
                        app.store.undo_creation(&user, origin).await?;
                        Err(RegisterError::Password(vec![Fault::refused_password()]).into())
                    }
                    Err(error) => {
                        app.store.undo_creation(&user, origin).await?;
                        Err(error.into())
                    }
                };
            }
            Creation::Taken(known) => known,
            Creation::NoSuchTeam => return Err(StoreError::Missing("the Default Organisation's team").into()),
        },
    };
    app.store.register_known(&email, &known, origin).await?;
    Ok(Next::after(status))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, PASSWORD, email};
    use serde_json::json;
    use shared::{
        domain::user::{Role, Status},
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
}
