//! The mails of the product: who gets which, with what in it.
//!
//! A mail that anybody can cause with a stranger's address greets without a name, so nobody can write into a stranger's
//! mailbox through a form.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::entry::{Delivery, Event, LinkOrder, OutboxEntry, Recipient};
use crate::{
    domain::{
        email::Email,
        ids::{MailId, UserId},
        invite_code::InviteCode,
        link::{CONFIRM_LIFE, Purpose, RESET_LIFE},
        name::Name,
        user::{Status, User},
    },
    random::Random,
    store::{InvitationCopy, NoticeFacts, Sentinel, Stage},
};

/// Makes outbox entries at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Composer<'a> {
    /// When they are queued.
    pub now: Timestamp,
    /// Where their ids come from.
    pub random: &'a Random,
}

impl Composer<'_> {
    /// Asks an applicant to confirm the address.
    #[must_use]
    pub fn confirm_registration(
        &self,
        to: &Email,
        user_id: &UserId,
        link_version: u64,
        until: Timestamp,
    ) -> OutboxEntry {
        let link = LinkOrder { user_id: user_id.clone(), purpose: Purpose::Confirm, link_version, expires_at: until };
        let variables = Map::from_iter([("expires_at".to_owned(), json!(in_words(until)))]);
        OutboxEntry { link: Some(link), ..self.about(Event::ConfirmRegistration, user_id, [to], variables) }
    }

    /// Tells the holder of a known address what a registration with it meant: the way in that is still open, or that
    /// the account exists.
    #[must_use]
    pub fn known_address(&self, to: &Email, known: &Sentinel) -> OutboxEntry {
        match (known.stage, &known.invitation) {
            (Stage::Unconfirmed, _) => {
                let until = known.confirm_until.unwrap_or(self.now + CONFIRM_LIFE);
                self.confirm_registration(to, &known.user_id, known.link_version, until)
            }
            (Stage::Invited, Some(copy)) if self.now < copy.expires_at => {
                self.invitation(to, &known.user_id, known.link_version, copy, None)
            }
            (Stage::Invited | Stage::Unfinished | Stage::Settled, _) => {
                self.already_registered(to, &known.user_id, false)
            }
        }
    }

    /// Tells the holder of an address with an account that somebody invited it.
    #[must_use]
    pub fn invited_though_registered(&self, to: &Email, holder: &UserId) -> OutboxEntry {
        self.already_registered(to, holder, true)
    }

    fn already_registered(&self, to: &Email, holder: &UserId, invited: bool) -> OutboxEntry {
        let variables = Map::from_iter([("invited".to_owned(), json!(invited))]);
        self.about(Event::AlreadyRegistered, holder, [to], variables)
    }

    /// Invites to the portal, in the name of `by` where somebody sends it: what the address keeps of an invitation names
    /// nobody but the invitee.
    #[must_use]
    pub fn invitation(
        &self,
        to: &Email,
        user_id: &UserId,
        link_version: u64,
        copy: &InvitationCopy,
        by: Option<&User>,
    ) -> OutboxEntry {
        let link =
            LinkOrder { user_id: user_id.clone(), purpose: Purpose::Accept, link_version, expires_at: copy.expires_at };
        let inviter = by.map(|by| format!("{} {}", by.first_name.as_str(), by.last_name.as_str()));
        let mut variables = copy.variables.clone();
        variables.insert("inviter".to_owned(), json!(inviter));
        OutboxEntry { link: Some(link), ..self.about(Event::Invitation, user_id, [to], variables) }
    }

    /// Tells `owners` that `user` waits for approval; `None` where there is nobody to tell.
    #[must_use]
    pub fn registration_pending<'e>(
        &self,
        owners: impl IntoIterator<Item = &'e Email>,
        user: &User,
    ) -> Option<OutboxEntry> {
        let mut variables = names(user);
        variables.insert("email".to_owned(), json!(user.email));
        let entry = self.about(Event::RegistrationPending, &user.id, owners, variables);
        (!entry.to.is_empty()).then_some(entry)
    }

    /// Greets a person, who is or will be in `status`.
    #[must_use]
    pub fn welcome(&self, user: &User, status: Status) -> OutboxEntry {
        let mut variables = names(user);
        variables.insert("active".to_owned(), json!(status == Status::Active));
        self.about(Event::Welcome, &user.id, [&user.email], variables)
    }

    /// Registration approved.
    #[must_use]
    pub fn approved(&self, user: &User) -> OutboxEntry {
        self.about(Event::Approved, &user.id, [&user.email], names(user))
    }

    /// Registration refused, with the reason that an API Owner gave.
    #[must_use]
    pub fn rejected(&self, user: &User, reason: Option<&str>) -> OutboxEntry {
        let mut variables = names(user);
        variables.insert("reason".to_owned(), json!(reason));
        self.about(Event::Rejected, &user.id, [&user.email], variables)
    }

    /// Account switched on.
    #[must_use]
    pub fn activated(&self, user: &User) -> OutboxEntry {
        self.about(Event::Activated, &user.id, [&user.email], names(user))
    }

    /// Account switched off.
    #[must_use]
    pub fn deactivated(&self, user: &User) -> OutboxEntry {
        self.about(Event::Deactivated, &user.id, [&user.email], names(user))
    }

    /// Lets the holder of an address choose another password.
    #[must_use]
    pub fn reset_password(&self, to: &Email, user_id: &UserId, link_version: u64) -> OutboxEntry {
        let expires_at = self.now + RESET_LIFE;
        let link = LinkOrder { user_id: user_id.clone(), purpose: Purpose::Reset, link_version, expires_at };
        let variables = Map::from_iter([("expires_at".to_owned(), json!(in_words(expires_at)))]);
        OutboxEntry { link: Some(link), ..self.about(Event::ResetPassword, user_id, [to], variables) }
    }

    /// The password was changed.
    #[must_use]
    pub fn password_changed(&self, user: &User) -> OutboxEntry {
        let mut variables = names(user);
        variables.insert("changed_at".to_owned(), json!(in_words(self.now)));
        self.about(Event::PasswordChanged, &user.id, [&user.email], variables)
    }

    /// Tells `to`, one of two addresses, that the address of `user` is another one now: theirs is the new one.
    #[must_use]
    pub fn email_changed(&self, user: &User, to: &Email) -> OutboxEntry {
        let mut variables = names(user);
        variables.insert("changed_at".to_owned(), json!(in_words(self.now)));
        variables.insert("new_address".to_owned(), json!(*to == user.email));
        self.about(Event::EmailChanged, &user.id, [to], variables)
    }

    /// Reminds `owners` that `count` registrations have waited for long, the longest of them `since` then.
    ///
    /// It names nobody: a mail about many people could go with none of them.
    #[must_use]
    pub fn pending_digest(&self, owners: &[Email], count: usize, since: Timestamp) -> OutboxEntry {
        let variables =
            Map::from_iter([("count".to_owned(), json!(count)), ("since".to_owned(), json!(in_words(since)))]);
        self.entry(Event::PendingDigest, owners, variables)
    }

    /// Tells that few slots of a code are left, or none.
    #[must_use]
    pub fn invite_code_low(&self, code: &InviteCode, facts: &NoticeFacts) -> OutboxEntry {
        let mut variables = of_code(code, facts);
        variables.insert("quota".to_owned(), json!(code.quota));
        variables.insert("remaining".to_owned(), json!(code.remaining()));
        self.entry(Event::InviteCodeLow, &facts.to, variables)
    }

    /// Tells that a code ends soon.
    #[must_use]
    pub fn invite_code_expiring(&self, code: &InviteCode, facts: &NoticeFacts) -> OutboxEntry {
        let mut variables = of_code(code, facts);
        variables.insert("expires_at".to_owned(), json!(code.expires_at.map(in_words)));
        self.entry(Event::InviteCodeExpiring, &facts.to, variables)
    }

    /// Tells `owners` that `user` asks for an organisation of this name; `None` where there is nobody to tell.
    #[must_use]
    pub fn organisation_requested<'e>(
        &self,
        owners: impl IntoIterator<Item = &'e Email>,
        user: &User,
        organisation: &Name,
    ) -> Option<OutboxEntry> {
        let mut variables = with_organisation(user, organisation);
        variables.insert("email".to_owned(), json!(user.email));
        let entry = self.about(Event::OrganisationRequested, &user.id, owners, variables);
        (!entry.to.is_empty()).then_some(entry)
    }

    /// The organisation that `user` asked for is there, under this name.
    #[must_use]
    pub fn organisation_approved(&self, user: &User, organisation: &Name) -> OutboxEntry {
        let variables = with_organisation(user, organisation);
        self.about(Event::OrganisationApproved, &user.id, [&user.email], variables)
    }

    /// There will be no organisation of this name for `user`, with the reason that an API Owner gave.
    #[must_use]
    pub fn organisation_rejected(&self, user: &User, organisation: &Name, reason: Option<&str>) -> OutboxEntry {
        let mut variables = with_organisation(user, organisation);
        variables.insert("reason".to_owned(), json!(reason));
        self.about(Event::OrganisationRejected, &user.id, [&user.email], variables)
    }

    /// A mail to a person or about one: it goes when they do.
    fn about<'e>(
        &self,
        event: Event,
        person: &UserId,
        to: impl IntoIterator<Item = &'e Email>,
        variables: Map<String, Value>,
    ) -> OutboxEntry {
        OutboxEntry { about: Some(person.clone()), ..self.entry(event, to, variables) }
    }

    fn entry<'e>(
        &self,
        event: Event,
        to: impl IntoIterator<Item = &'e Email>,
        variables: Map<String, Value>,
    ) -> OutboxEntry {
        let recipient = |email: &Email| Recipient { email: email.clone(), delivery: Delivery::Queued };
        OutboxEntry {
            id: MailId::new(self.now, self.random.number()),
            event,
            to: to.into_iter().map(recipient).collect(),
            variables,
            link: None,
            about: None,
            created_at: self.now,
        }
    }
}

/// An instant as a mail names it.
pub(crate) fn in_words(instant: Timestamp) -> String {
    instant.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// What names a code in a mail to whoever made it.
fn of_code(code: &InviteCode, facts: &NoticeFacts) -> Map<String, Value> {
    Map::from_iter([
        ("code".to_owned(), json!(code.code)),
        ("team".to_owned(), json!(facts.team)),
        ("organisation".to_owned(), json!(facts.organisation)),
    ])
}

fn with_organisation(user: &User, organisation: &Name) -> Map<String, Value> {
    let mut variables = names(user);
    variables.insert("organisation".to_owned(), json!(organisation));
    variables
}

fn names(user: &User) -> Map<String, Value> {
    let pairs = [("first_name", &user.first_name), ("last_name", &user.last_name)];
    pairs.into_iter().map(|(key, name)| (key.to_owned(), json!(name))).collect()
}
