//! The configuration, read once at start. Nothing else reads the environment.

use aws_config::{BehaviorVersion, SdkConfig};

use crate::{
    identity::Identity,
    mail::Mailer,
    random::Random,
    store::{Db, Outbox, Store, Tables},
};

/// What the deployment tells a function. A variable that the function does not use may be missing.
#[derive(Clone, Debug)]
pub struct Config {
    /// `PORTAL_TABLE`: the table of state.
    pub portal_table: Option<String>,
    /// `MAIL_TABLE`: the table of mail.
    pub mail_table: Option<String>,
    /// `USER_POOL_ID`: the Cognito user pool.
    pub user_pool_id: Option<String>,
    /// `USER_POOL_CLIENT_ID`: the pool's app client.
    pub user_pool_client_id: Option<String>,
    /// `OWN_USER_POOL`: `true` where the pool was made for this portal alone, `false` where it was there before.
    pub own_user_pool: Option<String>,
    /// `PORTAL_URL`: where mailed links lead.
    pub portal_url: Option<String>,
    /// `CONFIGURATION_SET`: the SES configuration set.
    pub configuration_set: Option<String>,
}

/// A variable that a function needs is missing or makes no sense: the function does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// It is no web address, or holds characters that an address in HTML cannot hold.
    #[error("the environment variable {0} is not a web address")]
    NoUrl(&'static str),
    /// It is neither `true` nor `false`.
    #[error("the environment variable {0} is neither true nor false")]
    NoSwitch(&'static str),
}

impl Config {
    /// Reads the environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one home of the configuration")]
    pub fn from_env() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        Self {
            portal_table: variable("PORTAL_TABLE"),
            mail_table: variable("MAIL_TABLE"),
            user_pool_id: variable("USER_POOL_ID"),
            user_pool_client_id: variable("USER_POOL_CLIENT_ID"),
            own_user_pool: variable("OWN_USER_POOL"),
            portal_url: variable("PORTAL_URL"),
            configuration_set: variable("CONFIGURATION_SET"),
        }
    }
}

/// The parts that the deployed functions are put together from.
#[derive(Clone, Debug)]
pub struct Deployed {
    config: Config,
    sdk: SdkConfig,
    random: Random,
}

impl Deployed {
    /// Reads the environment and prepares the SDK. Calls nothing.
    pub async fn from_env() -> Self {
        let sdk = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
        Self { config: Config::from_env(), sdk, random: Random::system() }
    }

    /// Randomness of the operating system.
    #[must_use]
    pub fn random(&self) -> Random {
        self.random.clone()
    }

    /// The store.
    pub fn store(&self) -> Result<Store, ConfigError> {
        let portal = required(self.config.portal_table.as_ref(), "PORTAL_TABLE")?;
        self.db(portal).map(Store::new)
    }

    /// The user pool.
    pub fn identity(&self) -> Result<Identity, ConfigError> {
        let client = aws_sdk_cognitoidentityprovider::Client::new(&self.sdk);
        let pool_id = required(self.config.user_pool_id.as_ref(), "USER_POOL_ID")?;
        Ok(Identity::new(client, pool_id, required(self.config.user_pool_client_id.as_ref(), "USER_POOL_CLIENT_ID")?))
    }

    /// Whether the user pool is this portal's alone.
    pub fn owns_pool(&self) -> Result<bool, ConfigError> {
        switch(&required(self.config.own_user_pool.as_ref(), "OWN_USER_POOL")?, "OWN_USER_POOL")
    }

    /// The mailer, which knows the mail table alone.
    pub fn mailer(&self) -> Result<Mailer, ConfigError> {
        Ok(Mailer {
            outbox: Outbox::new(self.db(String::new())?),
            ses: aws_sdk_sesv2::Client::new(&self.sdk),
            configuration_set: self.config.configuration_set.clone(),
            portal_url: web_address(required(self.config.portal_url.as_ref(), "PORTAL_URL")?)?,
            random: self.random.clone(),
        })
    }

    fn db(&self, portal: String) -> Result<Db, ConfigError> {
        let mail = required(self.config.mail_table.as_ref(), "MAIL_TABLE")?;
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        Ok(Db::new(client, Tables { portal, mail }, self.random.clone()))
    }
}

fn web_address(url: String) -> Result<String, ConfigError> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '&' | '#' | '?');
    if web && !url.contains(odd) { Ok(url) } else { Err(ConfigError::NoUrl("PORTAL_URL")) }
}

fn switch(value: &str, name: &'static str) -> Result<bool, ConfigError> {
    value.parse().map_err(|_| ConfigError::NoSwitch(name))
}

fn required(value: Option<&String>, name: &'static str) -> Result<String, ConfigError> {
    value.cloned().ok_or(ConfigError::Missing(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_true_or_false_and_nothing_is_guessed() {
        assert!(matches!((switch("true", "X"), switch("false", "X")), (Ok(true), Ok(false))));
        for value in ["", "True", "yes", "1", " true"] {
            assert!(matches!(switch(value, "X"), Err(ConfigError::NoSwitch("X"))), "{value}");
        }
    }

    #[test]
    fn only_plain_web_addresses_are_addresses_of_a_portal() {
        assert!(web_address("https://portal.example.com/path".to_owned()).is_ok());
        for url in ["portal.example.com", "javascript:alert(1)", "https://a\"b", "https://a/#b", "https://a b"] {
            assert!(web_address(url.to_owned()).is_err(), "{url}");
        }
    }
}
