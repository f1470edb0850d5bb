//! A portal in memory.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use local_services::{Call, Mail, Services};
use shared::{
    clock::Clock,
    domain::{
        audit::{Actor, Origin},
        email::Email,
        ids::{MailId, OrganisationId, TeamId, UserId},
        name::Name,
        organisation::Placement,
        password::Password,
        settings::Settings,
        suppression::Trouble,
        user::{NewUser, Role, SessionId, Source, Start, Status, User},
    },
    identity::Identity,
    mail::Mailer,
    random::Random,
    store::{Creation, Db, Noted, Opening, Outbox, SettingsChange, Store, Tables, keys},
};

/// A password that every policy of the tests takes.
pub const PASSWORD: &str = "violet tractor 42!";
/// What passes between two steps of a test, so that they have an order.
const A_MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// A fresh portal: embedded tables, Cognito and SES of its own, the foundation laid, a clock that stands still.
#[expect(missing_debug_implementations, reason = "the services behind it have no printable state")]
pub struct Bench {
    /// The AWS services.
    pub services: Services,
    /// The portal's time.
    pub clock: Clock,
    /// State.
    pub store: Store,
    /// Passwords.
    pub identity: Identity,
    /// Mail.
    pub mailer: Mailer,
    /// Randomness.
    pub random: Random,
}

/// A person with a session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person as they were when they logged in.
    pub user: User,
    /// Their session.
    pub session: SessionId,
    /// Their refresh token.
    pub refresh_token: String,
}

/// A portal and an API Owner at work.
pub async fn portal() -> (Bench, SignedIn) {
    let bench = Bench::new().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    (bench, owner)
}

impl Bench {
    /// Starts a portal on 15 January 2026.
    pub async fn new() -> Self {
        Self::without_foundation().await.founded().await
    }

    /// The same with ids and links that are always the same ones.
    pub async fn seeded(seed: u64) -> Self {
        Self::drawing(Random::seeded(seed)).await.founded().await
    }

    async fn founded(self) -> Self {
        let settings = Settings { sender: Some(email("portal@example.com")), ..Settings::default() };
        self.store.lay_foundation(&settings, &self.origin()).await.unwrap();
        self
    }

    /// Starts the services of a portal that was never deployed: empty tables, an empty pool.
    pub async fn without_foundation() -> Self {
        Self::drawing(Random::system()).await
    }

    async fn drawing(random: Random) -> Self {
        let clock = Clock::stopped("2026-01-15T09:30:00Z".parse().unwrap());
        let now = clock.clone();
        let services = Services::in_memory(Arc::new(move || now.now())).await.unwrap();
        let tables = Tables { portal: services.portal_table().to_owned(), mail: services.mail_table().to_owned() };
        let db = Db::new(services.dynamodb(), tables, random.clone());
        let store = Store::new(db.clone());
        let identity = Identity::new(services.cognito(), services.user_pool_id(), services.client_id());
        let mailer = Mailer {
            outbox: Outbox::new(db),
            ses: services.ses(),
            configuration_set: None,
            portal_url: "https://portal.example.com".to_owned(),
            random: random.clone(),
        };
        Self { services, clock, store, identity, mailer, random }
    }

    /// What the system does now.
    pub fn origin(&self) -> Origin {
        Origin::new(Actor::System, "test", self.clock.now())
    }

    /// Moves the portal's clock.
    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// Changes the settings.
    pub async fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.advance(A_MOMENT);
        let before = self.store.settings().await.unwrap();
        let mut after = before.clone();
        change(&mut after);
        let changed = self.store.change_settings(&before, after, &self.origin()).await.unwrap();
        assert_eq!(changed, SettingsChange::Done);
    }

    /// A person in the default place (API Owners in none) with [`PASSWORD`], in `status`.
    pub async fn person(&self, address: &str, role: Role, status: Status) -> User {
        let place = (role != Role::ApiOwner).then(Placement::default_place);
        self.person_at(address, role, status, place).await
    }

    /// A person somewhere with [`PASSWORD`], in `status`.
    pub async fn person_at(&self, address: &str, role: Role, status: Status, place: Option<Placement>) -> User {
        self.advance(A_MOMENT);
        let new = NewUser {
            email: email(address),
            first_name: Name::parse("Grace").unwrap(),
            last_name: Name::parse("Hopper").unwrap(),
            role,
            placement: place,
            source: Source::ApiOwner,
            start: Start::Becoming(status),
        };
        let Creation::Begun(user) = self.store.begin_creation(new, &self.origin()).await.unwrap() else {
            panic!("{address} could not be created")
        };
        self.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
        self.store.finish_creation(&user, &[], &self.origin()).await.unwrap();
        self.read(&user.id).await
    }

    /// An active person with a session.
    pub async fn signed_in(&self, address: &str, role: Role) -> SignedIn {
        let user = self.person(address, role, Status::Active).await;
        self.sign_in(&user).await
    }

    /// A session of an active person with [`PASSWORD`].
    pub async fn sign_in(&self, user: &User) -> SignedIn {
        self.sign_in_with(user, PASSWORD).await
    }

    /// A session of an active person with another password.
    pub async fn sign_in_with(&self, user: &User, password: &str) -> SignedIn {
        let facts = self.store.login_facts(&user.email).await.unwrap();
        let tokens = self.identity.log_in(Some(&user.id), 0, &Password::new(password)).await.unwrap().unwrap();
        let now = self.clock.now();
        let opening = self.store.open_session(&facts.account.unwrap(), &tokens.session, true, now).await.unwrap();
        assert_eq!(opening, Opening::Opened);
        let refresh_token = tokens.refresh_token.unwrap();
        SignedIn { user: self.read(&user.id).await, session: tokens.session, refresh_token }
    }

    /// A further organisation with a default team and `teams` more, written straight into the table.
    pub async fn organisation(&self, name: &str, teams: usize) -> (OrganisationId, Vec<TeamId>) {
        organisation(&self.services, self.clock.now(), name, teams).await
    }

    /// A person as the table now has them.
    pub async fn read(&self, id: &UserId) -> User {
        self.store.person(id).await.unwrap().unwrap()
    }

    /// Sends everything in the outbox and returns what has come to `address` so far, the newest first.
    pub async fn mails(&self, address: &str) -> Vec<Mail> {
        let later = self.clock.now() + SignedDuration::from_millis(1);
        let (_, failures) = self.mailer.deliver_unsent(later, 100, self.clock.now()).await.unwrap();
        assert!(failures.is_empty(), "{failures:?}");
        self.services.mailbox().list(Some(address)).unwrap()
    }

    /// Lets nothing more be sent to `address`, as a mail that bounced does.
    pub async fn suppress(&self, address: &str) {
        let (mail, to) = (MailId::new(self.clock.now(), self.random.number()), email(address));
        let facts = self.store.feedback_facts(&mail, &to).await.unwrap();
        let noted = self.store.note_trouble(&facts, &mail, &to, Trouble::Bounced, &self.origin()).await.unwrap();
        assert_eq!(noted, Noted::Done);
    }

    /// The events of the mails that have come to `address`, the oldest first.
    pub async fn mail_events(&self, address: &str) -> Vec<String> {
        self.mails(address).await.into_iter().rev().filter_map(|mail| mail.event).collect()
    }

    /// The token of the link in the newest mail to `address`.
    pub async fn token(&self, address: &str) -> String {
        let mails = self.mails(address).await;
        let text = mails.first().and_then(|mail| mail.text.clone()).unwrap();
        text.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// The calls that `work` makes, in their order.
    pub async fn calls<T>(&self, work: impl Future<Output = T>) -> (T, Vec<Call>) {
        self.advance(A_MOMENT);
        self.services.calls().forget();
        let result = work.await;
        (result, self.services.calls().made())
    }

    /// The instant of the portal's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// An organisation with a default team and `teams` more, written straight into the table of any portal.
pub async fn organisation(
    services: &Services,
    now: Timestamp,
    name: &str,
    teams: usize,
) -> (OrganisationId, Vec<TeamId>) {
    let random = Random::system();
    let id = OrganisationId::new(now, random.number());
    let team_ids: Vec<_> = (0..=teams).map(|_| TeamId::new(now, random.number())).collect();
    let mut rows = vec![serde_json::json!({
        "pk": format!("ORG#{id}"), "sk": "ORG", "id": id, "name": name, "default_team_id": team_ids[0],
        "list_pk": keys::ALL_ORGANISATIONS, "list_sk": id,
        "created_at": now.as_millisecond(), "updated_at": now.as_millisecond(),
    })];
    rows.extend(team_ids.iter().enumerate().map(|(number, team)| {
        serde_json::json!({
            "pk": format!("TEAM#{team}"), "sk": "TEAM", "id": team, "name": format!("{name} team {number}"),
            "organisation_id": id, "created_at": now.as_millisecond(), "updated_at": now.as_millisecond(),
            "group_pk": keys::teams_of(&id), "group_sk": team,
        })
    }));
    for row in rows {
        let item = serde_dynamo::to_item(row).unwrap();
        let put = services.dynamodb().put_item().table_name(services.portal_table());
        put.set_item(Some(item)).send().await.unwrap();
    }
    (id, team_ids)
}

/// An address, known to be one.
pub fn email(address: &str) -> Email {
    Email::parse(address).unwrap()
}
