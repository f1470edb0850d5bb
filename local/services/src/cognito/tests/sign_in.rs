//! Signing in, and being kept from guessing.

use super::{PASSWORD, create, initiate, refused, set_password, sign_in, user};
use crate::test_support::{services, services_at};
use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::AdminInitiateAuthError;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use jiff::SignedDuration;

const WRONG: &str = "Incorrect username or password.";
const EXCEEDED: &str = "Password attempts exceeded";

#[tokio::test]
async fn the_right_password_gives_tokens() {
    let services = services().await;
    user(&services, "usr_1").await;

    let tokens = sign_in(&services, "usr_1", PASSWORD).await.unwrap();

    assert_eq!((tokens.expires_in, tokens.token_type.as_deref()), (3_600, Some("Bearer")));
    assert!(tokens.access_token.is_some() && tokens.id_token.is_some() && tokens.refresh_token.is_some());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_answered_alike() {
    let services = services().await;
    user(&services, "usr_1").await;

    assert_eq!(refused(sign_in(&services, "usr_1", "incorrect horse").await), WRONG);
    assert_eq!(refused(sign_in(&services, "usr_0", PASSWORD).await), WRONG);
}

#[tokio::test]
async fn a_user_whose_password_nobody_knows_does_not_sign_in() {
    let services = services().await;
    create(&services, "usr_1").await;

    assert_eq!(refused(sign_in(&services, "usr_1", PASSWORD).await), WRONG);
}

#[tokio::test]
async fn a_temporary_password_only_leads_to_a_challenge() {
    let services = services().await;
    create(&services, "usr_1").await;
    let pool = services.user_pool_id();
    let request = services.cognito().admin_set_user_password().user_pool_id(pool).username("usr_1");
    request.password(PASSWORD).send().await.unwrap();

    let request = services.cognito().admin_initiate_auth().user_pool_id(pool).client_id(services.client_id());
    let request = request.auth_flow(AuthFlowType::AdminUserPasswordAuth).auth_parameters("USERNAME", "usr_1");
    let answer = request.auth_parameters("PASSWORD", PASSWORD).send().await.unwrap();

    assert_eq!(answer.challenge_name().unwrap().as_str(), "NEW_PASSWORD_REQUIRED");
    assert!(answer.authentication_result.is_none());
}

#[tokio::test]
async fn after_five_failures_the_right_password_fails_too_for_a_second() {
    let (services, now) = services_at().await;
    user(&services, "usr_1").await;
    for _ in 0..5 {
        assert_eq!(refused(sign_in(&services, "usr_1", "incorrect horse").await), WRONG);
    }

    assert_eq!(refused(sign_in(&services, "usr_1", PASSWORD).await), EXCEEDED);

    now.advance(SignedDuration::from_secs(1));
    sign_in(&services, "usr_1", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn each_further_failure_doubles_the_wait() {
    let (services, now) = services_at().await;
    user(&services, "usr_1").await;
    for _ in 0..5 {
        sign_in(&services, "usr_1", "incorrect horse").await.unwrap_err();
    }

    for wait in [1, 2, 4] {
        now.advance(SignedDuration::from_millis(wait * 1_000 - 1));
        assert_eq!(refused(sign_in(&services, "usr_1", PASSWORD).await), EXCEEDED, "{wait} s");
        now.advance(SignedDuration::from_millis(1));
        assert_eq!(refused(sign_in(&services, "usr_1", "incorrect horse").await), WRONG, "{wait} s");
    }
}

#[tokio::test]
async fn a_new_password_does_not_shorten_the_wait() {
    let services = services().await;
    user(&services, "usr_1").await;
    for _ in 0..5 {
        sign_in(&services, "usr_1", "incorrect horse").await.unwrap_err();
    }

    set_password(&services, "usr_1", "battery staple").await;

    assert_eq!(refused(sign_in(&services, "usr_1", "battery staple").await), EXCEEDED);
}

#[tokio::test]
async fn one_users_failures_are_not_anothers() {
    let services = services().await;
    user(&services, "usr_1").await;
    user(&services, "usr_2").await;
    for _ in 0..5 {
        sign_in(&services, "usr_1", "incorrect horse").await.unwrap_err();
    }

    sign_in(&services, "usr_2", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn flows_that_the_client_does_not_have_are_refused() {
    let services = services().await;
    user(&services, "usr_1").await;
    let parameters = [("USERNAME", "usr_1"), ("PASSWORD", PASSWORD)];

    for flow in ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "CUSTOM_AUTH", "USER_AUTH", "MAGIC"] {
        let error = initiate(&services, AuthFlowType::from(flow), &parameters).await.unwrap_err();
        assert!(matches!(error, AdminInitiateAuthError::InvalidParameterException(_)), "{flow}: {error:?}");
    }
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let services = services().await;

    let answer = initiate(&services, AuthFlowType::AdminUserPasswordAuth, &[("USERNAME", "usr_1")]).await;

    let error = answer.unwrap_err();
    let AdminInitiateAuthError::InvalidParameterException(refusal) = error else { panic!("{error:?}") };
    assert_eq!(refusal.message.as_deref(), Some("Missing required parameter PASSWORD"));
}

#[tokio::test]
async fn another_client_does_not_exist() {
    let services = services().await;

    let request = services.cognito().admin_initiate_auth().user_pool_id(services.user_pool_id()).client_id("another");
    let error = request.auth_flow(AuthFlowType::AdminUserPasswordAuth).send().await.unwrap_err();

    assert!(error.into_service_error().is_resource_not_found_exception());
}
