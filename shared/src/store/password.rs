//! Passwords: the mail for a forgotten one, the challenge of one that has to be changed, and the write of every change.

use jiff::Timestamp;

use super::{
    Store, StoreError,
    change::Change,
    claim::CLAIM,
    db::{Applied, read},
    keys::Key,
    mail_limit::CountedMail,
    rows::{Sentinel, Stage},
    session::{Opening, refusal, role_condition},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    challenge::Challenge,
    email::Email,
    link::HashedToken,
    user::{Role, Status, User},
};

/// What became of a change of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordChanged {
    /// Written; the account as its address's sentinel now has it.
    Done(Sentinel),
    /// The claim had lapsed and somebody else has the person now.
    Overtaken,
    /// The person was switched off, or another change came first, while Cognito was asked.
    Void,
}

/// What became of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posed {
    /// It waits for its answer, and any earlier one is void.
    Done,
    /// The person changed since their password was found right.
    Refused(Opening),
}

impl Store {
    /// Mails a link to choose another password, where the address has an account that is active. For any other address,
    /// and for one that had its share of mails, it writes the audit event alone, so that all take the same calls. No
    /// earlier link is voided: several work until one is used.
    ///
    /// One transaction: audit; check of the person (active), sentinel (the mail counts), outbox.
    pub async fn forgot_password(
        &self,
        email: &Email,
        known: Option<&Sentinel>,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let known = known.filter(|known| known.stage == Stage::Settled);
        let counted = known.and_then(|known| CountedMail::another(known, origin.now).map(|counted| (known, counted)));
        let mut transaction = Transaction::default();
        let target = known.map(|known| known.user_id.as_str());
        transaction.audit(&self.event(origin, "user.password_reset_requested", target));
        if let Some((known, counted)) = counted {
            let condition = "#status = :active AND attribute_not_exists(#identity_due) AND #link_version = :version";
            let person = Change::check(Key::user(&known.user_id), condition)
                .with("active", Status::Active)
                .with("version", known.link_version);
            transaction.add(person);
            transaction.add(counted.counted(Key::email(email), known, ""));
            transaction.mail(&self.compose(origin).reset_password(email, &known.user_id, known.link_version));
        }
        // Lost: nobody active is there, or another mail has just been queued. Neither is told.
        self.db.commit(transaction).await.map(drop)
    }

    /// Writes the challenge of a login whose password has to be changed.
    pub async fn pose_challenge(
        &self,
        account: &Sentinel,
        challenge: &Challenge,
        sign_in: bool,
    ) -> Result<Posed, StoreError> {
        let condition = format!(
            "#status = :active AND #link_version = :link_version AND attribute_not_exists(#identity_due) AND \
             #must_change_password = :yes{}",
            role_condition(sign_in)
        );
        let change = Change::update(Key::user(&account.user_id), "SET #challenge = :challenge")
            .when(&condition)
            .with("challenge", challenge)
            .with("active", Status::Active)
            .with("link_version", account.link_version)
            .with("yes", true);
        let change = if sign_in { change } else { change.with("owner", Role::ApiOwner) };
        Ok(match self.db.apply(change).await? {
            Applied::Done(_) => Posed::Done,
            Applied::Refused(None) => Posed::Refused(Opening::Stale),
            Applied::Refused(Some(item)) => {
                Posed::Refused(refusal(&read::<User>(item)?, account, sign_in).unwrap_or(Opening::Stale))
            }
        })
    }

    /// Writes that the password of `claimed` is another one now: every session is ended and every link void.
    ///
    /// One transaction: the link by which it was changed, person (still active and claimed), sentinel, audit, outbox.
    pub async fn change_password(
        &self,
        claimed: &User,
        link: Option<&HashedToken>,
        origin: &Origin,
    ) -> Result<PasswordChanged, StoreError> {
        let raised = claimed.link_version + 1;
        let mut transaction = Transaction::default();
        if let Some(token) = link {
            transaction.add(Change::delete(Key::link(token)));
        }
        // That the password has to be changed is shown; nothing else of this is.
        let shown = claimed.must_change_password;
        let expression = format!(
            "SET #sessions = :none, #link_version = :raised, #must_change_password = :no{} REMOVE {CLAIM}, \
             #challenge, #password_change_begun",
            if shown { ", #updated_at = :now, #version = #version + :one" } else { "" }
        );
        let change = Change::update(Key::user(&claimed.id), &expression)
            .when("#status = :active AND #link_version = :link_version AND #claimed_until = :mine")
            .with("none", serde_json::json!({}))
            .with("no", false)
            .with("active", Status::Active)
            .with("link_version", claimed.link_version)
            .with("mine", claimed.claimed_until.map(Timestamp::as_millisecond))
            .with("raised", raised);
        let change = if shown { change.with("now", origin.now.as_millisecond()).with("one", 1) } else { change };
        let person = transaction.add(change);
        let sentinel = Change::update(Key::email(&claimed.email), "SET #link_version = :raised")
            .when("#user_id = :user_id")
            .with("raised", raised)
            .with("user_id", &claimed.id);
        transaction.add(sentinel);
        let event = self.event(origin, "user.password_changed", Some(claimed.id.as_str())).personal_change("password");
        let event = if shown { event.change("must_change_password", true, false) } else { event };
        transaction.audit(&event);
        transaction.mail(&self.compose(origin).password_changed(claimed));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(PasswordChanged::Done(Sentinel::settled(claimed.id.clone(), raised))),
            Commit::Lost(lost) => Ok(match lost.row::<User>(person)? {
                Some(now) if now.link_version == claimed.link_version && now.status == Status::Active => {
                    PasswordChanged::Overtaken
                }
                _ => PasswordChanged::Void,
            }),
        }
    }
}
