//! Requests for an organisation of one's own: made, listed, approved, rejected.

mod approve;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    Listed, Record, Store, StoreError,
    change::Change,
    confirmation::to_notify,
    keys::{self, Key},
    rows::Owners,
    transaction::{Commit, Position, Transaction},
};
use crate::domain::{
    audit::Origin,
    email::Email,
    idempotency::Repeatable,
    ids::{OrganisationId, OrganisationRequestId, UserId},
    name::Name,
    organisation_request::{OrganisationRequest, RequestStatus},
    rights,
    settings::Settings,
    user::{Status, User},
};

/// That somebody's request waits: they have one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Requester {
    request_id: OrganisationRequestId,
}

/// What a request is decided from.
#[derive(Debug)]
pub struct RequestFacts {
    /// Who asks.
    pub caller: Option<User>,
    /// The portal's settings.
    pub settings: Settings,
    /// Who is told that it waits.
    pub owners_to_notify: Vec<Email>,
    /// The record of its first, where it may be a repeat.
    pub record: Option<Record>,
}

/// What became of a request.
#[derive(Debug)]
pub enum Requested {
    /// It is written: it waits, or is approved at once.
    Done(Box<OrganisationRequest>),
    /// Another of theirs waits.
    Pending(OrganisationRequestId),
    /// An equal request wrote this a moment ago, or another under the same key.
    Repeated(Record),
    /// They are no active consumer of the Default Organisation any more.
    Unfit,
}

/// What became of a decision about a request.
#[derive(Debug)]
pub enum DecidedRequest {
    /// The request as it now is.
    Done(Box<OrganisationRequest>),
    /// It was decided before.
    Decided(RequestStatus),
    /// Its requester is not as they were read.
    RequesterChanged,
    /// Its requester was deleted, and it with them.
    Gone,
}

/// Some of the requests, and where to go on.
#[derive(Debug, Default)]
pub struct RequestPage {
    /// The requests, the oldest first, each with who made it, if they are still there.
    pub requests: Vec<(OrganisationRequest, Option<User>)>,
    /// The position after which the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// Reads all that a request is decided from, in one batch.
    pub async fn request_facts(
        &self,
        caller: &UserId,
        sought: Option<&Repeatable>,
    ) -> Result<RequestFacts, StoreError> {
        let keys = [Key::user(caller), Key::settings(), Key::owners()].into_iter().chain(sought.map(Repeatable::key));
        let fetched = self.db.fetch(keys).await?;
        let settings = fetched.settings()?;
        let owners: Owners = fetched.get(&Key::owners())?.unwrap_or_default();
        let owners_to_notify = to_notify(&settings, owners);
        let record = fetched.record(sought)?;
        Ok(RequestFacts { caller: fetched.get(&Key::user(caller))?, settings, owners_to_notify, record })
    }

    /// Writes a request that waits for an API Owner.
    ///
    /// One transaction: request, that the requester has one (none waits), check of the requester (active, in the Default
    /// Organisation), audit, outbox to the owners, record.
    pub async fn request_organisation(
        &self,
        requester: &User,
        name: Name,
        owners: &[Email],
        origin: &Origin,
    ) -> Result<Requested, StoreError> {
        let request = self.new_request(requester, name, RequestStatus::Pending, origin);
        let mut transaction = Transaction::default();
        let waiting = Requester { request_id: request.id.clone() };
        let waiting = transaction.create(Key::requester(&requester.id), &waiting, &[]);
        transaction.add(row(&request).when_new());
        let check = Change::check(Key::user(&requester.id), FITS);
        let person = transaction.add(while_fit(check));
        let event = self.event(origin, "organisation_request.created", Some(request.id.as_str()));
        transaction.audit(&event.personal_change("name").change("status", (), request.status));
        if let Some(mail) = self.compose(origin).organisation_requested(owners, requester, &request.name) {
            transaction.mail(&mail);
        }
        self.requested(transaction, request, waiting, person, origin).await
    }

    /// Commits a new request and tells what stood in its way.
    async fn requested(
        &self,
        mut transaction: Transaction,
        request: OrganisationRequest,
        waiting: Position,
        person: Position,
        origin: &Origin,
    ) -> Result<Requested, StoreError> {
        let record = transaction.record_personal(origin, &request, Key::organisation_request(&request.id));
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(Requested::Done(Box::new(request))),
            Commit::Lost(lost) => lost,
        };
        if let Some(record) = lost.record(record)? {
            return Ok(Requested::Repeated(record));
        }
        if let Some(Requester { request_id }) = lost.row(waiting)? {
            return Ok(Requested::Pending(request_id));
        }
        if lost.at(person) { Ok(Requested::Unfit) } else { Err(StoreError::Busy) }
    }

    fn new_request(&self, requester: &User, name: Name, status: RequestStatus, origin: &Origin) -> OrganisationRequest {
        let id = OrganisationRequestId::new(origin.now, self.db.random.number());
        let (requester, created_at) = (requester.id.clone(), origin.now);
        OrganisationRequest { id, name, requester, status, organisation_id: None, created_at }
    }

    /// A page of the requests that `caller` sees, the oldest first: all for API Owners, their own for others.
    ///
    /// One query on an index and two batches. The index may lag, the rows do not; others than in `status` are left out.
    pub async fn organisation_requests(
        &self,
        caller: &User,
        status: Option<RequestStatus>,
        after: Option<&str>,
        limit: u16,
    ) -> Result<RequestPage, StoreError> {
        let listed: Listed<OrganisationRequest> = match status {
            _ if !rights::sees_everybody(caller) => self.requests_of(&caller.id, after, limit).await?,
            Some(status) => self.db.listed("Queues", "queue", &keys::requests_in(status), after, limit).await?,
            None => self.db.listed("Lists", "list", keys::ALL_REQUESTS, after, limit).await?,
        };
        let mut requests = listed.rows;
        requests.retain(|request| status.is_none_or(|status| request.status == status));
        let fetched = self.db.fetch(requests.iter().map(|request| Key::user(&request.requester))).await?;
        let mut people = HashMap::new();
        for request in &requests {
            people.insert(request.id.clone(), fetched.get::<User>(&Key::user(&request.requester))?);
        }
        let requests = requests.into_iter().map(|request| {
            let person = people.remove(&request.id).flatten();
            (request, person)
        });
        Ok(RequestPage { requests: requests.collect(), next: listed.next })
    }

    /// A page of the requests of `requester`, the oldest first: one query on an index, which may lag, and a batch of what
    /// it found.
    pub async fn requests_of(
        &self,
        requester: &UserId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Listed<OrganisationRequest>, StoreError> {
        self.db.listed("Groups", "group", &keys::requests_of(requester), after, limit).await
    }

    /// Reads caller and request in one batch.
    pub async fn caller_and_request(
        &self,
        caller: &UserId,
        id: Option<&OrganisationRequestId>,
    ) -> Result<(Option<User>, Option<OrganisationRequest>), StoreError> {
        let (caller, id) = (Key::user(caller), id.map(Key::organisation_request));
        let fetched = self.db.fetch([caller.clone()].into_iter().chain(id.clone())).await?;
        Ok((fetched.get(&caller)?, id.map_or(Ok(None), |key| fetched.get(&key))?))
    }

    /// Rejects a request, with the reason that the mail to its requester tells, if they are still there.
    ///
    /// One transaction: request (waiting), that the requester has one, audit, outbox.
    pub async fn reject_request(
        &self,
        request: &OrganisationRequest,
        requester: Option<&User>,
        reason: Option<&str>,
        origin: &Origin,
    ) -> Result<DecidedRequest, StoreError> {
        let rejected = OrganisationRequest { status: RequestStatus::Rejected, ..request.clone() };
        let mut transaction = Transaction::default();
        let position = transaction.decide_request(&rejected);
        let event = self.event(origin, "organisation_request.rejected", Some(request.id.as_str()));
        transaction.audit(&event.change("status", request.status, rejected.status));
        if let Some(requester) = requester {
            transaction.mail(&self.compose(origin).organisation_rejected(requester, &request.name, reason));
        }
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(DecidedRequest::Done(Box::new(rejected))),
            Commit::Lost(lost) if lost.at(position) => {
                let now = lost.row::<OrganisationRequest>(position)?;
                Ok(now.map_or(DecidedRequest::Gone, |now| DecidedRequest::Decided(now.status)))
            }
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }
}

/// That somebody can get an organisation: `organisation_request::fits`, in the database's words.
const FITS: &str = "#organisation_id = :default AND #status = :active AND attribute_not_exists(#identity_due)";

fn while_fit(change: Change) -> Change {
    change.with("default", OrganisationId::default_organisation()).with("active", Status::Active)
}

/// A request's row with its index keys.
fn row(request: &OrganisationRequest) -> Change {
    Change::put(Key::organisation_request(&request.id), request)
        .and("list_pk", keys::ALL_REQUESTS)
        .and("list_sk", &request.id)
        .and("group_pk", keys::requests_of(&request.requester))
        .and("group_sk", &request.id)
        .and("queue_pk", keys::requests_in(request.status))
        .and("queue_sk", &request.id)
        .and("about_pk", &request.requester)
        .and("about_sk", &request.id)
}

/// The end of a request with its requester: the request, and where it waits, that they have one.
pub(super) fn removal_of(request: &OrganisationRequest) -> Transaction {
    let mut transaction = Transaction::of(Change::delete(Key::organisation_request(&request.id)));
    if request.status == RequestStatus::Pending {
        transaction.add(requester_freed_of(request));
    }
    transaction
}

/// That the requester has this request no more.
fn requester_freed_of(request: &OrganisationRequest) -> Change {
    Change::delete(Key::requester(&request.requester))
        .when("attribute_not_exists(#pk) OR #request_id = :own")
        .with("own", &request.id)
}

impl Transaction {
    /// Adds the new state of a request that waits, which its requester has no more.
    fn decide_request(&mut self, decided: &OrganisationRequest) -> Position {
        let change = row(decided).when("#status = :pending").with("pending", RequestStatus::Pending);
        let position = self.add(change);
        self.add(requester_freed_of(decided));
        position
    }
}
