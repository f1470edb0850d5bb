//! Who is asked: clients of the services, and two tables, a pool and a sender there.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_sdk_cognitoidentityprovider as cognito;
use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, ExplicitAuthFlowsType, PasswordPolicyType, UserPoolPolicyType, UsernameConfigurationType,
};
use aws_sdk_dynamodb as dynamodb;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use aws_sdk_dynamodbstreams as dynamodbstreams;
use aws_sdk_sesv2 as ses;
use jiff::SignedDuration;
use local_services::Services;
use shared::clock::Clock;
use tokio::time::sleep;

/// Whose mail it is.
pub const SENDER: &str = "portal@example.com";
/// The index of the table.
pub const INDEX: &str = "Lists";

/// Somebody who is asked.
pub struct Subject {
    pub name: &'static str,
    pub dynamodb: dynamodb::Client,
    pub streams: dynamodbstreams::Client,
    pub cognito: cognito::Client,
    pub ses: ses::Client,
    pub table: String,
    /// The table that has a stream.
    pub streamed: String,
    pub pool: String,
    pub client: String,
    /// Where the pool publishes the keys of its tokens.
    pub keys_url: String,
    /// Its time, where that is ours to move.
    clock: Option<Clock>,
    /// Kept alive while it is asked.
    _services: Option<Services>,
    keys: AtomicUsize,
}

macro_rules! config {
    ($service:ident, $address:expr, $http:expr) => {
        $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::v2026_01_12())
            .region($service::config::Region::new("eu-west-1"))
            .credentials_provider($service::config::Credentials::new("test", "test", None, None, "test"))
            .endpoint_url($address)
            .http_client($http.clone())
            .build()
    };
}

impl Subject {
    /// Our own parts.
    pub async fn embedded() -> Self {
        let clock = Clock::stopped(Clock::system().now());
        let now = clock.clone();
        let services = Services::in_memory(Arc::new(move || now.now())).await.unwrap();
        Self {
            name: "embedded",
            dynamodb: services.dynamodb(),
            streams: services.dynamodb_streams(),
            cognito: services.cognito(),
            ses: services.ses(),
            table: services.portal_table().to_owned(),
            streamed: services.mail_table().to_owned(),
            pool: services.user_pool_id().to_owned(),
            client: services.client_id().to_owned(),
            keys_url: services.jwks_url(),
            clock: Some(clock),
            _services: Some(services),
            keys: AtomicUsize::new(0),
        }
    }

    /// An emulator, in which everything is made first.
    pub async fn emulator(name: &str, address: &str) -> Self {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let dynamodb = dynamodb::Client::from_conf(config!(dynamodb, address, http));
        let streams = dynamodbstreams::Client::from_conf(config!(dynamodbstreams, address, http));
        let cognito = cognito::Client::from_conf(config!(cognito, address, http));
        let ses = ses::Client::from_conf(config!(ses, address, http));
        let (table, streamed) = (table(&dynamodb).await, streamed(&dynamodb).await);
        let (pool, client) = pool(&cognito).await;
        ses.create_email_identity().email_identity(SENDER).send().await.unwrap();
        let name = ["ministack", "moto"].into_iter().find(|known| *known == name).unwrap();
        let keys_url = format!("{address}/{pool}/.well-known/jwks.json");
        let keys = AtomicUsize::new(0);
        Self {
            name,
            dynamodb,
            streams,
            cognito,
            ses,
            table,
            streamed,
            pool,
            client,
            keys_url,
            clock: None,
            _services: None,
            keys,
        }
    }

    /// Lets time pass.
    pub async fn pass(&self, time: SignedDuration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => sleep(time.unsigned_abs()).await,
        }
    }

    /// A key that no question had before.
    pub fn key(&self) -> String {
        format!("OPINION#{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// A user name that no question had before.
    pub fn user(&self) -> String {
        format!("usr_opinion{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }
}

fn attribute(name: &str) -> AttributeDefinition {
    let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
    attribute.build().unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

/// A table of our keys.
fn create(dynamodb: &dynamodb::Client, name: &str) -> CreateTableFluentBuilder {
    let table = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let table = table.attribute_definitions(attribute("pk")).attribute_definitions(attribute("sk"));
    table.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range))
}

async fn table(dynamodb: &dynamodb::Client) -> String {
    let index = GlobalSecondaryIndex::builder()
        .index_name(INDEX)
        .key_schema(key("list_pk", KeyType::Hash))
        .key_schema(key("list_sk", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    let table = create(dynamodb, "opinions");
    let table = table.attribute_definitions(attribute("list_pk")).attribute_definitions(attribute("list_sk"));
    table.global_secondary_indexes(index.build().unwrap()).send().await.unwrap();
    "opinions".to_owned()
}

async fn streamed(dynamodb: &dynamodb::Client) -> String {
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage);
    create(dynamodb, "opinions-streamed").stream_specification(stream.build().unwrap()).send().await.unwrap();
    "opinions-streamed".to_owned()
}

/// A pool as `template.yaml` makes it.
async fn pool(cognito: &cognito::Client) -> (String, String) {
    let policy = PasswordPolicyType::builder()
        .minimum_length(8)
        .require_lowercase(false)
        .require_uppercase(false)
        .require_numbers(false)
        .require_symbols(false);
    let pool = cognito.create_user_pool().pool_name("opinions");
    let pool = pool.username_configuration(UsernameConfigurationType::builder().case_sensitive(false).build().unwrap());
    let pool =
        pool.admin_create_user_config(AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build());
    let pool =
        pool.policies(UserPoolPolicyType::builder().password_policy(policy.build()).build()).send().await.unwrap();
    let pool = pool.user_pool.unwrap().id.unwrap();
    let client = cognito.create_user_pool_client().user_pool_id(&pool).client_name("opinions");
    let client = client.explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth);
    let client = client.explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth).enable_token_revocation(true);
    let client = client.prevent_user_existence_errors(cognito::types::PreventUserExistenceErrorTypes::Enabled);
    let client = client.send().await.unwrap().user_pool_client.unwrap().client_id.unwrap();
    (pool, client)
}

/// A text as an attribute of an item.
pub fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// The code of an error, or `ok`.
pub fn outcome<T, E: cognito::error::ProvideErrorMetadata>(result: &Result<T, E>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().unwrap_or("an error without a code").to_owned(),
    }
}
