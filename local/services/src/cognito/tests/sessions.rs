//! Refreshing, and what ends a session.

use super::{PASSWORD, refresh, refused, set_password, sign_in, user};
use crate::Services;
use crate::test_support::{services, services_at};
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use jiff::SignedDuration;

const REVOKED: &str = "Refresh Token has been revoked";

/// A user with a session: its refresh token and its access token.
async fn session(services: &Services) -> (String, String) {
    user(services, "usr_1").await;
    let tokens = sign_in(services, "usr_1", PASSWORD).await.unwrap();
    (tokens.refresh_token.unwrap(), tokens.access_token.unwrap())
}

async fn revoke(services: &Services, token: &str) {
    let request = services.cognito().revoke_token().client_id(services.client_id()).token(token);
    request.send().await.unwrap();
}

#[tokio::test]
async fn a_refresh_keeps_the_sessions_id_and_its_begin() {
    let (services, now) = services_at().await;
    let (token, access) = session(&services).await;
    let before = services.verify(&access).unwrap();
    now.advance(SignedDuration::from_mins(30));

    let tokens = refresh(&services, &token).await.unwrap();

    let after = services.verify(&tokens.access_token.unwrap()).unwrap();
    assert_eq!(after["origin_jti"], before["origin_jti"]);
    assert_eq!(after["auth_time"], before["auth_time"]);
    assert_ne!(after["jti"], before["jti"]);
    assert_eq!(after["iat"], now.get().as_second());
    assert!(tokens.refresh_token.is_none(), "the token stays the same");
}

#[tokio::test]
async fn two_sign_ins_are_two_sessions() {
    let services = services().await;
    let (token, access) = session(&services).await;
    let second = sign_in(&services, "usr_1", PASSWORD).await.unwrap();

    revoke(&services, &token).await;

    assert_ne!(
        services.verify(&access).unwrap()["origin_jti"],
        services.verify(second.access_token.as_deref().unwrap()).unwrap()["origin_jti"]
    );
    refresh(&services, second.refresh_token.as_deref().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_revoked_token_refreshes_nothing_and_may_be_revoked_again() {
    let services = services().await;
    let (token, _) = session(&services).await;

    revoke(&services, &token).await;
    revoke(&services, &token).await;

    assert_eq!(refused(refresh(&services, &token).await), REVOKED);
}

#[tokio::test]
async fn revoking_ends_the_sessions_access_tokens_at_cognito_but_not_at_the_gateway() {
    let services = services().await;
    let (token, access) = session(&services).await;
    let whoami = || services.cognito().get_user().access_token(&access).send();
    assert_eq!(whoami().await.unwrap().username(), "usr_1");

    revoke(&services, &token).await;

    let error = whoami().await.unwrap_err().into_service_error();
    assert!(error.is_not_authorized_exception());
    assert_eq!(error.message(), Some("Access Token has been revoked"));
    services.verify(&access).unwrap();
}

#[tokio::test]
async fn only_refresh_tokens_are_revoked_and_only_by_their_client() {
    let services = services().await;
    let (token, access) = session(&services).await;
    let request = |client: &str, token: &str| services.cognito().revoke_token().client_id(client).token(token).send();

    let access = request(services.client_id(), &access).await.unwrap_err().into_service_error();
    let stranger = request("another", &token).await.unwrap_err().into_service_error();

    assert!(access.is_unsupported_token_type_exception());
    assert!(stranger.is_unauthorized_exception());
    refresh(&services, &token).await.unwrap();
}

#[tokio::test]
async fn a_global_sign_out_ends_every_session() {
    let services = services().await;
    let (token, access) = session(&services).await;
    let second = sign_in(&services, "usr_1", PASSWORD).await.unwrap().refresh_token.unwrap();

    let request = services.cognito().admin_user_global_sign_out().user_pool_id(services.user_pool_id());
    request.username("usr_1").send().await.unwrap();

    assert_eq!(refused(refresh(&services, &token).await), REVOKED);
    assert_eq!(refused(refresh(&services, &second).await), REVOKED);
    services.cognito().get_user().access_token(access).send().await.unwrap_err();
    sign_in(&services, "usr_1", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_deleted_users_token_refreshes_nothing() {
    let services = services().await;
    let (token, _) = session(&services).await;

    let request = services.cognito().admin_delete_user().user_pool_id(services.user_pool_id());
    request.username("usr_1").send().await.unwrap();

    refused(refresh(&services, &token).await);
    user(&services, "usr_1").await;
    refused(refresh(&services, &token).await);
}

#[tokio::test]
async fn a_password_change_alone_leaves_sessions_alive() {
    let services = services().await;
    let (token, _) = session(&services).await;

    set_password(&services, "usr_1", "battery staple").await;

    refresh(&services, &token).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_lives_thirty_days() {
    let (services, now) = services_at().await;
    let (token, _) = session(&services).await;

    now.advance(SignedDuration::from_hours(30 * 24) - SignedDuration::from_secs(1));
    refresh(&services, &token).await.unwrap();
    now.advance(SignedDuration::from_secs(1));

    assert_eq!(refused(refresh(&services, &token).await), "Refresh Token has expired");
}

#[tokio::test]
async fn a_made_up_token_refreshes_nothing() {
    let services = services().await;

    assert_eq!(refused(refresh(&services, "made-up").await), "Invalid Refresh Token");
}
