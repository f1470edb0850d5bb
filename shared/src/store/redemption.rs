//! Redeeming an invite code: a slot and a person, or neither (`docs/architecture.md`, sections 3.3 and 3.17).

use super::{
    Record, Store, StoreError, Told,
    change::Change,
    creation::UnfinishedIdentity,
    invite_codes::watching,
    keys::{self, Key},
    rows::{Sentinel, Stage},
    transaction::{Commit, Lost, Position, Transaction},
};
use crate::domain::{
    attribute::Definitions,
    audit::Origin,
    email::Email,
    idempotency::Repeatable,
    ids::TeamId,
    invite_code::{FoldedCode, InviteCode},
    link::CONFIRM_LIFE,
    organisation::Team,
    settings::Settings,
    source::SourceAddress,
    throttle::{Throttle, Window},
    user::{Newcomer, Status, User},
};

/// What a redemption is decided from.
#[derive(Clone, Debug)]
pub struct RedemptionFacts {
    /// The code, where there is one.
    pub code: Option<InviteCode>,
    /// The portal's settings.
    pub settings: Settings,
    /// The custom attributes.
    pub attributes: Definitions,
    /// The account behind the address, if there is one.
    pub known: Option<Sentinel>,
    /// The unknown codes that the source tried before.
    pub unknown_codes: Option<Window>,
    /// The sign-ups that came from the source before.
    pub sign_ups: Option<Window>,
    /// The record of the request, where it is a repeat.
    pub record: Option<Record>,
}

/// What became of a redemption.
#[derive(Debug)]
pub enum Redeemed {
    /// The slot is taken and the person written.
    New(Box<User>),
    /// The holder of the known address is mailed, and no slot taken.
    Mailed,
    /// The address was taken a moment ago; no slot is taken.
    Taken(Sentinel),
    /// The code is not as it was read: this is what stands there now, if anything does.
    CodeChanged(Option<Box<InviteCode>>),
    /// The code's team is gone.
    TeamGone,
    /// A request with the same key was there first.
    Repeated(Record),
}

/// The writes that hold a transaction to a code.
struct CodeChecks {
    code: Position,
    team: Option<Position>,
}

impl CodeChecks {
    /// What of the code stood in the way, before all that is about the address: an answer about a code must not depend
    /// on it.
    fn refused(&self, lost: &Lost) -> Result<Option<Redeemed>, StoreError> {
        if lost.at(self.code) {
            return Ok(Some(Redeemed::CodeChanged(lost.row(self.code)?.map(Box::new))));
        }
        Ok(self.team.filter(|team| lost.at(*team)).map(|_| Redeemed::TeamGone))
    }
}

/// A code as it was read and still usable: `InviteCode::state`, in the database's words.
const USABLE: &str = "#id = :id AND #version = :version AND #active = :true AND (attribute_not_exists(#expires_at) OR \
                      #expires_at > :now) AND (attribute_not_exists(#quota) OR #used < #quota)";

fn while_usable(change: Change, code: &InviteCode, origin: &Origin) -> Change {
    change
        .when(USABLE)
        .with("id", &code.id)
        .with("version", code.version)
        .with("true", true)
        .with("now", origin.now.as_millisecond())
}

impl Transaction {
    fn take_slot(&mut self, code: &InviteCode, origin: &Origin) -> CodeChecks {
        let mut expression = "SET #used = #used + :one".to_owned();
        // Which slot this is only the write knows: the sweep looks how many are left.
        if code.is_watched() {
            expression = format!("{expression}, {}", watching(false).join(", "));
        }
        let mut change = Change::update(Key::invite_code(&code.code.folded()), &expression).with("one", 1);
        if code.is_watched() {
            change = change.with("watched", keys::WATCHED_CODES);
        }
        self.check_code(while_usable(change, code, origin), code)
    }

    fn check_slot(&mut self, code: &InviteCode, origin: &Origin) -> CodeChecks {
        let check = Change::check(Key::invite_code(&code.code.folded()), USABLE);
        self.check_code(while_usable(check, code, origin), code)
    }

    fn check_code(&mut self, change: Change, code: &InviteCode) -> CodeChecks {
        let position = self.add(change);
        CodeChecks { code: position, team: self.check_teams(std::slice::from_ref(&code.team_id)).first().copied() }
    }

    /// Adds the return of the slot that `user` took and never confirmed; `None` where there is none to return.
    fn return_slot(&mut self, user: &User) -> Option<Position> {
        let redemption = user.redemption.as_ref().filter(|redemption| redemption.confirmed_at.is_none())?;
        let change = Change::update(Key::invite_code(&redemption.code.folded()), "SET #used = #used - :one")
            .when("#id = :code_id AND #used > :zero")
            .with("code_id", &redemption.code_id)
            .with("one", 1)
            .with("zero", 0);
        Some(self.add(change))
    }
}

impl Store {
    /// Reads code, settings, attributes, address and what the source did before, in one batch. Without a code or an
    /// address there is none to read: what was typed cannot be one.
    pub async fn redemption_facts<'a>(
        &self,
        code: Option<&FoldedCode>,
        email: impl Into<Option<&'a Email>>,
        source: &SourceAddress,
        sought: Option<&Repeatable>,
    ) -> Result<RedemptionFacts, StoreError> {
        let (code, address) = (code.map(Key::invite_code), email.into().map(Key::email));
        let [unknown_codes, sign_ups] =
            [Throttle::UnknownCodes, Throttle::SignUps].map(|throttle| Key::throttle(throttle, source));
        let keys = [Key::settings(), Key::attributes(), unknown_codes.clone(), sign_ups.clone()];
        let further = code.clone().into_iter().chain(address.clone()).chain(sought.map(Repeatable::key));
        let fetched = self.db.fetch(keys.into_iter().chain(further)).await?;
        Ok(RedemptionFacts {
            code: code.map_or(Ok(None), |key| fetched.get(&key))?,
            settings: fetched.settings()?,
            attributes: fetched.attributes()?,
            known: address.map_or(Ok(None), |address| fetched.get(&address))?,
            unknown_codes: fetched.get(&unknown_codes)?,
            sign_ups: fetched.get(&sign_ups)?,
            record: fetched.record(sought)?,
        })
    }

    /// Whether a team is there; no call for the default team, which always is.
    pub async fn has_team(&self, id: &TeamId) -> Result<bool, StoreError> {
        if *id == TeamId::default_team() {
            return Ok(true);
        }
        let key = Key::team(id);
        Ok(self.db.fetch([key.clone()]).await?.get::<Team>(&key)?.is_some())
    }

    /// Takes a slot of `code` for a registration that waits for its address to be confirmed, or changes nothing.
    ///
    /// One transaction: code (as it was read, usable), check of its team, person, e-mail sentinel, membership, audit of
    /// both, outbox.
    pub async fn redeem(
        &self,
        code: &InviteCode,
        new: impl Into<Newcomer>,
        origin: &Origin,
    ) -> Result<Redeemed, StoreError> {
        self.take(code, new, Stage::Unconfirmed, origin, |transaction, user| {
            let until = origin.now + CONFIRM_LIFE;
            let compose = self.compose(origin);
            transaction.mail(&compose.confirm_registration(&user.email, &user.id, user.link_version, until));
        })
        .await
    }

    /// Takes a slot of `code` for a person whose Cognito user is to follow, or changes nothing: the first step of a
    /// registration with a password. Undoing it gives the slot back.
    ///
    /// One transaction: code (as it was read, usable), check of its team, person, e-mail sentinel, membership, audit of
    /// both, note.
    pub async fn begin_redemption(
        &self,
        code: &InviteCode,
        new: impl Into<Newcomer>,
        origin: &Origin,
    ) -> Result<Redeemed, StoreError> {
        self.take(code, new, Stage::Unfinished, origin, |transaction, user| {
            transaction.note_identity(&UnfinishedIdentity::of(user));
        })
        .await
    }

    async fn take(
        &self,
        code: &InviteCode,
        new: impl Into<Newcomer>,
        stage: Stage,
        origin: &Origin,
        further: impl FnOnce(&mut Transaction, &User),
    ) -> Result<Redeemed, StoreError> {
        let mut user = new.into().at(origin.now, self.db.random.number());
        if user.identity_due.is_some() {
            user = user.begun_by(origin);
        }
        user.redemption = Some(code.redemption());
        let mut transaction = Transaction::default();
        let checks = transaction.take_slot(code, origin);
        let address = transaction.create_sentinel(&user, stage, None);
        transaction.create_user(&user);
        transaction.create_memberships(&user);
        transaction.audit(&self.event(origin, "invite_code.redeemed", Some(code.id.as_str())));
        transaction.audit(&self.created(origin, &user));
        further(&mut transaction, &user);
        let record = transaction.record(origin, &Told::of(&user));
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(Redeemed::New(Box::new(user))),
            Commit::Lost(lost) => lost,
        };
        if let Some(record) = lost.record(record)? {
            return Ok(Redeemed::Repeated(record));
        }
        match (checks.refused(&lost)?, lost.row(address)?) {
            (Some(refused), _) => Ok(refused),
            (None, Some(known)) => Ok(Redeemed::Taken(known)),
            (None, None) => Err(StoreError::Busy),
        }
    }

    /// Mails the holder of a known address as a registration without a code does, under the same conditions on the code as
    /// taking a slot, and takes none.
    ///
    /// One transaction: checks of code and team, audit; sentinel (the mail counts), outbox.
    pub async fn redeem_known(
        &self,
        code: &InviteCode,
        email: &Email,
        known: &Sentinel,
        status: Status,
        origin: &Origin,
    ) -> Result<Redeemed, StoreError> {
        let mut transaction = Transaction::default();
        let checks = transaction.check_slot(code, origin);
        self.mail_known(&mut transaction, email, known, origin);
        let record = transaction.record(origin, &Told { status, begun: None });
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(Redeemed::Mailed),
            Commit::Lost(lost) => lost,
        };
        if let Some(record) = lost.record(record)? {
            return Ok(Redeemed::Repeated(record));
        }
        // Beside the code, only another mail to the same address, or a step of its holder, can have come first.
        Ok(checks.refused(&lost)?.unwrap_or(Redeemed::Mailed))
    }

    /// Commits the deletion of `user` that `build` describes, with the return of the slot that they took. Where the code
    /// was deleted, or another of its text stands there, nothing is to be returned and the deletion goes on without it.
    /// Brings what `build` returned: positions, by which the outcome is read.
    pub(super) async fn delete_with_slot<P>(
        &self,
        user: &User,
        build: impl Fn(&mut Transaction) -> P,
    ) -> Result<(P, Commit), StoreError> {
        let mut transaction = Transaction::default();
        let positions = build(&mut transaction);
        let slot = transaction.return_slot(user);
        let commit = self.db.commit(transaction).await?;
        match (&commit, slot) {
            (Commit::Lost(lost), Some(slot)) if lost.at(slot) => {}
            _ => return Ok((positions, commit)),
        }
        let mut transaction = Transaction::default();
        let positions = build(&mut transaction);
        Ok((positions, self.db.commit(transaction).await?))
    }
}
