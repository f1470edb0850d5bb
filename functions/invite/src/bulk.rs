//! `POST /v1/invitations/bulk`: invites many, each row on its own.
//!
//! A row is decided and carried out as a single invitation is, so that an upload may be cut off anywhere and sent again:
//! what was done is found done.

mod rows;
mod shape;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    panic::resume_unwind,
    sync::Arc,
};

use axum::{Json, extract::State};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use shared::{
    clock::Clock,
    domain::{
        Fault,
        audit::Actor,
        ids::InvitationId,
        rights::{self, Action, decide},
        settings::Settings,
        user::User,
    },
    http::{Deadline, Parameters, Problem, RequestId, Session, Upload, admit},
    store::{BulkFacts, Store},
};
use tokio::task::JoinSet;
use utoipa::ToSchema;

use self::rows::UploadBody;
use crate::{
    App,
    create::{Create, CreateError},
    plan::{self, Kept, Made, Plan},
};

/// The largest upload, in KiB.
const MAX_UPLOAD: usize = 1024;
/// How many rows are carried out at a time: they check the same teams, and the more there are at once, the more of
/// them wait for each other.
const AT_ONCE: usize = 4;
/// What rows begun at the last moment are left to be finished, and the answer to be written.
const RESERVE: SignedDuration = SignedDuration::from_secs(5);

/// What became of the rows, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadedInvitations)]
pub struct BulkBody {
    /// One per row, in their order.
    results: Vec<RowBody>,
}

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadedRow)]
pub struct RowBody {
    /// Its number, from 1 on; a table's header does not count.
    #[schema(minimum = 1)]
    row: usize,
    outcome: Outcome,
    /// The invitation that was made.
    invitation_id: Option<InvitationId>,
    /// The answer that a single invitation would have got, where nobody is invited.
    #[schema(schema_with = shape::problem)]
    problem: Option<Value>,
}

/// In a word what became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RowOutcome)]
enum Outcome {
    /// The invitation is made, its mail queued.
    Invited,
    /// It would be made, were this no dry run.
    WouldInvite,
    /// One of this address waits.
    AlreadyInvited,
    /// The address has an account.
    AlreadyRegistered,
    /// An earlier row names the same address.
    Duplicate,
    /// The row cannot be carried out as it is.
    Invalid,
    /// It might work another time.
    Failed,
    /// There was no time left for it.
    NotAttempted,
}

/// Invites whom the rows name: an API Owner anywhere and as anything, a Consumer Admin into their own teams.
#[utoipa::path(
    post, path = "/v1/invitations/bulk",
    params(("dry_run" = Option<bool>, Query, description = "Whether to tell only what the rows would come to.")),
    request_body(content((UploadBody = "application/json", example = json!({
            "rows": [{"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}]
        })), (String = "text/csv", example = json!("email,first_name,last_name\nada@example.com,Ada,Lovelace\n")))),
    responses(
        (status = 200, description = "What became of each row, in their order.", body = BulkBody),
        (status = 400, description = "`malformed-csv`: the body is no table in UTF-8."),
        (status = 403, description = "`forbidden`: only API Owners and Consumer Admins invite, these not where strangers meet. \
            `invitations-closed`: inviting is switched off for Consumer Admins."),
        (status = 409, description = "`mail-not-configured`: no sender is set."),
    ),
)]
pub async fn bulk(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    deadline: Deadline,
    mut parameters: Parameters,
    upload: Upload<MAX_UPLOAD>,
) -> Result<Json<BulkBody>, Problem> {
    let facts = app.store.invite_facts(&session.user_id, None, None).await?;
    let caller = admit(&session, facts.caller)?;
    decide(&caller, Action::Invite)?;
    if !rights::may_invite_now(&caller, &facts.settings) {
        return Err(CreateError::Closed.into());
    }
    let dry_run = parameters.optional("dry_run", truth).unwrap_or(false);
    parameters.end()?;
    let rows = rows::read(upload)?;
    if facts.settings.sender.is_none() {
        return Err(CreateError::NoSender.into());
    }
    let asked: Vec<_> = rows.iter().flatten().map(|row| row.asked.clone()).collect();
    let read = app.store.bulk_facts(&caller, &asked).await?;
    let desk = Desk { store: app.store, clock: app.clock, caller, settings: facts.settings, request };
    let (plans, mut results) = desk.judge(rows, &read);
    if dry_run {
        results.extend(plans.into_iter().map(|(row, _)| (row, RowBody::of(row, Outcome::WouldInvite))));
    } else {
        let until = deadline.0.map(|end| end - RESERVE);
        results.extend(Arc::new(desk).carry_out(plans, until).await);
    }
    Ok(Json(BulkBody { results: results.into_values().collect() }))
}

fn truth(word: &str) -> Result<bool, Fault> {
    word.parse().map_err(|_| Fault::new("not_a_boolean", "This parameter is true or false."))
}

/// Plans by the numbers of their rows.
type Plans = VecDeque<(usize, Plan)>;

/// What every row is dealt with by.
struct Desk {
    store: Store,
    clock: Clock,
    caller: User,
    settings: Settings,
    request: RequestId,
}

impl Desk {
    /// Decides about each row: what can be carried out, and the results of all others.
    fn judge(&self, rows: Vec<Result<Create, Problem>>, read: &BulkFacts) -> (Plans, BTreeMap<usize, RowBody>) {
        let (mut plans, mut results, mut first) = (Plans::new(), BTreeMap::new(), HashMap::new());
        for (row, body) in (1..).zip(rows) {
            let body = match body {
                Ok(body) => body,
                Err(problem) => {
                    results.insert(row, self.refused(row, Outcome::Invalid, problem));
                    continue;
                }
            };
            let email = body.asked.email.clone();
            if let Some(first) = first.get(&email) {
                results.insert(row, self.refused(row, Outcome::Duplicate, duplicate(*first)));
                continue;
            }
            first.insert(email, row);
            match self.plan(body, read) {
                Ok(plan) => plans.push_back((row, plan)),
                Err(kept) => drop(results.insert(row, self.kept(row, kept))),
            }
        }
        (plans, results)
    }

    fn plan(&self, body: Create, read: &BulkFacts) -> Result<Plan, Kept> {
        let (caller, now) = (&self.caller, self.clock.now());
        let known = read.known(&body.asked.email)?;
        let planned = if rights::invites_without_bounds(caller) {
            let placed = read.placed(&body.asked)?;
            plan::by_owner(caller, body, placed, known.as_ref(), now)
        } else {
            let around = read.surroundings(caller, &body.asked.email)?;
            plan::by_admin(caller, body, around, known.as_ref(), now)
        };
        planned.map_err(Kept::Refused)
    }

    /// Carries plans out, a few at a time, and begins none from `until` on.
    async fn carry_out(self: Arc<Self>, mut plans: Plans, until: Option<Timestamp>) -> BTreeMap<usize, RowBody> {
        let mut results = BTreeMap::new();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE && until.is_none_or(|until| self.clock.now() < until) {
                let Some((row, plan)) = plans.pop_front() else { break };
                let desk = self.clone();
                under_way.spawn(async move { (row, desk.invite(row, plan).await) });
            }
            match under_way.join_next().await {
                Some(Ok((row, result))) => drop(results.insert(row, result)),
                // No row is ever cancelled, and what panics ends the process where the portal is deployed.
                Some(Err(ended)) => resume_unwind(ended.into_panic()),
                None => break,
            }
        }
        let left = plans.into_iter().map(|(row, _)| row);
        results.extend(left.map(|row| (row, self.refused(row, Outcome::NotAttempted, Problem::try_again(1)))));
        results
    }

    async fn invite(&self, row: usize, plan: Plan) -> RowBody {
        let origin = self.request.origin(Actor::User(self.caller.id.clone()), self.clock.now());
        match plan.carry_out(&self.store, &self.caller, &self.settings, &origin).await {
            Ok(Made::Now(invitation, _)) => {
                RowBody { invitation_id: Some(invitation.id), ..RowBody::of(row, Outcome::Invited) }
            }
            // No row has a key of its own.
            Ok(Made::Before(_)) => self.refused(row, Outcome::Failed, Problem::internal("a row was made before")),
            Err(kept) => self.kept(row, kept),
        }
    }

    fn kept(&self, row: usize, kept: Kept) -> RowBody {
        self.refused(row, outcome(&kept), kept.into())
    }

    fn refused(&self, row: usize, outcome: Outcome, problem: Problem) -> RowBody {
        RowBody { problem: Some(problem.part(&self.request)), ..RowBody::of(row, outcome) }
    }
}

impl RowBody {
    fn of(row: usize, outcome: Outcome) -> Self {
        Self { row, outcome, invitation_id: None, problem: None }
    }
}

fn outcome(kept: &Kept) -> Outcome {
    let error = match kept {
        Kept::Refused(error) => error,
        Kept::Failed(_) => return Outcome::Failed,
    };
    match error {
        CreateError::EmailTaken => Outcome::AlreadyRegistered,
        CreateError::Pending(_) => Outcome::AlreadyInvited,
        CreateError::Unfinished | CreateError::Overtaken => Outcome::Failed,
        CreateError::Closed
        | CreateError::NoSender
        | CreateError::Role
        | CreateError::OrganisationNotYours
        | CreateError::PlaceOfOwner(_)
        | CreateError::NoSuchOrganisation
        | CreateError::NoSuchTeam
        | CreateError::TeamsMissing
        | CreateError::TeamOfStrangers => Outcome::Invalid,
    }
}

/// 409: `first` is the row that counts.
fn duplicate(first: usize) -> Problem {
    let detail = format!("Row {first} names the same address, and that row counts.");
    Problem::conflict("duplicate-row", "Named twice", detail).member("first_row", serde_json::json!(first))
}

#[cfg(test)]
mod by_admins;
#[cfg(test)]
mod cut_off;
#[cfg(test)]
mod tests;
