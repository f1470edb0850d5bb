//! What we rely on in Cognito.

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::{
    error::SdkError,
    operation::admin_initiate_auth::{AdminInitiateAuthError, AdminInitiateAuthOutput},
    types::{AttributeType, AuthFlowType, AuthenticationResultType, MessageActionType},
};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

use crate::{
    questions,
    subject::{Subject, outcome},
};

const PASSWORD: &str = "violet tractor 42!";
/// A second, and what clocks take.
const A_SECOND: SignedDuration = SignedDuration::from_millis(1_200);

questions! {
    a_name_that_is_taken => "UsernameExistsException",
    a_name_that_is_taken_in_another_case => "UsernameExistsException",
    two_users_of_one_address => "ok",
    a_new_user_has_no_password => "FORCE_CHANGE_PASSWORD",
    a_permanent_password_settles_a_user => "CONFIRMED",
    a_password_shorter_than_the_policy => "InvalidPasswordException",
    a_password_of_257_characters => "InvalidParameterException",
    a_password_with_white_space_at_its_beginning => "InvalidParameterException",
    a_password_with_white_space_at_its_end => "InvalidParameterException",
    the_right_password => "ok, Bearer",
    a_wrong_password => "NotAuthorizedException",
    an_unknown_user_logs_in => "NotAuthorizedException",
    the_right_password_after_five_wrong_ones => "NotAuthorizedException",
    the_right_password_a_second_after_five_wrong_ones => "ok",
    the_right_password_a_second_after_six_wrong_ones => "NotAuthorizedException",
    a_flow_that_the_client_lacks => "InvalidParameterException",
    an_access_token_says_all_that_is_needed => "nothing is missing",
    an_access_token_is_signed_by_a_published_key => "RS256, signed",
    an_id_token_says_whose_it_is => "id, usr_",
    a_refresh_keeps_session_and_begin => "kept",
    a_refresh_gives_no_other_refresh_token => "none",
    a_refresh_after_revocation => "NotAuthorizedException",
    a_refresh_after_a_global_sign_out => "NotAuthorizedException",
    a_refresh_of_a_deleted_user => "NotAuthorizedException",
    a_refresh_after_a_change_of_password => "ok",
    a_second_revocation => "ok",
    changed_attributes => "new@example.com",
    a_deleted_user => "UserNotFoundException",
    a_password_for_an_unknown_user => "UserNotFoundException",
    a_global_sign_out_of_an_unknown_user => "UserNotFoundException",
    a_deleted_name_is_free => "ok",
    users_are_paged_once_each => "3 of 3",
    an_unknown_pool => "ResourceNotFoundException",
}

fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder().name(name).value(value).build().unwrap()
}

async fn create(subject: &Subject, name: &str, email: &str) -> String {
    let user = subject.cognito.admin_create_user().user_pool_id(&subject.pool).username(name);
    let user = user.message_action(MessageActionType::Suppress);
    let user = user.user_attributes(attribute("email", email)).user_attributes(attribute("email_verified", "true"));
    outcome(&user.send().await)
}

async fn set_password(subject: &Subject, name: &str, password: &str) -> String {
    let set = subject.cognito.admin_set_user_password().user_pool_id(&subject.pool).username(name);
    outcome(&set.password(password).permanent(true).send().await)
}

/// Somebody with a password.
async fn user(subject: &Subject) -> String {
    let name = subject.user();
    assert_eq!(create(subject, &name, "ada@example.com").await, "ok");
    assert_eq!(set_password(subject, &name, PASSWORD).await, "ok");
    name
}

type Answer = Result<AdminInitiateAuthOutput, SdkError<AdminInitiateAuthError>>;

async fn initiate(subject: &Subject, flow: AuthFlowType, parameters: &[(&str, &str)]) -> Answer {
    let ask = subject.cognito.admin_initiate_auth().user_pool_id(&subject.pool).client_id(&subject.client);
    let ask = parameters.iter().fold(ask.auth_flow(flow), |ask, (name, value)| ask.auth_parameters(*name, *value));
    ask.send().await
}

async fn log_in(subject: &Subject, name: &str, password: &str) -> Answer {
    initiate(subject, AuthFlowType::AdminUserPasswordAuth, &[("USERNAME", name), ("PASSWORD", password)]).await
}

async fn refresh(subject: &Subject, token: &str) -> Answer {
    initiate(subject, AuthFlowType::RefreshTokenAuth, &[("REFRESH_TOKEN", token)]).await
}

fn tokens(answer: Answer) -> AuthenticationResultType {
    answer.unwrap().authentication_result.unwrap()
}

/// Somebody who has just logged in.
async fn session(subject: &Subject) -> (String, AuthenticationResultType) {
    let name = user(subject).await;
    let tokens = tokens(log_in(subject, &name, PASSWORD).await);
    (name, tokens)
}

fn claims(token: Option<&str>) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn a_name_that_is_taken(subject: &Subject) -> String {
    let name = user(subject).await;
    create(subject, &name, "grace@example.com").await
}

async fn a_name_that_is_taken_in_another_case(subject: &Subject) -> String {
    let name = user(subject).await;
    create(subject, &name.to_uppercase(), "grace@example.com").await
}

async fn two_users_of_one_address(subject: &Subject) -> String {
    create(subject, &subject.user(), "twin@example.com").await;
    create(subject, &subject.user(), "twin@example.com").await
}

async fn status(subject: &Subject, name: &str) -> String {
    let found = subject.cognito.admin_get_user().user_pool_id(&subject.pool).username(name).send().await.unwrap();
    found.user_status.unwrap().as_str().to_owned()
}

async fn a_new_user_has_no_password(subject: &Subject) -> String {
    let name = subject.user();
    create(subject, &name, "ada@example.com").await;
    status(subject, &name).await
}

async fn a_permanent_password_settles_a_user(subject: &Subject) -> String {
    let name = user(subject).await;
    status(subject, &name).await
}

async fn a_password_shorter_than_the_policy(subject: &Subject) -> String {
    let name = user(subject).await;
    set_password(subject, &name, "short 1").await
}

async fn a_password_of_257_characters(subject: &Subject) -> String {
    let name = user(subject).await;
    set_password(subject, &name, &"x".repeat(257)).await
}

async fn a_password_with_white_space_at_its_beginning(subject: &Subject) -> String {
    let name = user(subject).await;
    set_password(subject, &name, " violet tractor").await
}

async fn a_password_with_white_space_at_its_end(subject: &Subject) -> String {
    let name = user(subject).await;
    set_password(subject, &name, "violet tractor ").await
}

async fn the_right_password(subject: &Subject) -> String {
    let name = user(subject).await;
    let tokens = tokens(log_in(subject, &name, PASSWORD).await);
    format!("ok, {}", tokens.token_type.unwrap_or_default())
}

async fn a_wrong_password(subject: &Subject) -> String {
    let name = user(subject).await;
    outcome(&log_in(subject, &name, "wrong tractor 42!").await)
}

async fn an_unknown_user_logs_in(subject: &Subject) -> String {
    outcome(&log_in(subject, &subject.user(), PASSWORD).await)
}

/// A user whose password was guessed wrongly five times.
async fn guessed(subject: &Subject) -> String {
    let name = user(subject).await;
    for _ in 0..5 {
        log_in(subject, &name, "wrong tractor 42!").await.unwrap_err();
    }
    name
}

async fn the_right_password_after_five_wrong_ones(subject: &Subject) -> String {
    let name = guessed(subject).await;
    outcome(&log_in(subject, &name, PASSWORD).await)
}

async fn the_right_password_a_second_after_five_wrong_ones(subject: &Subject) -> String {
    let name = guessed(subject).await;
    subject.pass(A_SECOND).await;
    outcome(&log_in(subject, &name, PASSWORD).await)
}

/// The second wait is twice as long.
async fn the_right_password_a_second_after_six_wrong_ones(subject: &Subject) -> String {
    let name = guessed(subject).await;
    subject.pass(A_SECOND).await;
    log_in(subject, &name, "wrong tractor 42!").await.unwrap_err();
    subject.pass(A_SECOND).await;
    outcome(&log_in(subject, &name, PASSWORD).await)
}

async fn a_flow_that_the_client_lacks(subject: &Subject) -> String {
    let name = user(subject).await;
    outcome(&initiate(subject, AuthFlowType::CustomAuth, &[("USERNAME", &name)]).await)
}

async fn an_access_token_says_all_that_is_needed(subject: &Subject) -> String {
    let (_, tokens) = session(subject).await;
    let claims = claims(tokens.access_token());
    let needed =
        ["iss", "client_id", "token_use", "sub", "username", "iat", "exp", "auth_time", "jti", "origin_jti", "scope"];
    let missing: Vec<_> = needed.into_iter().filter(|name| claims[name].is_null()).collect();
    if missing.is_empty() { "nothing is missing".to_owned() } else { missing.join(", ") }
}

async fn an_access_token_is_signed_by_a_published_key(subject: &Subject) -> String {
    let (_, tokens) = session(subject).await;
    let token = tokens.access_token().unwrap();
    let header = decode_header(token).unwrap();
    let keys: JwkSet = reqwest::get(&subject.keys_url).await.unwrap().json().await.unwrap();
    let Some(key) = keys.find(&header.kid.unwrap_or_default()) else { return "by no published key".to_owned() };
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_aud = false;
    match decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation) {
        Ok(_) => format!("{:?}, signed", header.alg),
        Err(error) => format!("{:?}, {error}", header.alg),
    }
}

async fn an_id_token_says_whose_it_is(subject: &Subject) -> String {
    let (_, tokens) = session(subject).await;
    let claims = claims(tokens.id_token());
    let name: String = claims["cognito:username"].as_str().unwrap_or_default().chars().take(4).collect();
    format!("{}, {name}", claims["token_use"].as_str().unwrap_or_default())
}

async fn a_refresh_keeps_session_and_begin(subject: &Subject) -> String {
    let (_, before) = session(subject).await;
    let after = tokens(refresh(subject, before.refresh_token().unwrap()).await);
    let (before, after) = (claims(before.access_token()), claims(after.access_token()));
    let lost: Vec<_> = ["origin_jti", "auth_time"].into_iter().filter(|name| before[name] != after[name]).collect();
    if lost.is_empty() { "kept".to_owned() } else { format!("another {}", lost.join(", another ")) }
}

async fn a_refresh_gives_no_other_refresh_token(subject: &Subject) -> String {
    let (_, before) = session(subject).await;
    let after = tokens(refresh(subject, before.refresh_token().unwrap()).await);
    after.refresh_token.map_or("none", |_| "another").to_owned()
}

async fn revoke(subject: &Subject, token: &str) -> String {
    outcome(&subject.cognito.revoke_token().client_id(&subject.client).token(token).send().await)
}

async fn a_refresh_after_revocation(subject: &Subject) -> String {
    let (_, tokens) = session(subject).await;
    let token = tokens.refresh_token().unwrap();
    revoke(subject, token).await;
    outcome(&refresh(subject, token).await)
}

async fn sign_out(subject: &Subject, name: &str) -> String {
    let sign_out = subject.cognito.admin_user_global_sign_out().user_pool_id(&subject.pool).username(name);
    outcome(&sign_out.send().await)
}

async fn delete(subject: &Subject, name: &str) -> String {
    outcome(&subject.cognito.admin_delete_user().user_pool_id(&subject.pool).username(name).send().await)
}

async fn a_refresh_after_a_global_sign_out(subject: &Subject) -> String {
    let (name, tokens) = session(subject).await;
    sign_out(subject, &name).await;
    outcome(&refresh(subject, tokens.refresh_token().unwrap()).await)
}

async fn a_refresh_of_a_deleted_user(subject: &Subject) -> String {
    let (name, tokens) = session(subject).await;
    delete(subject, &name).await;
    outcome(&refresh(subject, tokens.refresh_token().unwrap()).await)
}

async fn a_refresh_after_a_change_of_password(subject: &Subject) -> String {
    let (name, tokens) = session(subject).await;
    set_password(subject, &name, "amber tractor 42!").await;
    outcome(&refresh(subject, tokens.refresh_token().unwrap()).await)
}

async fn a_second_revocation(subject: &Subject) -> String {
    let (_, tokens) = session(subject).await;
    revoke(subject, tokens.refresh_token().unwrap()).await;
    revoke(subject, tokens.refresh_token().unwrap()).await
}

async fn changed_attributes(subject: &Subject) -> String {
    let name = user(subject).await;
    let update = subject.cognito.admin_update_user_attributes().user_pool_id(&subject.pool).username(&name);
    update.user_attributes(attribute("email", "new@example.com")).send().await.unwrap();
    let found = subject.cognito.admin_get_user().user_pool_id(&subject.pool).username(&name).send().await.unwrap();
    let email = found.user_attributes().iter().find(|attribute| attribute.name() == "email");
    email.and_then(AttributeType::value).unwrap_or_default().to_owned()
}

async fn a_deleted_user(subject: &Subject) -> String {
    let name = user(subject).await;
    delete(subject, &name).await;
    outcome(&subject.cognito.admin_get_user().user_pool_id(&subject.pool).username(&name).send().await)
}

async fn a_password_for_an_unknown_user(subject: &Subject) -> String {
    set_password(subject, &subject.user(), PASSWORD).await
}

async fn a_global_sign_out_of_an_unknown_user(subject: &Subject) -> String {
    sign_out(subject, &subject.user()).await
}

async fn a_deleted_name_is_free(subject: &Subject) -> String {
    let name = user(subject).await;
    delete(subject, &name).await;
    create(subject, &name, "ada@example.com").await
}

async fn users_are_paged_once_each(subject: &Subject) -> String {
    let mine: BTreeSet<_> = [user(subject).await, user(subject).await, user(subject).await].into();
    let (mut seen, mut token) = (Vec::new(), None);
    loop {
        let page = subject.cognito.list_users().user_pool_id(&subject.pool).limit(2).set_pagination_token(token);
        let page = page.send().await.unwrap();
        let names = page.users().iter().filter_map(|user| user.username()).map(str::to_owned);
        seen.extend(names.filter(|name| mine.contains(name)));
        token = page.pagination_token;
        if token.is_none() {
            let once: BTreeSet<_> = seen.iter().collect();
            return format!("{} of {}", seen.len(), once.len());
        }
    }
}

async fn an_unknown_pool(subject: &Subject) -> String {
    let pool = format!("{}000000000", subject.pool.split('_').next().map(|region| format!("{region}_")).unwrap());
    outcome(&subject.cognito.admin_get_user().user_pool_id(pool).username("usr_1").send().await)
}
