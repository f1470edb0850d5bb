//! What the tests of functions stand on: a portal of their own in memory, people in it, and requests as API Gateway
//! sends them.
//!
//! Test code only. A step that fails here panics: the test then says where.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc, reason = "tests")]

mod attributes;
mod bench;
mod codes;
pub mod contract;
mod places;
mod repeats;
mod reply;
mod rows;
mod sample;
mod units;

pub use bench::{Bench, PASSWORD, SignedIn, email, organisation, portal};
pub use codes::CODE;
pub use local_services::{Call, Fate, Fault, feedback};
pub use repeats::{Creating, assert_replays, is_replay};
pub use reply::Reply;
pub use sample::Sample;
pub use units::write_units;
