//! Logging in and out: a session counts only while it stands in the person's row.

use jiff::Timestamp;

use super::{
    Record, Store, StoreError,
    change::Change,
    db::{Applied, read},
    keys::Key,
    rows::Sentinel,
};
use crate::domain::{
    attribute::Definitions,
    email::Email,
    idempotency::Repeatable,
    ids::UserId,
    login_attempts::LoginAttempts,
    rights,
    settings::Settings,
    user::{MAX_SESSIONS, Role, SessionId, Status, User},
};

/// What a login is decided from, before Cognito is asked.
#[derive(Clone, Debug)]
pub struct LoginFacts {
    /// The portal's settings.
    pub settings: Settings,
    /// The account behind the address, if there is one.
    pub account: Option<Sentinel>,
    /// What is remembered of earlier logins to the address.
    pub attempts: LoginAttempts,
}

/// What became of a login whose password was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The session counts.
    Opened,
    /// The person is in a state in which nobody logs in.
    WrongStatus(Status),
    /// Sign-in is switched off and the person is no API Owner.
    PortalClosed,
    /// The password has to be changed first.
    PasswordDue,
    /// The password was changed, or the person deleted, while Cognito was asked.
    Stale,
}

impl Store {
    /// Reads settings, address and earlier logins in one batch.
    pub async fn login_facts(&self, email: &Email) -> Result<LoginFacts, StoreError> {
        let (address, logins) = (Key::email(email), Key::logins(email));
        let fetched = self.db.fetch([Key::settings(), address.clone(), logins.clone()]).await?;
        let settings = fetched.settings()?;
        let attempts = fetched.get(&logins)?.unwrap_or_default();
        Ok(LoginFacts { settings, account: fetched.get(&address)?, attempts })
    }

    /// Starts a session of an active person and notes the login; a further session ends the oldest.
    ///
    /// One update, conditioned on state, a password that may stay, link version (so a login that raced a password change
    /// gets no session) and the number of sessions; one more where that number is reached.
    pub async fn open_session(
        &self,
        account: &Sentinel,
        session: &SessionId,
        sign_in: bool,
        now: Timestamp,
    ) -> Result<Opening, StoreError> {
        let mut oldest = None;
        loop {
            let user = match self.db.apply(opening(account, session, sign_in, oldest.as_ref(), now)).await? {
                Applied::Done(_) => return Ok(Opening::Opened),
                Applied::Refused(None) => return Ok(Opening::Stale),
                Applied::Refused(Some(item)) => read::<User>(item)?,
            };
            if let Some(refusal) = refusal(&user, account, sign_in) {
                return Ok(refusal);
            }
            // The answer to an earlier try was lost: it is written, and nothing more is to end for it.
            if user.sessions.contains_key(session) {
                return Ok(Opening::Opened);
            }
            // Only the number of sessions is left: end the oldest. Others may log in meanwhile, then there is another.
            oldest = user.oldest_session().cloned();
        }
    }

    /// Reads one person and the settings in one batch.
    pub async fn person_and_settings(&self, id: &UserId) -> Result<(Option<User>, Settings), StoreError> {
        let fetched = self.db.fetch([Key::user(id), Key::settings()]).await?;
        let settings = fetched.settings()?;
        Ok((fetched.get(&Key::user(id))?, settings))
    }

    /// Reads one person, who is to create another, with settings, custom attributes and, where the request may be a
    /// repeat, the record of its first, in one batch.
    pub async fn creator_facts(
        &self,
        id: &UserId,
        sought: Option<&Repeatable>,
    ) -> Result<(Option<User>, Settings, Definitions, Option<Record>), StoreError> {
        let keys = [Key::user(id), Key::settings(), Key::attributes()];
        let fetched = self.db.fetch(keys.into_iter().chain(sought.map(Repeatable::key))).await?;
        let record = fetched.record(sought)?;
        Ok((fetched.get(&Key::user(id))?, fetched.settings()?, fetched.attributes()?, record))
    }

    /// Ends one session: its tokens are refused with the next request.
    pub async fn close_session(&self, id: &UserId, session: &SessionId) -> Result<(), StoreError> {
        let change = Change::update(Key::user(id), "REMOVE #sessions.#session")
            .when("attribute_exists(#sessions.#session)")
            .named("session", session.as_str());
        self.db.apply(change).await.map(drop)
    }

    /// Ends every session.
    pub async fn close_all_sessions(&self, id: &UserId) -> Result<(), StoreError> {
        let change = Change::update(Key::user(id), "SET #sessions = :none")
            .when("attribute_exists(#pk)")
            .with("none", serde_json::json!({}));
        self.db.apply(change).await.map(drop)
    }
}

/// What keeps `user`, as they stand now, from a session of `account` as it was read; `None` for nothing.
pub(super) fn refusal(user: &User, account: &Sentinel, sign_in: bool) -> Option<Opening> {
    if user.link_version != account.link_version {
        Some(Opening::Stale)
    } else if user.status != Status::Active || user.identity_due.is_some() {
        Some(Opening::WrongStatus(user.status))
    } else if !sign_in && !rights::gets_in_while_closed(user) {
        Some(Opening::PortalClosed)
    } else {
        user.must_change_password.then_some(Opening::PasswordDue)
    }
}

/// [`rights::gets_in_while_closed`] in the database's words, with `:owner` for the role.
pub(super) fn role_condition(sign_in: bool) -> &'static str {
    if sign_in { "" } else { " AND #role = :owner" }
}

fn opening(
    account: &Sentinel,
    session: &SessionId,
    sign_in: bool,
    oldest: Option<&SessionId>,
    now: Timestamp,
) -> Change {
    let room = if oldest.is_some() { "attribute_exists(#sessions.#oldest)" } else { "size(#sessions) < :most" };
    let role = role_condition(sign_in);
    let remove = if oldest.is_some() { " REMOVE #sessions.#oldest" } else { "" };
    let change = Change::update(
        Key::user(&account.user_id),
        &format!("SET #sessions.#session = :now, #last_login_at = :now{remove}"),
    )
    .when(&format!(
        "#status = :active AND #link_version = :link_version AND attribute_not_exists(#identity_due) AND \
         #must_change_password = :no AND {room}{role}"
    ))
    .named("session", session.as_str())
    .with("now", now.as_millisecond())
    .with("active", Status::Active)
    .with("no", false)
    .with("link_version", account.link_version);
    let change = match oldest {
        Some(oldest) => change.named("oldest", oldest.as_str()),
        None => change.with("most", MAX_SESSIONS),
    };
    if sign_in { change } else { change.with("owner", Role::ApiOwner) }
}
