//! What the creator of an invite code is told: that it ends soon, that few slots are left. The mark that it was told and the
//! mail are one transaction, so of two runs one tells.
//!
//! The mark is the partition of an index in which the code stands: it moves from those to be told of to those told.

use jiff::Timestamp;

use super::{
    Listed, Store, StoreError,
    change::Change,
    keys::{self, Key},
    rows::Owners,
    transaction::{Commit, Transaction},
};
use crate::{
    domain::{
        audit::Origin,
        email::Email,
        invite_code::{InviteCode, notice::NOTICE_BEFORE_END},
        name::Name,
        organisation::{Organisation, Team},
        settings::Settings,
    },
    mail::OutboxEntry,
};

/// What a notice about a code is made from.
#[derive(Clone, Debug)]
pub struct NoticeFacts {
    /// The portal's settings.
    pub settings: Settings,
    /// Who is told: the code's creator; every active API Owner where that is none of them any more.
    pub to: Vec<Email>,
    /// The name of the code's organisation.
    pub organisation: Option<Name>,
    /// The name of its team.
    pub team: Option<Name>,
}

impl Store {
    /// A page of the codes whose creators are to be told of their end at `now`, the first to end first, at most `most`. A
    /// row that cannot be read stands for itself alone.
    pub async fn ending_codes(
        &self,
        now: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<InviteCode, StoreError>>, StoreError> {
        self.db.due(keys::LASTING_CODES, after, &keys::up_to(now + NOTICE_BEFORE_END), most).await
    }

    /// A page of the codes that were redeemed, or given another quota, since somebody last looked how many slots are left.
    /// A row that cannot be read stands for itself alone.
    pub async fn codes_to_look_at(
        &self,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<InviteCode, StoreError>>, StoreError> {
        self.db.listed_singly("Groups", "group", keys::WATCHED_CODES, after, most).await
    }

    /// Reads what a notice about `code` is made from, in one batch.
    pub async fn notice_facts(&self, code: &InviteCode) -> Result<NoticeFacts, StoreError> {
        let (organisation, team) = (Key::organisation(&code.organisation_id), Key::team(&code.team_id));
        let fetched = self.db.fetch([Key::settings(), Key::owners(), organisation.clone(), team.clone()]).await?;
        let owners: Owners = fetched.get(&Key::owners())?.unwrap_or_default();
        let to = match owners.members.get(&code.created_by) {
            Some(creator) => vec![creator.clone()],
            None => owners.members.into_values().collect(),
        };
        let organisation: Option<Organisation> = fetched.get(&organisation)?;
        let team: Option<Team> = fetched.get(&team)?;
        Ok(NoticeFacts {
            settings: fetched.settings()?,
            to,
            organisation: organisation.map(|organisation| organisation.name),
            team: team.map(|team| team.name),
        })
    }

    /// Moves a code on to those that wait for their end, and tells of it by `facts` where there are any; without them there
    /// is nothing to tell. `false` where its expiry was changed, or it was told of or deleted meanwhile.
    ///
    /// One transaction: code, outbox.
    pub async fn tell_of_end(
        &self,
        code: &InviteCode,
        facts: Option<&NoticeFacts>,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let change = Change::update(Key::invite_code(&code.code.folded()), "SET #queue_pk = :expiring")
            .when("#id = :id AND #queue_pk = :lasting AND #expires_at = :expires_at AND #active = :active")
            .with("expiring", keys::EXPIRING_CODES)
            .with("lasting", keys::LASTING_CODES)
            .with("expires_at", code.expires_at.map(Timestamp::as_millisecond))
            .with("active", code.active)
            .with("id", &code.id);
        let mail = facts.map(|facts| self.compose(origin).invite_code_expiring(code, facts));
        self.note(change, mail).await
    }

    /// Tells that few slots of a code are left, and notes that it was told. `false` where an API Owner changed it, or it was
    /// told of or deleted meanwhile.
    ///
    /// One transaction: code (of the version that was read), outbox.
    pub async fn tell_of_few_slots(
        &self,
        code: &InviteCode,
        facts: &NoticeFacts,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let change = Change::update(Key::invite_code(&code.code.folded()), "SET #group_pk = :told")
            .when("#id = :id AND #version = :version AND #group_pk = :watched")
            .with("told", keys::TOLD_CODES)
            .with("watched", keys::WATCHED_CODES)
            .with("version", code.version)
            .with("id", &code.id);
        self.note(change, Some(self.compose(origin).invite_code_low(code, facts))).await
    }

    /// Takes a code of which there is nothing to tell from those to look at, until it is redeemed or changed again; where
    /// that has happened meanwhile it stays.
    ///
    /// One conditional transaction of the code alone.
    pub async fn looked_at(&self, code: &InviteCode) -> Result<(), StoreError> {
        let change = Change::update(Key::invite_code(&code.code.folded()), "REMOVE #group_pk, #group_sk")
            .when("#id = :id AND #version = :version AND #used = :used AND #group_pk = :watched")
            .with("watched", keys::WATCHED_CODES)
            .with("version", code.version)
            .with("used", code.used)
            .with("id", &code.id);
        self.note(change, None).await.map(drop)
    }

    async fn note(&self, change: Change, mail: Option<OutboxEntry>) -> Result<bool, StoreError> {
        let mut transaction = Transaction::default();
        transaction.add(change);
        // Without anybody to tell it counts as told.
        if let Some(mail) = mail.filter(|mail| !mail.to.is_empty()) {
            transaction.mail(&mail);
        }
        Ok(matches!(self.db.commit(transaction).await?, Commit::Done))
    }
}
