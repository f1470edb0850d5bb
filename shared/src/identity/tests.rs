//! The user pool's side, against the stand-in.

use std::sync::Arc;

use jiff::SignedDuration;
use local_services::{Fault, Services};

use super::*;
use crate::clock::Clock;

const PASSWORD: &str = "violet tractor 42!";

struct Pool {
    services: Services,
    identity: Identity,
    clock: Clock,
}

impl Pool {
    async fn new() -> Self {
        let clock = Clock::stopped("2026-01-15T09:30:00Z".parse().unwrap());
        let now = clock.clone();
        let services = Services::in_memory(Arc::new(move || now.now())).await.unwrap();
        let identity = Identity::new(services.cognito(), services.user_pool_id(), services.client_id());
        Self { services, identity, clock }
    }

    fn user(&self, random: u128) -> UserId {
        UserId::new(self.clock.now(), random)
    }

    async fn establish(&self, user: &UserId, password: &str) -> Result<Established, IdentityError> {
        let email = Email::parse("ada@example.com").unwrap();
        self.identity.establish(user, &email, &Password::new(password)).await
    }

    async fn log_in(&self, user: &UserId, password: &str) -> Option<Tokens> {
        self.identity.log_in(Some(user), 0, &Password::new(password)).await.unwrap()
    }

    /// A person with [`PASSWORD`].
    async fn person(&self) -> UserId {
        let user = self.user(1);
        assert_eq!(self.establish(&user, PASSWORD).await.unwrap(), Established::Done);
        user
    }

    async fn session(&self, user: &UserId) -> (String, SessionId) {
        let tokens = self.log_in(user, PASSWORD).await.unwrap();
        (tokens.refresh_token.unwrap(), tokens.session)
    }

    async fn refreshes(&self, refresh_token: &str) -> bool {
        self.identity.refresh(refresh_token).await.unwrap().is_some()
    }

    fn fail_next(&self, operation: &str, fault: Fault) {
        self.services.calls().fail_next(&format!("Cognito.{operation}"), fault);
    }
}

#[tokio::test]
async fn establishing_twice_is_success_and_the_later_password_counts() {
    let pool = Pool::new().await;
    let user = pool.person().await;

    let again = pool.establish(&user, "another fine one").await.unwrap();

    assert_eq!(again, Established::Done);
    assert!(pool.log_in(&user, PASSWORD).await.is_none());
    assert!(pool.log_in(&user, "another fine one").await.is_some());
}

#[tokio::test]
async fn a_lost_answer_to_a_creation_is_made_good_by_the_sdks_retry() {
    let pool = Pool::new().await;
    pool.fail_next("AdminCreateUser", Fault::dropped().after());
    pool.fail_next("AdminSetUserPassword", Fault::dropped().after());

    let user = pool.person().await;

    assert!(pool.log_in(&user, PASSWORD).await.is_some());
}

#[tokio::test]
async fn cognito_learns_the_address_as_a_verified_attribute_and_mails_nothing() {
    let pool = Pool::new().await;

    let user = pool.person().await;

    let calls = pool.services.calls().made();
    let created = &calls[0].request;
    assert_eq!((&created["Username"], &created["MessageAction"]), (&user.as_str().into(), &"SUPPRESS".into()));
    assert_eq!(created["UserAttributes"][0]["Value"], "ada@example.com");
    assert_eq!(created["UserAttributes"][1]["Name"], "email_verified");
    assert_eq!(calls[1].request["Permanent"], true);
    assert!(pool.services.mailbox().list(None).unwrap().is_empty());
}

#[tokio::test]
async fn another_address_is_told_as_a_verified_attribute_and_nobody_is_no_error() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let address = Email::parse("augusta@example.org").unwrap();

    assert!(pool.identity.set_email(&user, &address).await.unwrap());
    assert!(!pool.identity.set_email(&pool.user(9), &address).await.unwrap());

    let request = pool.services.cognito().admin_get_user().user_pool_id(pool.services.user_pool_id());
    let found = request.username(user.as_str()).send().await.unwrap();
    let attributes: Vec<_> = found.user_attributes().iter().map(|own| (own.name(), own.value())).collect();
    assert!(attributes.contains(&("email", Some("augusta@example.org"))));
    assert!(attributes.contains(&("email_verified", Some("true"))));
    assert!(pool.log_in(&user, PASSWORD).await.is_some());
}

#[tokio::test]
async fn a_password_that_the_pool_does_not_take_is_an_outcome() {
    let pool = Pool::new().await;
    let user = pool.user(1);

    for password in ["x".repeat(257), format!(" {PASSWORD}"), format!("{PASSWORD} "), "short".to_owned(), String::new()]
    {
        let refused = pool.establish(&user, &password).await.unwrap();
        assert_eq!(refused, Established::PasswordRefused, "{password:?}");
    }
    assert!(pool.log_in(&user, "short").await.is_none());
    assert_eq!(pool.establish(&user, &"x".repeat(256)).await.unwrap(), Established::Done);
}

#[tokio::test]
async fn a_refused_user_is_an_error_and_not_a_refused_password() {
    let pool = Pool::new().await;
    let user = pool.user(1);
    pool.fail_next("AdminCreateUser", Fault::refused("InvalidParameterException", "user.email: no such attribute"));

    let error = pool.establish(&user, PASSWORD).await.unwrap_err();

    assert!(matches!(error, IdentityError::Aws { .. }), "{error:?}");
}

#[tokio::test]
async fn tokens_tell_whose_and_of_which_session_they_are() {
    let pool = Pool::new().await;
    let user = pool.person().await;

    let tokens = pool.log_in(&user, PASSWORD).await.unwrap();

    let claims = pool.services.verify(&tokens.access_token).unwrap();
    assert_eq!((tokens.user_id.as_str(), tokens.expires_in), (user.as_str(), 3600));
    assert_eq!(claims["origin_jti"], tokens.session.as_str());
    assert_eq!(pool.services.verify(&tokens.id_token).unwrap()["token_use"], "id");
}

#[tokio::test]
async fn nobody_and_a_wrong_password_are_refused_alike() {
    let pool = Pool::new().await;
    let user = pool.person().await;

    assert!(pool.log_in(&user, "violet tractor 43!").await.is_none());
    assert!(pool.log_in(&pool.user(2), PASSWORD).await.is_none());
    assert!(pool.identity.log_in(None, 7, &Password::new(PASSWORD)).await.unwrap().is_none());
    let last = pool.services.calls().made().pop().unwrap();
    assert_eq!(last.request["AuthParameters"]["USERNAME"], "none_00000000000000000000000000000007");
}

#[tokio::test]
async fn a_client_that_may_not_use_the_flow_is_an_error_and_no_wrong_password() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    for message in
        ["Auth flow not enabled for this client", "ADMIN_USER_PASSWORD_AUTH flow not enabled for this client"]
    {
        pool.fail_next("AdminInitiateAuth", Fault::refused("InvalidParameterException", message));

        let error = pool.identity.log_in(Some(&user), 0, &Password::new(PASSWORD)).await.unwrap_err();

        assert!(matches!(error, IdentityError::Aws { call: "AdminInitiateAuth", .. }), "{error:?}");
    }
    pool.fail_next("AdminInitiateAuth", Fault::refused("InvalidParameterException", "1 validation error detected"));
    assert!(pool.log_in(&user, PASSWORD).await.is_none());
}

#[tokio::test]
async fn a_refresh_keeps_the_session_and_gives_no_refresh_token() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let (refresh_token, session) = pool.session(&user).await;
    pool.clock.advance(SignedDuration::from_hours(1));

    let tokens = pool.identity.refresh(&refresh_token).await.unwrap().unwrap();

    assert_eq!((tokens.session, tokens.user_id, tokens.refresh_token), (session, user, None));
    for garbage in ["", "x", "a.b.c"] {
        assert!(!pool.refreshes(garbage).await, "{garbage:?}");
    }
}

#[tokio::test]
async fn revoking_ends_one_session_and_what_is_no_token_is_no_error() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let ((one, _), (other, _)) = (pool.session(&user).await, pool.session(&user).await);

    for token in [one.as_str(), &one, "garbage", "a.b.c"] {
        pool.identity.revoke(token).await.unwrap();
    }

    assert!(!pool.refreshes(&one).await);
    assert!(pool.refreshes(&other).await);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_refresh_token_of_that_person_alone() {
    let pool = Pool::new().await;
    let (ada, bob) = (pool.person().await, pool.user(2));
    pool.establish(&bob, PASSWORD).await.unwrap();
    let ((one, _), (two, _), (bobs, _)) =
        (pool.session(&ada).await, pool.session(&ada).await, pool.session(&bob).await);

    pool.identity.sign_out_everywhere(&ada).await.unwrap();

    assert!(!pool.refreshes(&one).await && !pool.refreshes(&two).await);
    assert!(pool.refreshes(&bobs).await);
    assert!(pool.log_in(&ada, PASSWORD).await.is_some());
    pool.identity.sign_out_everywhere(&pool.user(3)).await.unwrap();
}

#[tokio::test]
async fn deleting_twice_is_success_and_ends_everything() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let (refresh_token, _) = pool.session(&user).await;

    pool.identity.delete(&user).await.unwrap();
    pool.identity.delete(&user).await.unwrap();

    assert!(!pool.refreshes(&refresh_token).await);
    assert!(pool.log_in(&user, PASSWORD).await.is_none());
}

#[tokio::test]
async fn throttling_that_lasts_is_busy_at_every_call() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let password = Password::new(PASSWORD);
    // Codes that the SDK does not wait for by itself stand for a throttling that outlasted it.
    let busy = || Fault::refused("InternalErrorException", "later");
    for operation in ["AdminCreateUser", "AdminSetUserPassword"] {
        pool.fail_next(operation, busy());
        assert!(matches!(pool.establish(&user, PASSWORD).await, Err(IdentityError::Busy)), "{operation}");
    }
    for operation in
        ["AdminInitiateAuth", "AdminInitiateAuth", "RevokeToken", "AdminUserGlobalSignOut", "AdminDeleteUser"]
    {
        pool.fail_next(operation, busy());
    }

    assert!(matches!(pool.identity.log_in(Some(&user), 0, &password).await, Err(IdentityError::Busy)));
    assert!(matches!(pool.identity.refresh("x").await, Err(IdentityError::Busy)));
    assert!(matches!(pool.identity.revoke("x").await, Err(IdentityError::Busy)));
    assert!(matches!(pool.identity.sign_out_everywhere(&user).await, Err(IdentityError::Busy)));
    assert!(matches!(pool.identity.delete(&user).await, Err(IdentityError::Busy)));
    pool.fail_next("AdminUpdateUserAttributes", busy());
    let address = Email::parse("augusta@example.org").unwrap();
    assert!(matches!(pool.identity.set_email(&user, &address).await, Err(IdentityError::Busy)));
    pool.fail_next("AdminInitiateAuth", Fault::throttled().times(3));
    assert!(matches!(pool.identity.refresh("x").await, Err(IdentityError::Busy)));
}

#[tokio::test]
async fn a_connection_that_stays_broken_is_an_error() {
    let pool = Pool::new().await;
    pool.fail_next("AdminInitiateAuth", Fault::dropped().times(3));

    let error = pool.identity.refresh("x").await.unwrap_err();

    assert!(matches!(error, IdentityError::Aws { call: "AdminInitiateAuth", .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_usable_tokens_is_an_error() {
    let result = |access: &str| AuthenticationResultType::builder().access_token(access).id_token("a.b.c").build();

    for access in ["", "a.b", "a.!.c", "a.e30.c"] {
        assert!(matches!(tokens(result(access)), Err(IdentityError::NoTokens(_))), "{access}");
    }
}

#[tokio::test]
async fn a_refusal_names_its_operation_and_the_answers_code() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let denied = || Fault::refused("AccessDeniedException", "not authorized to perform this");
    for operation in ["AdminCreateUser", "AdminInitiateAuth", "AdminDeleteUser"] {
        pool.fail_next(operation, denied());
    }

    let errors = [
        pool.establish(&user, PASSWORD).await.unwrap_err(),
        pool.identity.refresh("x").await.unwrap_err(),
        pool.identity.delete(&user).await.unwrap_err(),
    ];

    for (error, operation) in errors.iter().zip(["AdminCreateUser", "AdminInitiateAuth", "AdminDeleteUser"]) {
        let cause = error.to_string();
        assert!(cause.starts_with(&format!("{operation} failed: ")), "{cause}");
        assert!(cause.contains("AccessDeniedException") && cause.contains("not authorized to perform this"), "{cause}");
    }
}

#[tokio::test]
async fn a_broken_connection_names_its_operation_and_what_broke() {
    let pool = Pool::new().await;
    pool.fail_next("AdminInitiateAuth", Fault::dropped().times(3));

    let cause = pool.identity.refresh("x").await.unwrap_err().to_string();

    assert!(cause.starts_with("AdminInitiateAuth failed: dispatch failure: "), "{cause}");
}

#[tokio::test]
async fn a_refresh_token_of_a_user_who_is_none_of_ours_is_refused() {
    let pool = Pool::new().await;
    let (client, pool_id) = (pool.services.cognito(), pool.services.user_pool_id());
    let create = client.admin_create_user().user_pool_id(pool_id).username("bob");
    create.message_action(MessageActionType::Suppress).send().await.unwrap();
    let set = client.admin_set_user_password().user_pool_id(pool_id).username("bob");
    set.password(PASSWORD).permanent(true).send().await.unwrap();
    let login = client.admin_initiate_auth().user_pool_id(pool_id).client_id(pool.services.client_id());
    let login = login.auth_flow(AuthFlowType::AdminUserPasswordAuth);
    let login = login.auth_parameters("USERNAME", "bob").auth_parameters("PASSWORD", PASSWORD);
    let bobs = login.send().await.unwrap().authentication_result.unwrap().refresh_token.unwrap();

    assert!(!pool.refreshes(&bobs).await);
}

#[tokio::test]
async fn neither_passwords_nor_tokens_are_printed() {
    let pool = Pool::new().await;
    let user = pool.person().await;
    let tokens = pool.log_in(&user, PASSWORD).await.unwrap();
    let refresh_token = tokens.refresh_token.clone().unwrap();
    pool.fail_next("AdminInitiateAuth", Fault::refused("ResourceNotFoundException", "no such pool"));
    let error = pool.identity.refresh(&refresh_token).await.unwrap_err();

    let printed = format!("{tokens:?} {:?} {:?} {error:?} {error}", Password::new(PASSWORD), pool.identity);

    for secret in [PASSWORD, &tokens.access_token, &tokens.id_token, &refresh_token, tokens.session.as_str()] {
        assert!(!printed.contains(secret));
    }
    assert!(printed.contains(user.as_str()));
}

#[tokio::test]
async fn the_pool_is_listed_page_by_page_with_our_own_users_alone_and_without_their_addresses() {
    let pool = Pool::new().await;
    for number in 0..61 {
        pool.establish(&pool.user(number), PASSWORD).await.unwrap();
    }
    let stranger = pool.services.cognito().admin_create_user().user_pool_id(pool.services.user_pool_id());
    stranger.username("a-stranger").message_action(MessageActionType::Suppress).send().await.unwrap();
    pool.services.calls().forget();

    let first = pool.identity.list_users(None).await.unwrap().unwrap();
    let second = pool.identity.list_users(first.next.as_deref()).await.unwrap().unwrap();

    // The stranger stands first and is passed over.
    assert_eq!((first.users.len(), second.users.len(), second.next), (59, 2, None));
    assert!(first.users.iter().chain(&second.users).all(|user| user.created_at == pool.clock.now()));
    let calls = pool.services.calls().made();
    assert!(calls.iter().all(|call| call.request["AttributesToGet"] == serde_json::json!(["sub"])));
}

#[tokio::test]
async fn a_place_in_the_pool_that_cognito_does_not_know_is_an_outcome_and_other_refusals_are_errors() {
    let pool = Pool::new().await;

    assert_eq!(pool.identity.list_users(Some("*")).await.unwrap(), None);

    pool.fail_next("ListUsers", Fault::refused("NotAuthorizedException", "no"));
    assert!(matches!(pool.identity.list_users(Some("*")).await, Err(IdentityError::Aws { call: "ListUsers", .. })));
    pool.fail_next("ListUsers", Fault::refused("InvalidParameterException", "no"));
    assert!(matches!(pool.identity.list_users(None).await, Err(IdentityError::Aws { call: "ListUsers", .. })));
}
