//! Registering: a new address becomes a person, a known one gets a mail, and nobody outside can tell which.

use super::{
    Record, Store, StoreError, Told,
    change::Change,
    keys::{self, Key},
    mail_limit::CountedMail,
    rows::{Sentinel, Stage},
    transaction::{Commit, Transaction},
};
use crate::{
    domain::{
        attribute::Definitions,
        audit::{AuditEvent, Origin},
        email::Email,
        idempotency::Repeatable,
        link::CONFIRM_LIFE,
        settings::Settings,
        source::SourceAddress,
        throttle::{Throttle, Window},
        user::{Newcomer, Source, Status, User},
    },
    mail::Composer,
};

/// What a registration is decided from.
#[derive(Clone, Debug)]
pub struct RegistrationFacts {
    /// The portal's settings.
    pub settings: Settings,
    /// The custom attributes.
    pub attributes: Definitions,
    /// The account behind the address, if there is one.
    pub known: Option<Sentinel>,
    /// The sign-ups that came from the source before, where it was asked for.
    pub sign_ups: Option<Window>,
    /// The record of the request, where it is a repeat.
    pub record: Option<Record>,
}

/// What became of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The person is written.
    New(Box<User>),
    /// The address was taken a moment ago.
    Taken(Sentinel),
    /// A request with the same key was there first.
    Repeated(Record),
}

impl Store {
    /// Reads settings, attributes and address in one batch. Without an address nobody is looked for: what was sent is none.
    pub async fn registration_facts<'a>(
        &self,
        email: impl Into<Option<&'a Email>>,
    ) -> Result<RegistrationFacts, StoreError> {
        self.facts(email, None, None).await
    }

    /// The same with the sign-ups from `source` and, where the request may be a repeat, the record of its first.
    pub async fn sign_up_facts<'a>(
        &self,
        email: impl Into<Option<&'a Email>>,
        source: &SourceAddress,
        sought: Option<&Repeatable>,
    ) -> Result<RegistrationFacts, StoreError> {
        self.facts(email, Some(source), sought).await
    }

    async fn facts<'a>(
        &self,
        email: impl Into<Option<&'a Email>>,
        source: Option<&SourceAddress>,
        sought: Option<&Repeatable>,
    ) -> Result<RegistrationFacts, StoreError> {
        let address = email.into().map(Key::email);
        let sign_ups = source.map(|source| Key::throttle(Throttle::SignUps, source));
        let further = address.clone().into_iter().chain(sign_ups.clone()).chain(sought.map(Repeatable::key));
        let fetched = self.db.fetch([Key::settings(), Key::attributes()].into_iter().chain(further)).await?;
        Ok(RegistrationFacts {
            settings: fetched.settings()?,
            attributes: fetched.attributes()?,
            known: address.map_or(Ok(None), |address| fetched.get(&address))?,
            sign_ups: sign_ups.map_or(Ok(None), |sign_ups| fetched.get(&sign_ups))?,
            record: fetched.record(sought)?,
        })
    }

    /// Writes a registration that waits for its address to be confirmed, or nothing where the address is taken.
    ///
    /// One transaction: person, e-mail sentinel, membership, audit, outbox, record. The default team is never deleted, so
    /// it needs no check.
    pub async fn register(&self, new: impl Into<Newcomer>, origin: &Origin) -> Result<Registered, StoreError> {
        let user = new.into().at(origin.now, self.db.random.number());
        let mut transaction = Transaction::default();
        let address = transaction.create_sentinel(&user, Stage::Unconfirmed, None);
        transaction.create_user(&user);
        transaction.create_memberships(&user);
        transaction.audit(&self.created(origin, &user));
        let until = origin.now + CONFIRM_LIFE;
        transaction.mail(&self.compose(origin).confirm_registration(&user.email, &user.id, user.link_version, until));
        let record = transaction.record(origin, &Told::of(&user));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Registered::New(Box::new(user))),
            Commit::Lost(lost) => match (lost.record(record)?, lost.row(address)?) {
                (Some(record), _) => Ok(Registered::Repeated(record)),
                (None, Some(known)) => Ok(Registered::Taken(known)),
                (None, None) => Err(StoreError::Busy),
            },
        }
    }

    /// Mails the holder of a known address, unless they had their share of mails; nothing of the person changes. The
    /// visitor is told what a new person in `status` would be. Returns the record of a request with the same key that
    /// was there first.
    ///
    /// One transaction: audit, record; sentinel (the mail counts), outbox.
    pub async fn register_known(
        &self,
        email: &Email,
        known: &Sentinel,
        status: Status,
        origin: &Origin,
    ) -> Result<Option<Record>, StoreError> {
        let mut transaction = Transaction::default();
        self.mail_known(&mut transaction, email, known, origin);
        let record = transaction.record(origin, &Told { status, begun: None });
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(None),
            // Without a record, another mail to the same address or a step of its holder came first.
            Commit::Lost(lost) => lost.record(record),
        }
    }

    /// Adds the audit of a registration with a known address, and its mail unless the address had its share.
    pub(super) fn mail_known(&self, transaction: &mut Transaction, email: &Email, known: &Sentinel, origin: &Origin) {
        transaction.audit(&self.event(origin, "registration.repeated", Some(known.user_id.as_str())));
        if let Some(counted) = CountedMail::another(known, origin.now) {
            transaction.add(counted.counted(Key::email(email), known, ""));
            transaction.mail(&self.compose(origin).known_address(email, known));
        }
    }

    /// Mails the confirmation again and voids every earlier link, where the address waits for confirmation. For any
    /// other address, and for one that had its share of mails, it writes the audit event alone, so that all take the
    /// same calls and no link is voided without a new one.
    ///
    /// One transaction: audit; person and sentinel (`link_version`, the mail counts), outbox.
    pub async fn resend_confirmation(
        &self,
        email: &Email,
        known: Option<&Sentinel>,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let unconfirmed = known.filter(|known| known.stage == Stage::Unconfirmed);
        let mut transaction = Transaction::default();
        let target = unconfirmed.map(|known| known.user_id.as_str());
        transaction.audit(&self.event(origin, "registration.resend_requested", target));
        let counted = unconfirmed.and_then(|known| Some((known, CountedMail::another(known, origin.now)?)));
        if let Some((known, counted)) = counted {
            let (raised, until) = (known.link_version + 1, origin.now + CONFIRM_LIFE);
            let user = Change::update(
                Key::user(&known.user_id),
                "SET #link_version = :raised, #status_since = :now, #queue_sk = :queue_sk",
            )
            .when("#status = :unconfirmed AND #link_version = :version")
            .with("raised", raised)
            .with("version", known.link_version)
            .with("unconfirmed", Status::Unconfirmed)
            .with("now", origin.now.as_millisecond())
            .with("queue_sk", keys::instant_and_id(origin.now, known.user_id.as_str()));
            transaction.add(user);
            let more = ", #link_version = :raised, #confirm_until = :until";
            let sentinel = counted.counted(Key::email(email), known, more);
            transaction.add(sentinel.with("until", until.as_millisecond()).with("raised", raised));
            transaction.mail(&self.compose(origin).confirm_registration(email, &known.user_id, raised, until));
        }
        // Who loses a race here was overtaken by another resend or by the confirmation: the mail is out or not needed.
        self.db.commit(transaction).await.map(drop)
    }

    pub(super) fn event(&self, origin: &Origin, action: &str, target: Option<&str>) -> AuditEvent {
        AuditEvent::new(origin, self.db.random.number(), action, target)
    }

    /// The event of a new person: what they start as and where, nothing of who they are.
    pub(super) fn created(&self, origin: &Origin, user: &User) -> AuditEvent {
        let action = match user.source {
            Source::SelfRegistration | Source::InviteCode => "registration.created",
            Source::Invitation | Source::ApiOwner | Source::Sso => "user.created",
        };
        self.event(origin, action, Some(user.id.as_str()))
            .change("status", (), user.status)
            .change("role", (), user.role)
            .change("organisation_id", (), &user.organisation_id)
            .change("team_ids", (), &user.team_ids)
    }

    pub(super) fn compose(&self, origin: &Origin) -> Composer<'_> {
        Composer { now: origin.now, random: &self.db.random }
    }
}
