//! The AWS SDK's clients for the services that run here: credentials that open nothing, addresses on loopback.

use crate::Endpoints;
use crate::calls::Calls;
use crate::tap::Tap;
use aws_sdk_cognitoidentityprovider as cognito;
use aws_sdk_dynamodb as dynamodb;
use aws_sdk_dynamodbstreams as streams;
use aws_sdk_sesv2 as ses;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::sync::Arc;

/// The region that the services pretend to be in.
pub const REGION: &str = "eu-west-1";
/// Both halves of the credentials; nothing checks them.
pub const CREDENTIAL: &str = "local";

/// A client per service; they share their connections.
#[derive(Debug)]
pub struct Clients {
    pub dynamodb: dynamodb::Client,
    pub streams: streams::Client,
    pub cognito: cognito::Client,
    pub ses: ses::Client,
}

/// The configuration of one service's client; each SDK crate has types of its own for the same thing.
macro_rules! config {
    ($service:ident, $endpoint:expr, $http:expr) => {
        $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::v2026_01_12())
            .region($service::config::Region::new(REGION))
            .credentials_provider($service::config::Credentials::new(CREDENTIAL, CREDENTIAL, None, None, "local"))
            .endpoint_url($endpoint)
            .http_client($http.clone())
            .build()
    };
}

impl Clients {
    /// Clients of the services at `endpoints` whose calls pass through `calls`.
    pub fn new(endpoints: &Endpoints, calls: &Arc<Calls>) -> Self {
        let plain = aws_smithy_http_client::Builder::new().build_http();
        let http = SharedHttpClient::new(Tap::new(plain, calls.clone()));
        Self {
            dynamodb: dynamodb::Client::from_conf(config!(dynamodb, &endpoints.dynamodb, http)),
            streams: streams::Client::from_conf(config!(streams, &endpoints.dynamodb, http)),
            cognito: cognito::Client::from_conf(config!(cognito, &endpoints.cognito, http)),
            ses: ses::Client::from_conf(config!(ses, &endpoints.ses, http)),
        }
    }
}
