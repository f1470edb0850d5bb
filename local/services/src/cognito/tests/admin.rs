//! What administrators do with users.

use super::{PASSWORD, attribute, create, set_password, sign_in, user};
use crate::test_support::{services, services_at};
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::MessageActionType;
use jiff::SignedDuration;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_new_user_has_its_attributes_and_a_password_to_come() {
    let (services, now) = services_at().await;

    let user = create(&services, "usr_1").await;

    assert_eq!(user.username(), Some("usr_1"));
    assert!(user.enabled());
    assert_eq!(user.user_status().unwrap().as_str(), "FORCE_CHANGE_PASSWORD");
    assert_eq!(user.user_create_date().unwrap().secs(), now.get().as_second());
    let attributes: Vec<_> =
        user.attributes().iter().map(aws_sdk_cognitoidentityprovider::types::AttributeType::name).collect();
    assert_eq!(attributes, ["sub", "email", "email_verified"]);
}

#[tokio::test]
async fn a_user_name_is_taken_once_whatever_its_case() {
    let services = services().await;
    create(&services, "usr_1").await;

    for name in ["usr_1", "USR_1"] {
        let request = services.cognito().admin_create_user().user_pool_id(services.user_pool_id()).username(name);
        let error = request.message_action(MessageActionType::Suppress).send().await.unwrap_err();
        assert!(error.into_service_error().is_username_exists_exception());
    }
}

#[tokio::test]
async fn two_users_may_share_an_email_address() {
    let services = services().await;

    let (one, other) = (create(&services, "usr_1").await, create(&services, "usr_2").await);

    assert_eq!(one.attributes()[1], other.attributes()[1]);
    assert_ne!(one.attributes()[0], other.attributes()[0], "each has its own sub");
}

#[tokio::test]
async fn a_user_who_would_be_written_to_is_not_created() {
    let services = services().await;

    let request = services.cognito().admin_create_user().user_pool_id(services.user_pool_id()).username("usr_1");
    let error = request.send().await.unwrap_err().into_service_error();

    assert!(error.is_invalid_parameter_exception());
}

#[tokio::test]
async fn an_attribute_outside_the_schema_is_refused() {
    let services = services().await;
    create(&services, "usr_1").await;

    for (name, value) in [("shoe_size", "43"), ("sub", "1"), ("email", "no address")] {
        let request = services.cognito().admin_update_user_attributes().user_pool_id(services.user_pool_id());
        let error = request.username("usr_1").user_attributes(attribute(name, value)).send().await.unwrap_err();
        assert!(error.into_service_error().is_invalid_parameter_exception(), "{name}");
    }
}

#[tokio::test]
async fn changed_attributes_are_read_back() {
    let (services, now) = services_at().await;
    create(&services, "usr_1").await;
    now.advance(SignedDuration::from_secs(10));

    let request = services.cognito().admin_update_user_attributes().user_pool_id(services.user_pool_id());
    let request = request.username("usr_1").user_attributes(attribute("email", "new@example.com"));
    request.user_attributes(attribute("given_name", "Ada")).send().await.unwrap();

    let request = services.cognito().admin_get_user().user_pool_id(services.user_pool_id()).username("usr_1");
    let user = request.send().await.unwrap();
    let value = |name: &str| {
        let found = user.user_attributes().iter().find(|attribute| attribute.name() == name);
        found.and_then(|attribute| attribute.value())
    };
    assert_eq!(value("email"), Some("new@example.com"));
    assert_eq!(value("email_verified"), Some("false"), "nobody has verified the new one");
    assert_eq!(value("given_name"), Some("Ada"));
    assert_eq!(user.user_last_modified_date().unwrap().secs(), now.get().as_second());
}

#[tokio::test]
async fn a_permanent_password_confirms_the_user() {
    let services = services().await;
    user(&services, "usr_1").await;

    let request = services.cognito().admin_get_user().user_pool_id(services.user_pool_id()).username("usr_1");
    assert_eq!(request.send().await.unwrap().user_status().unwrap().as_str(), "CONFIRMED");
    sign_in(&services, "usr_1", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_password_that_cognito_would_not_take_is_refused_and_the_old_one_stays() {
    let services = services().await;
    user(&services, "usr_1").await;
    let set = |password: &str| {
        let request = services.cognito().admin_set_user_password().user_pool_id(services.user_pool_id());
        request.username("usr_1").password(password).permanent(true).send()
    };

    let short = set("7 chars").await.unwrap_err().into_service_error();
    assert!(short.is_invalid_password_exception());
    assert_eq!(short.message(), Some("Password did not conform with policy: Password not long enough"));
    for password in [format!(" {PASSWORD}"), format!("{PASSWORD} "), "e".repeat(257)] {
        let error = set(&password).await.unwrap_err().into_service_error();
        assert!(error.is_invalid_parameter_exception(), "{password:?}");
    }

    sign_in(&services, "usr_1", PASSWORD).await.unwrap();
    set_password(&services, "usr_1", &"e".repeat(256)).await;
}

#[tokio::test]
async fn a_deleted_user_is_unknown_and_its_name_free() {
    let services = services().await;
    user(&services, "usr_1").await;
    let delete = || services.cognito().admin_delete_user().user_pool_id(services.user_pool_id()).username("usr_1");

    delete().send().await.unwrap();

    assert!(delete().send().await.unwrap_err().into_service_error().is_user_not_found_exception());
    create(&services, "usr_1").await;
}

#[tokio::test]
async fn administrators_are_told_that_a_user_is_unknown() {
    let services = services().await;
    let (cognito, pool) = (services.cognito(), services.user_pool_id());

    let codes = [
        code(cognito.admin_get_user().user_pool_id(pool).username("usr_0").send().await),
        code(cognito.admin_delete_user().user_pool_id(pool).username("usr_0").send().await),
        code(cognito.admin_user_global_sign_out().user_pool_id(pool).username("usr_0").send().await),
        code(
            cognito
                .admin_update_user_attributes()
                .user_pool_id(pool)
                .username("usr_0")
                .user_attributes(attribute("name", "Ada"))
                .send()
                .await,
        ),
        code(cognito.admin_set_user_password().user_pool_id(pool).username("usr_0").password(PASSWORD).send().await),
    ];

    assert_eq!(codes, ["UserNotFoundException"; 5]);
}

#[tokio::test]
async fn another_pool_does_not_exist() {
    let services = services().await;
    let (cognito, pool) = (services.cognito(), "eu-west-1_Another00");

    let codes = [
        code(cognito.admin_get_user().user_pool_id(pool).username("usr_1").send().await),
        code(cognito.list_users().user_pool_id(pool).send().await),
        code(cognito.admin_user_global_sign_out().user_pool_id(pool).username("usr_1").send().await),
    ];

    assert_eq!(codes, ["ResourceNotFoundException"; 3]);
}

#[tokio::test]
async fn an_operation_that_is_not_offered_says_so() {
    let services = services().await;

    let error = services.cognito().describe_user_pool().user_pool_id(services.user_pool_id()).send().await.unwrap_err();

    assert_eq!(error.code(), Some("UnknownOperationException"));
}

#[tokio::test]
async fn every_user_is_on_exactly_one_page() {
    let services = services().await;
    for number in 0..5 {
        create(&services, &format!("usr_{number}")).await;
    }

    let (mut names, mut sizes, mut token) = (BTreeSet::new(), Vec::new(), None);
    loop {
        let request = services.cognito().list_users().user_pool_id(services.user_pool_id()).limit(2);
        let page = request.set_pagination_token(token).send().await.unwrap();
        sizes.push(page.users().len());
        names.extend(page.users().iter().filter_map(|user| user.username.clone()));
        token = page.pagination_token;
        if token.is_none() {
            break;
        }
    }

    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(names.len(), 5);
}

#[tokio::test]
async fn a_page_is_of_sixty_users_at_most_and_its_token_cognitos_own() {
    let services = services().await;
    let list = || services.cognito().list_users().user_pool_id(services.user_pool_id());

    for request in [list().limit(61), list().pagination_token("?")] {
        assert!(request.send().await.unwrap_err().into_service_error().is_invalid_parameter_exception());
    }
}

#[track_caller]
fn code<T: std::fmt::Debug, E: ProvideErrorMetadata, R>(answer: Result<T, SdkError<E, R>>) -> String
where
    SdkError<E, R>: ProvideErrorMetadata,
{
    match answer {
        Ok(done) => panic!("{done:?}"),
        Err(error) => error.code().unwrap().to_owned(),
    }
}
