//! Confirming a registration: link, claim, Cognito, consume (`docs/architecture.md`, section 3.6).

use jiff::Timestamp;

use super::{
    Store, StoreError,
    change::Change,
    claim::CLAIM,
    keys::Key,
    rows::{INTO_STATUS, Owners, Stage, confirmed, into_status},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    attribute::Definitions,
    audit::Origin,
    email::Email,
    link::{HashedToken, Link},
    settings::Settings,
    user::{Role, Status, User},
};

/// What a link's use is decided from.
#[derive(Clone, Debug)]
pub struct LinkFacts {
    /// The link, where one is stored under the token.
    pub link: Option<Link>,
    /// The portal's settings.
    pub settings: Settings,
    /// The custom attributes.
    pub attributes: Definitions,
    /// Who is told that a registration waits.
    pub owners_to_notify: Vec<Email>,
}

/// The addresses that are told of what waits.
pub(super) fn to_notify(settings: &Settings, owners: Owners) -> Vec<Email> {
    let set = &settings.owner_notification_addresses;
    if set.is_empty() { owners.members.into_values().collect() } else { set.clone() }
}

/// What became of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The registration now has this status.
    Done(Status),
    /// The claim had lapsed and somebody else has the person now, or they were changed: the link may still work.
    Overtaken,
    /// The link was replaced, or its registration ended, while Cognito was asked.
    Void,
}

impl Store {
    /// Reads link, settings, attributes and owners in one batch.
    pub async fn link_facts(&self, token: &HashedToken) -> Result<LinkFacts, StoreError> {
        let fetched = self.db.fetch([Key::link(token), Key::settings(), Key::attributes(), Key::owners()]).await?;
        let settings = fetched.settings()?;
        let owners: Owners = fetched.get(&Key::owners())?.unwrap_or_default();
        let owners_to_notify = to_notify(&settings, owners);
        let attributes = fetched.attributes()?;
        Ok(LinkFacts { link: fetched.get(&Key::link(token))?, settings, attributes, owners_to_notify })
    }

    /// Who is told that a registration waits: the addresses of the settings, or every active API Owner's.
    pub async fn owners_to_notify(&self, settings: &Settings) -> Result<Vec<Email>, StoreError> {
        let owners = self.db.fetch([Key::owners()]).await?.get(&Key::owners())?;
        Ok(to_notify(settings, owners.unwrap_or_default()))
    }

    /// Consumes the link and puts the registration into `status`; `claimed` is the person as the claim returned them.
    ///
    /// One transaction: link, person, sentinel, audit, outbox (the owners where it waits, the person where they are in); for
    /// an API Owner who is in, the owners' item.
    pub async fn confirm(
        &self,
        token: &HashedToken,
        claimed: &User,
        status: Status,
        facts: &LinkFacts,
        origin: &Origin,
    ) -> Result<Confirmation, StoreError> {
        let raised = claimed.link_version + 1;
        let mut transaction = Transaction::default();
        transaction.add(Change::delete(Key::link(token)));
        let confirmed = confirmed(claimed);
        let expression = format!("SET {INTO_STATUS}{confirmed}, #link_version = :raised REMOVE {CLAIM}");
        let user = Change::update(Key::user(&claimed.id), &expression)
            .when(
                "#status = :before AND #link_version = :link_version AND #claimed_until = :mine AND #version = :version",
            )
            .with("version", claimed.version)
            .with("before", claimed.status)
            .with("link_version", claimed.link_version)
            .with("mine", claimed.claimed_until.map(Timestamp::as_millisecond))
            .with("raised", raised);
        let person = transaction.add(into_status(user, &claimed.id, status, origin.now));
        let expression = "SET #stage = :settled, #link_version = :raised REMOVE #confirm_until";
        let sentinel = Change::update(Key::email(&claimed.email), expression)
            .when("#user_id = :user_id")
            .with("settled", Stage::Settled)
            .with("raised", raised)
            .with("user_id", &claimed.id);
        transaction.add(sentinel);
        // An API Owner may have made them one while they were unconfirmed.
        if claimed.role == Role::ApiOwner && status == Status::Active {
            transaction.add_owner(claimed);
        }
        let event = self.event(origin, "registration.confirmed", Some(claimed.id.as_str()));
        transaction.audit(&event.change("status", claimed.status, status));
        self.mail_arrival(&mut transaction, claimed, status, &facts.owners_to_notify, origin);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Confirmation::Done(status)),
            Commit::Lost(lost) => Ok(match lost.row::<User>(person)? {
                Some(now) if now.link_version == claimed.link_version && now.status == claimed.status => {
                    Confirmation::Overtaken
                }
                _ => Confirmation::Void,
            }),
        }
    }

    /// Adds the mail of a registration that has a password now: to the owners where it waits, to the person where they
    /// are in.
    pub(super) fn mail_arrival(
        &self,
        transaction: &mut Transaction,
        user: &User,
        status: Status,
        owners: &[Email],
        origin: &Origin,
    ) {
        if status != Status::Pending {
            transaction.mail(&self.compose(origin).welcome(user, status));
        } else if let Some(mail) = self.compose(origin).registration_pending(owners, user) {
            transaction.mail(&mail);
        }
    }
}
