//! What stands in tokens and who accepts them.

use super::{PASSWORD, sign_in, user};
use crate::test_support::{StillClock, services, services_at};
use crate::{Services, VerifyError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value, json};

async fn tokens() -> (Services, StillClock, String, String) {
    let (services, clock) = services_at().await;
    user(&services, "usr_1").await;
    let tokens = sign_in(&services, "usr_1", PASSWORD).await.unwrap();
    (services, clock, tokens.access_token.unwrap(), tokens.id_token.unwrap())
}

#[tokio::test]
async fn an_access_token_says_who_and_for_how_long() {
    let (services, clock, access, _) = tokens().await;

    let claims = services.verify(&access).unwrap();

    let now = clock.get().as_second();
    assert_eq!(claims["token_use"], "access");
    assert_eq!(claims["username"], "usr_1");
    assert_eq!(claims["client_id"], services.client_id());
    assert_eq!(claims["iss"], services.issuer());
    assert_eq!(claims["scope"], "aws.cognito.signin.user.admin");
    assert_eq!((&claims["iat"], &claims["auth_time"], &claims["exp"]), (&json!(now), &json!(now), &json!(now + 3_600)));
    for id in ["sub", "jti", "origin_jti", "event_id"] {
        assert_eq!(claims[id].as_str().unwrap().len(), 36, "{id}");
    }
    assert!(!claims.contains_key("aud"));
}

#[tokio::test]
async fn an_id_token_has_the_attributes_and_passes_the_gateway_too() {
    let (services, _, access, id) = tokens().await;

    let claims = services.verify(&id).unwrap();

    assert_eq!(claims["token_use"], "id");
    assert_eq!(claims["aud"], services.client_id());
    assert_eq!(claims["cognito:username"], "usr_1");
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("ada@example.com"), &json!(true)));
    assert!(!claims.contains_key("client_id"));
    let session = services.verify(&access).unwrap();
    assert_eq!((&claims["sub"], &claims["origin_jti"]), (&session["sub"], &session["origin_jti"]));
}

#[tokio::test]
async fn another_implementation_verifies_a_token_with_the_published_keys() {
    let (services, _, access, _) = tokens().await;

    let keys: JwkSet = reqwest::get(services.jwks_url()).await.unwrap().json().await.unwrap();
    let key = keys.find(&decode_header(&access).unwrap().kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[services.issuer()]);
    validation.validate_exp = false;
    let token = decode::<Map<String, Value>>(&access, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap();

    assert_eq!(token.claims, services.verify(&access).unwrap());
}

#[tokio::test]
async fn another_pool_has_no_keys() {
    let services = services().await;

    let url = services.jwks_url().replace(services.user_pool_id(), "eu-west-1_Another00");

    assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_token_is_valid_until_its_hour_is_over() {
    let (services, clock, access, _) = tokens().await;

    clock.advance(SignedDuration::from_secs(3_599));
    services.verify(&access).unwrap();
    clock.advance(SignedDuration::from_secs(1));

    assert_eq!(services.verify(&access), Err(VerifyError::Time));
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let (services, clock, access, _) = tokens().await;

    clock.advance(SignedDuration::from_secs(-1));

    assert_eq!(services.verify(&access), Err(VerifyError::Time));
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let (services, _, access, _) = tokens().await;
    let [header, body, signature] = access.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    claims["username"] = json!("usr_2");

    let another = format!("{header}.{}.{signature}", encoded(&claims));
    let unsigned = format!("{}.{body}.", encoded(&json!({"alg": "none"})));
    let unknown = format!("{}.{body}.{signature}", encoded(&json!({"alg": "RS256", "kid": "another"})));

    assert_eq!(services.verify(&another), Err(VerifyError::Signature));
    assert_eq!(services.verify(&unsigned), Err(VerifyError::Algorithm));
    assert_eq!(services.verify(&unknown), Err(VerifyError::UnknownKey));
    assert_eq!(services.verify("no token"), Err(VerifyError::Malformed));
}

#[tokio::test]
async fn a_token_of_another_set_of_services_is_refused_though_the_key_is_the_same() {
    let (_kept, _, access, _) = tokens().await;
    let another = services().await;

    assert_eq!(another.verify(&access), Err(VerifyError::Issuer));
}
