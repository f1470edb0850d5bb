//! What every route has in common: problems, bodies read with all their faults, callers, pages.
//!
//! Nothing here decides what a caller may do: that is `domain::rights`.

mod body;
mod caller;
mod finish;
mod instant;
mod next;
mod page;
mod path;
mod people;
mod problem;

pub use body::{Fields, FromFields, Payload, boolean, choice, integer, items, secret, text};
pub use caller::{RequestId, Session, admit};
pub use finish::finished;
pub use instant::Instant;
pub use next::Next;
pub use page::{Cursor, Listing, PageBody, Parameters};
pub use path::PathId;
pub use people::{ListedPerson, PlaceBody, UserBody};
pub use problem::{FieldFault, Problem};
