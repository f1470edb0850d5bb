//! What was asked of the services, and what is to go wrong: for tests that count calls, compare sequences of calls, and
//! see what becomes of a failure.
//!
//! It sees the clients that this crate hands out, at the level of HTTP: each attempt of the SDK is a call of its own.

use serde_json::Value;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One request that was sent to a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Service and operation: `DynamoDB.TransactWriteItems`, `DynamoDBStreams.GetRecords`, `Cognito.AdminInitiateAuth`,
    /// `SES.SendEmail`.
    pub operation: String,
    /// The request's JSON; null if it was none.
    pub request: Value,
}

/// Something that goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) what: Failure,
    /// Whether the service does what it is asked to before the answer is replaced.
    pub(crate) carried_out: bool,
    times: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Refused { status: u16, code: String, message: String },
    Conflict,
    Throttled,
    Dropped,
}

impl Fault {
    /// The service answers with an error of that type and message.
    pub fn refused(code: &str, message: &str) -> Self {
        Self::new(Failure::Refused { status: 400, code: code.to_owned(), message: message.to_owned() })
    }

    /// The service answers with an internal error, which the SDK tries again.
    pub fn internal() -> Self {
        let (code, message) = ("InternalServerError".to_owned(), "Internal server error".to_owned());
        Self::new(Failure::Refused { status: 500, code, message })
    }

    /// `DynamoDB` finds another transaction at work on one of the items.
    pub fn conflict() -> Self {
        Self::new(Failure::Conflict)
    }

    /// The service is asked too often.
    pub fn throttled() -> Self {
        Self::new(Failure::Throttled)
    }

    /// The connection breaks and there is no answer.
    pub fn dropped() -> Self {
        Self::new(Failure::Dropped)
    }

    /// The service has carried the call out when it goes wrong; otherwise the call never reaches it.
    #[must_use]
    pub fn after(self) -> Self {
        Self { carried_out: true, ..self }
    }

    /// It goes wrong so many times in a row; otherwise once.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    fn new(what: Failure) -> Self {
        Self { what, carried_out: false, times: 1 }
    }
}

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What awaits a call before and after it is sent.
#[derive(Default)]
pub(crate) struct Plan {
    pub meanwhile: Option<Meanwhile>,
    pub fault: Option<Fault>,
}

/// The calls of one set of services.
#[derive(Default)]
pub struct Calls {
    recording: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: Vec<Call>,
    faults: VecDeque<(String, Fault)>,
    meanwhile: VecDeque<(String, Meanwhile)>,
}

impl Calls {
    pub(crate) fn new(recording: bool) -> Self {
        Self { recording, state: Mutex::default() }
    }

    /// The calls since the last [`Calls::forget`], in the order in which they were sent.
    pub fn made(&self) -> Vec<Call> {
        self.state().made.clone()
    }

    /// The operations of [`Calls::made`].
    pub fn operations(&self) -> Vec<String> {
        self.state().made.iter().map(|call| call.operation.clone()).collect()
    }

    /// Forgets the calls made so far.
    pub fn forget(&self) {
        self.state().made.clear();
    }

    /// Lets the next call of `operation` fail; further faults of the same operation wait for the calls after it.
    pub fn fail_next(&self, operation: &str, fault: Fault) {
        let Fault { what, carried_out, times } = fault;
        let once = Fault { what, carried_out, times: 1 };
        self.state().faults.extend(std::iter::repeat_n((operation.to_owned(), once), times));
    }

    /// Lets `meanwhile` happen before the next call of `operation` is sent: what another request would do in between.
    ///
    /// Calls that `meanwhile` itself makes are recorded too.
    pub fn before_next(&self, operation: &str, meanwhile: impl Future<Output = ()> + Send + 'static) {
        self.state().meanwhile.push_back((operation.to_owned(), Box::pin(meanwhile)));
    }

    /// Faults and interruptions that no call has met yet; a test that set some may assert that there is none left.
    pub fn outstanding(&self) -> usize {
        let state = self.state();
        state.faults.len() + state.meanwhile.len()
    }

    /// Whether calls have to be looked at.
    pub(crate) fn in_use(&self) -> bool {
        self.recording || self.outstanding() > 0
    }

    /// Notes a call and says what is to become of it.
    pub(crate) fn note(&self, call: &Call) -> Plan {
        let mut state = self.state();
        if self.recording {
            state.made.push(call.clone());
        }
        Plan { meanwhile: take(&mut state.meanwhile, &call.operation), fault: take(&mut state.faults, &call.operation) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Calls").field("recording", &self.recording).finish_non_exhaustive()
    }
}

fn take<T>(planned: &mut VecDeque<(String, T)>, operation: &str) -> Option<T> {
    let position = planned.iter().position(|(named, _)| named == operation)?;
    planned.remove(position).map(|(_, taken)| taken)
}
