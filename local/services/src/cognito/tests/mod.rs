//! The pool as the SDK sees it.

mod admin;
mod sessions;
mod sign_in;
mod tokens;

use crate::Services;
use aws_sdk_cognitoidentityprovider::error::SdkError;
use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::AdminInitiateAuthError;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, MessageActionType, UserType,
};

const PASSWORD: &str = "correct horse";

/// A signed-in user's tokens, or why there are none.
type SignIn = Result<AuthenticationResultType, AdminInitiateAuthError>;

fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder().name(name).value(value).build().unwrap()
}

/// Creates a user without a password that anybody knows.
async fn create(services: &Services, name: &str) -> UserType {
    let request = services.cognito().admin_create_user().user_pool_id(services.user_pool_id()).username(name);
    let request = request.message_action(MessageActionType::Suppress);
    let request = request.user_attributes(attribute("email", "ada@example.com"));
    request.user_attributes(attribute("email_verified", "true")).send().await.unwrap().user.unwrap()
}

async fn set_password(services: &Services, name: &str, password: &str) {
    let request = services.cognito().admin_set_user_password().user_pool_id(services.user_pool_id());
    request.username(name).password(password).permanent(true).send().await.unwrap();
}

/// A user who signs in with [`PASSWORD`].
async fn user(services: &Services, name: &str) {
    create(services, name).await;
    set_password(services, name, PASSWORD).await;
}

async fn sign_in(services: &Services, name: &str, password: &str) -> SignIn {
    let flow = AuthFlowType::AdminUserPasswordAuth;
    initiate(services, flow, &[("USERNAME", name), ("PASSWORD", password)]).await
}

async fn refresh(services: &Services, token: &str) -> SignIn {
    initiate(services, AuthFlowType::RefreshTokenAuth, &[("REFRESH_TOKEN", token)]).await
}

async fn initiate(services: &Services, flow: AuthFlowType, parameters: &[(&str, &str)]) -> SignIn {
    let request = services.cognito().admin_initiate_auth();
    let request = request.user_pool_id(services.user_pool_id()).client_id(services.client_id()).auth_flow(flow);
    let request = parameters.iter().fold(request, |request, (name, value)| request.auth_parameters(*name, *value));
    let answer = request.send().await.map_err(SdkError::into_service_error)?;
    Ok(answer.authentication_result.expect("no challenge"))
}

/// The message of a refusal to sign in.
#[track_caller]
fn refused(answer: SignIn) -> String {
    match answer {
        Err(AdminInitiateAuthError::NotAuthorizedException(refusal)) => refusal.message.unwrap(),
        other => panic!("{other:?}"),
    }
}
