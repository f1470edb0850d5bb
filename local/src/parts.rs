//! The parts that functions are put together from, over the local services.

use local_services::Services;
use shared::{
    clock::Clock,
    identity::Identity,
    mail::Mailer,
    random::Random,
    store::{Db, Outbox, Store, Tables},
};

/// What functions use.
#[derive(Clone, Debug)]
pub struct Parts {
    /// State.
    pub store: Store,
    /// Passwords and tokens.
    pub identity: Identity,
    /// Sending.
    pub mailer: Mailer,
    /// The one clock of everything here.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

impl Parts {
    /// The parts over `services`, of a portal whose links lead to `portal_url`.
    pub fn new(services: &Services, portal_url: &str, clock: &Clock) -> Self {
        let random = Random::system();
        let tables = Tables { portal: services.portal_table().to_owned(), mail: services.mail_table().to_owned() };
        let db = Db::new(services.dynamodb(), tables, random.clone());
        let mailer = Mailer {
            outbox: Outbox::new(db.clone()),
            ses: services.ses(),
            configuration_set: None,
            portal_url: portal_url.to_owned(),
            random: random.clone(),
        };
        let identity = Identity::new(services.cognito(), services.user_pool_id(), services.client_id());
        Self { store: Store::new(db), identity, mailer, clock: clock.clone(), random }
    }
}
