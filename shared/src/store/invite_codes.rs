//! Invite codes as API Owners manage them, and the end of those that have expired.

use jiff::Timestamp;

use super::{
    Listed, Places, Record, Store, StoreError,
    change::Change,
    keys::{self, Key},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::{AuditEvent, Origin},
    ids::{InviteCodeId, TeamId, UserId},
    invite_code::{FoldedCode, InviteCode, notice::is_told_of},
    organisation::Team,
    user::User,
};

/// What became of a new code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeCreation {
    /// Written.
    Done,
    /// There is a code that reads the same.
    Taken,
    /// The team is not there any more.
    NoSuchTeam,
    /// A request with the same key was there first.
    Repeated(Record),
}

/// What became of a change of a code.
#[derive(Debug)]
pub enum CodeChange {
    /// Written.
    Done,
    /// More people have redeemed it than the new quota lets in: so many.
    QuotaBelowUsed(u64),
    /// Somebody else changed it since it was read: this is what stands there now.
    Overtaken(Box<InviteCode>),
    /// It was deleted.
    Gone,
}

/// What became of the deletion of a code.
#[derive(Debug)]
pub enum CodeDeletion {
    /// It is gone.
    Done,
    /// It was changed or redeemed since it was read: this is what stands there now.
    Overtaken(Box<InviteCode>),
    /// Somebody else deleted it.
    Gone,
}

/// Some of the codes, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct CodePage {
    /// The codes, the oldest first.
    pub codes: Vec<InviteCode>,
    /// The names of their places.
    pub places: Places,
    /// The position after which the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// Reads caller and code in one batch. What cannot be a code is none.
    pub async fn caller_and_code(
        &self,
        caller: &UserId,
        code: Option<&FoldedCode>,
    ) -> Result<(Option<User>, Option<InviteCode>), StoreError> {
        let (caller, code) = (Key::user(caller), code.map(Key::invite_code));
        let fetched = self.db.fetch([caller.clone()].into_iter().chain(code.clone())).await?;
        Ok((fetched.get(&caller)?, code.map_or(Ok(None), |key| fetched.get(&key))?))
    }

    /// Reads the team into which a code is to lead.
    pub async fn team_of_code(&self, id: &TeamId) -> Result<Option<Team>, StoreError> {
        self.db.fetch([Key::team(id)]).await?.get(&Key::team(id))
    }

    /// Looks up the names of the places of `codes` that `places` lacks: one batch, or none where all are there.
    pub async fn complete_places_of_codes(&self, places: &mut Places, codes: &[InviteCode]) -> Result<(), StoreError> {
        let organisations = codes.iter().map(|code| &code.organisation_id);
        self.look_up_places(places, organisations, codes.iter().map(|code| &code.team_id)).await
    }

    /// Writes a new code, unless there is one that reads the same.
    ///
    /// One transaction: code, check of its team, audit, record.
    pub async fn create_invite_code(&self, code: &InviteCode, origin: &Origin) -> Result<CodeCreation, StoreError> {
        let mut transaction = Transaction::default();
        let put = Change::put(Key::invite_code(&code.code.folded()), code)
            .and("list_pk", keys::ALL_CODES)
            .and("list_sk", code.id.as_str());
        let put = match code.expires_at {
            Some(at) => put.and("queue_pk", queue_of(at, origin.now)).and("queue_sk", expiring(at, &code.id)),
            None => put,
        };
        let taken = transaction.add(put.when_new());
        let team = transaction.check_teams(std::slice::from_ref(&code.team_id));
        let event =
            self.event(origin, "invite_code.created", Some(code.id.as_str())).change("team_id", (), &code.team_id);
        let event = event
            .change("quota", (), code.quota)
            .change("expires_at", (), code.expires_at)
            .change("active", (), code.active)
            .change("auto_approve", (), code.auto_approve);
        transaction.audit(&event);
        let record = transaction.record(origin, code);
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(CodeCreation::Done),
            Commit::Lost(lost) => lost,
        };
        match lost.record(record)? {
            Some(record) => Ok(CodeCreation::Repeated(record)),
            None if lost.at(taken) => Ok(CodeCreation::Taken),
            None if team.into_iter().any(|team| lost.at(team)) => Ok(CodeCreation::NoSuchTeam),
            None => Err(StoreError::Busy),
        }
    }

    /// A page over all codes in the order in which they were created.
    ///
    /// One query, one batch of rows and one of the names of their places. The index may lag behind, the rows do not.
    pub async fn invite_codes(&self, after: Option<&str>, limit: u16) -> Result<CodePage, StoreError> {
        let Listed { rows: codes, next } = self.db.listed("Lists", "list", keys::ALL_CODES, after, limit).await?;
        let mut places = Places::default();
        self.complete_places_of_codes(&mut places, &codes).await?;
        Ok(CodePage { codes, places, next })
    }

    /// A page over the people who redeemed a code, in the order in which they did.
    ///
    /// One query and one batch of rows.
    pub async fn redemptions(
        &self,
        code: &InviteCodeId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Listed<User>, StoreError> {
        self.db.listed("Groups", "group", &keys::people_of_code(code), after, limit).await
    }

    /// Writes what `after` changes of `before`, if nobody else changed it and the quota covers who is in already.
    ///
    /// One transaction: code, audit with the former and new value of all that is not its note. How many have redeemed it
    /// is never written here, so redemptions and changes do not get into each other's way.
    pub async fn change_invite_code(
        &self,
        before: &InviteCode,
        after: &InviteCode,
        origin: &Origin,
    ) -> Result<CodeChange, StoreError> {
        let mut transaction = Transaction::default();
        let code = transaction.add(changing(before, after, origin));
        transaction.audit(&changes(self.event(origin, "invite_code.changed", Some(before.id.as_str())), before, after));
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(CodeChange::Done),
            Commit::Lost(lost) => lost,
        };
        Ok(match lost.row::<InviteCode>(code)? {
            None => CodeChange::Gone,
            Some(now) if now.id == before.id && now.version == before.version => CodeChange::QuotaBelowUsed(now.used),
            Some(now) => CodeChange::Overtaken(Box::new(now)),
        })
    }

    /// Deletes a code, if it is as it was read: the audit keeps how many had redeemed it.
    ///
    /// One transaction: code, audit. Who came in by it stays.
    pub async fn delete_invite_code(&self, code: &InviteCode, origin: &Origin) -> Result<CodeDeletion, StoreError> {
        let mut transaction = Transaction::default();
        let change = Change::delete(Key::invite_code(&code.code.folded()))
            .when("#id = :id AND #version = :version AND #used = :used")
            .with("id", &code.id)
            .with("version", code.version)
            .with("used", code.used);
        let deleted = transaction.add(change);
        let event =
            self.event(origin, "invite_code.deleted", Some(code.id.as_str())).change("team_id", &code.team_id, ());
        let event = event
            .change("quota", code.quota, ())
            .change("used", code.used, ())
            .change("expires_at", code.expires_at, ())
            .change("active", code.active, ())
            .change("auto_approve", code.auto_approve, ());
        transaction.audit(&event);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(CodeDeletion::Done),
            Commit::Lost(lost) => {
                Ok(lost.row(deleted)?.map_or(CodeDeletion::Gone, |now| CodeDeletion::Overtaken(Box::new(now))))
            }
        }
    }

    /// A page of the codes that have expired at `now` and are not marked yet, the longest expired first, at most `most`. A
    /// row that cannot be read stands for itself alone.
    pub async fn expiring_codes(
        &self,
        now: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<InviteCode, StoreError>>, StoreError> {
        self.db.due(keys::EXPIRING_CODES, after, &keys::up_to(now), most).await
    }

    /// Marks a code as expired: it leaves the queue. `false` where it was changed, deleted or marked meanwhile.
    ///
    /// One transaction: code, audit. Whether it works is decided at use and does not depend on this.
    pub async fn mark_code_expired(&self, code: &InviteCode, origin: &Origin) -> Result<bool, StoreError> {
        let mut transaction = Transaction::default();
        let change = Change::update(Key::invite_code(&code.code.folded()), "REMOVE #queue_pk, #queue_sk")
            .when("#id = :id AND #expires_at <= :now AND attribute_exists(#queue_pk)")
            .with("id", &code.id)
            .with("now", origin.now.as_millisecond());
        transaction.add(change);
        transaction.audit(&self.event(origin, "invite_code.expired", Some(code.id.as_str())));
        Ok(matches!(self.db.commit(transaction).await?, Commit::Done))
    }
}

/// The queue in which a code waits for its end: first for its creator to be told, unless that is near already.
fn queue_of(at: Timestamp, now: Timestamp) -> &'static str {
    if is_told_of(at, now) { keys::LASTING_CODES } else { keys::EXPIRING_CODES }
}

/// Where a code stands in the queue of those that expire.
fn expiring(at: Timestamp, id: &InviteCodeId) -> String {
    keys::instant_and_id(at, id.as_str())
}

/// The update from `before` to `after`. Optional values that are cleared are removed: the conditions of redeeming ask
/// whether they are there.
fn changing(before: &InviteCode, after: &InviteCode, origin: &Origin) -> Change {
    let mut set =
        ["active = :active", "auto_approve = :auto_approve", "updated_at = :now", "version = #version + :one"]
            .map(|part| format!("#{part}"))
            .to_vec();
    let mut remove = Vec::new();
    let mut optional = |name: &'static str, there: bool| {
        if there {
            set.push(format!("#{name} = :{name}"));
        } else {
            remove.push(format!("#{name}"));
        }
    };
    optional("quota", after.quota.is_some());
    optional("note", after.note.is_some());
    optional("expires_at", after.expires_at.is_some());
    let requeued = after.expires_at != before.expires_at;
    if requeued {
        optional("queue_pk", after.expires_at.is_some());
        optional("queue_sk", after.expires_at.is_some());
    }
    // Another quota is looked at; a raised one is told of again when it runs low.
    let raised = before.quota.is_none_or(|quota| after.quota.is_some_and(|after| after > quota));
    let looked_at = after.quota != before.quota || (after.active && !before.active);
    match (looked_at, after.is_watched()) {
        (false, _) => {}
        (true, true) => set.extend(watching(raised)),
        (true, false) => remove.extend(["#group_pk".to_owned(), "#group_sk".to_owned()]),
    }
    let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
    let expression = format!("SET {}{remove}", set.join(", "));
    let mut change = Change::update(Key::invite_code(&before.code.folded()), &expression)
        .with("active", after.active)
        .with("auto_approve", after.auto_approve)
        .with("now", origin.now.as_millisecond())
        .with("one", 1);
    let mut condition = "#id = :id AND #version = :version".to_owned();
    if let Some(quota) = after.quota {
        condition.push_str(" AND #used <= :quota");
        change = change.with("quota", quota);
    }
    if looked_at && after.is_watched() {
        change = change.with("watched", keys::WATCHED_CODES);
    }
    if let Some(note) = &after.note {
        change = change.with("note", note);
    }
    if let Some(at) = after.expires_at {
        change = change.with("expires_at", at.as_millisecond());
        if requeued {
            change = change.with("queue_pk", queue_of(at, origin.now)).with("queue_sk", expiring(at, &before.id));
        }
    }
    change.when(&condition).with("id", &before.id).with("version", before.version)
}

/// The parts of an update that put a code among those whose slots are looked at: in any case, or unless its creator was told
/// of them. `:id` is the code's.
pub(super) fn watching(again: bool) -> [String; 2] {
    let partition = if again { ":watched" } else { "if_not_exists(#group_pk, :watched)" };
    [format!("#group_pk = {partition}"), "#group_sk = :id".to_owned()]
}

/// The fields in which two codes differ, with both values but for the note.
fn changes(event: AuditEvent, before: &InviteCode, after: &InviteCode) -> AuditEvent {
    let mut event = event;
    if before.quota != after.quota {
        event = event.change("quota", before.quota, after.quota);
    }
    if before.expires_at != after.expires_at {
        event = event.change("expires_at", before.expires_at, after.expires_at);
    }
    if before.active != after.active {
        event = event.change("active", before.active, after.active);
    }
    if before.auto_approve != after.auto_approve {
        event = event.change("auto_approve", before.auto_approve, after.auto_approve);
    }
    if before.note != after.note {
        event = event.personal_change("note");
    }
    event
}
