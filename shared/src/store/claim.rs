//! Claims: for a minute a person is one request's alone, while Cognito, which joins no transaction, is asked
//! (`docs/architecture.md`, section 3.6).

use jiff::Timestamp;

use super::{
    LinkFacts, Store, StoreError,
    change::Change,
    db::{Applied, read},
    keys::Key,
};
use crate::domain::{
    ids::UserId,
    link::{HashedToken, Link, PlainToken, Purpose},
    user::{CLAIM_LIFE, SessionId, Status, User},
};

/// What became of a claim.
#[derive(Debug)]
pub enum Claim {
    /// The person is ours for a minute.
    Yours(Box<User>),
    /// Another request has them; the same may work in a moment.
    Held,
    /// What the claim was made by does not count, or counts no more: a link that was used, replaced, or whose person is
    /// gone; a challenge that was answered or has expired; a session that has ended.
    Void,
}

/// The attributes of a claim: what ends it removes them.
pub(super) const CLAIM: &str = "#claimed_until, #claimed_by";
/// What every claim asks for beside its own ground.
const FREE: &str =
    "attribute_not_exists(#identity_due) AND (attribute_not_exists(#claimed_until) OR #claimed_until <= :now)";

/// What became of a claim by a mailed link.
#[derive(Debug)]
pub enum LinkClaim {
    /// The person behind the link is ours for a minute.
    Yours {
        /// The person.
        user: Box<User>,
        /// Under what the link is stored: using it up takes this.
        token: HashedToken,
        /// What was read with the link.
        facts: Box<LinkFacts>,
    },
    /// Another request has them; the same may work in a moment.
    Held,
    /// The link was used, replaced, has expired, or never existed.
    Void,
}

impl Store {
    /// Claims the person behind a mailed link of `purpose` who is in `status`, at `now`: one batch, and the claim. Without
    /// a token (what was sent cannot be one) there is no link.
    pub async fn claim_by_link(
        &self,
        token: Option<&PlainToken>,
        purpose: Purpose,
        status: Status,
        now: Timestamp,
    ) -> Result<LinkClaim, StoreError> {
        let Some(token) = token.map(PlainToken::hashed) else { return Ok(LinkClaim::Void) };
        let facts = self.link_facts(&token).await?;
        let Some(link) = facts.link.as_ref().filter(|link| link.is_usable(purpose, now)) else {
            return Ok(LinkClaim::Void);
        };
        Ok(match self.claim(link, status, now).await? {
            Claim::Yours(user) => LinkClaim::Yours { user, token, facts: Box::new(facts) },
            Claim::Held => LinkClaim::Held,
            Claim::Void => LinkClaim::Void,
        })
    }

    /// Claims the person behind `link` for a minute, if they are in `status` and the link is of their newest version.
    pub async fn claim(&self, link: &Link, status: Status, now: Timestamp) -> Result<Claim, StoreError> {
        let change = claiming(&link.user_id, "", "#status = :status AND #link_version = :link_version", now)
            .with("status", status)
            .with("link_version", link.link_version);
        self.claim_by(change, |user| user.status == status && user.link_version == link.link_version).await
    }

    /// Claims a person whose login waits for another password under `digest`. Whoever is not there is asked for all the
    /// same, so that nobody learns who is.
    pub async fn claim_by_challenge(
        &self,
        id: &UserId,
        link_version: u64,
        digest: &HashedToken,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let condition = "#status = :active AND #link_version = :link_version AND #must_change_password = :yes AND \
                         #challenge.#digest = :digest AND #challenge.#expires_at > :now";
        let change = claiming(id, "", condition, now)
            .with("active", Status::Active)
            .with("link_version", link_version)
            .with("yes", true)
            .with("digest", digest);
        let fits = |user: &User| {
            let open = user.challenge.as_ref().is_some_and(|challenge| challenge.is_open(digest, now));
            open && user.status == Status::Active && user.link_version == link_version && user.must_change_password
        };
        self.claim_by(change, fits).await
    }

    /// Claims `caller` for a change of their own password in `session`, and notes that one has begun: from here on it may
    /// be that Cognito has the new one.
    pub async fn claim_oneself(&self, caller: &User, session: &SessionId, now: Timestamp) -> Result<Claim, StoreError> {
        let condition = "#status = :active AND #link_version = :link_version AND attribute_exists(#sessions.#session)";
        let change = claiming(&caller.id, ", #password_change_begun = :yes", condition, now)
            .named("session", session.as_str())
            .with("active", Status::Active)
            .with("link_version", caller.link_version)
            .with("yes", true);
        self.claim_by(change, |user| user.has_session(session) && user.link_version == caller.link_version).await
    }

    async fn claim_by(&self, change: Change, fits: impl Fn(&User) -> bool) -> Result<Claim, StoreError> {
        let me = format!("{:032x}", self.db.random.number());
        match self.db.apply(change.with("me", &me)).await? {
            Applied::Done(item) => Ok(Claim::Yours(Box::new(read(item)?))),
            Applied::Refused(None) => Ok(Claim::Void),
            Applied::Refused(Some(item)) => {
                let user: User = read(item)?;
                if user.claimed_by.as_ref() == Some(&me) {
                    // The answer to an earlier try was lost: it is written.
                    return Ok(Claim::Yours(Box::new(user)));
                }
                Ok(if fits(&user) && user.identity_due.is_none() { Claim::Held } else { Claim::Void })
            }
        }
    }

    /// Gives a claim up, so that the same request works again at once. A claim that somebody else holds by now stays. So
    /// does the note that a change of the password has begun: Cognito may have been asked.
    pub async fn release(&self, claimed: &User) -> Result<(), StoreError> {
        self.end_claim(claimed, &format!("REMOVE {CLAIM}")).await
    }

    /// The same for a change of one's own password that Cognito was never asked for: the note goes too, which the claim
    /// made.
    pub async fn release_unbegun(&self, claimed: &User) -> Result<(), StoreError> {
        self.end_claim(claimed, &format!("REMOVE {CLAIM}, #password_change_begun")).await
    }

    /// Gives a claim up because the work failed: the caller has that to tell, so a failure of this goes to the log alone.
    pub async fn give_up(&self, claimed: &User) {
        log_failed_release(claimed, self.release(claimed).await);
    }

    async fn end_claim(&self, claimed: &User, expression: &str) -> Result<(), StoreError> {
        let change = Change::update(Key::user(&claimed.id), expression)
            .when("#claimed_until = :mine")
            .with("mine", claimed.claimed_until.map(Timestamp::as_millisecond));
        self.db.apply(change).await.map(drop)
    }
}

/// Notes a claim that could not be given up: it lapses.
pub(crate) fn log_failed_release(claimed: &User, released: Result<(), StoreError>) {
    if let Err(error) = released {
        tracing::error!(user = %claimed.id, %error, "a claim could not be released; it lapses");
    }
}

/// The update that claims a person on `condition`, setting `more` beside.
fn claiming(id: &UserId, more: &str, condition: &str, now: Timestamp) -> Change {
    Change::update(Key::user(id), &format!("SET #claimed_until = :until, #claimed_by = :me{more}"))
        .when(&format!("{condition} AND {FREE}"))
        .with("until", (now + CLAIM_LIFE).as_millisecond())
        .with("now", now.as_millisecond())
}
