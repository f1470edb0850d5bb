//! What every route has in common: problems, bodies read with all their faults, callers, pages.
//!
//! Nothing here decides what a caller may do: that is `domain::rights`.

mod applicant;
mod attributes;
mod body;
mod caller;
mod created;
mod etag;
mod fields;
mod finish;
mod idempotency;
mod instant;
mod next;
mod page;
mod parse;
mod path;
mod people;
mod problem;
mod schema;
mod tokens;
mod upload;

pub use applicant::{Applicant, NotRegistrable};
pub use body::{LargePayload, Payload, read_row};
pub use caller::{Deadline, RequestId, Session, Source, admit};
pub use created::{Created, Replayed};
pub use etag::{ETag, IfMatch};
pub use fields::{Faults, Fields, FromFields};
pub use finish::finished;
pub use idempotency::{IdempotencyKey, Wish, recall};
pub use instant::{Instant, instant};
pub use next::Next;
pub use page::{Listing, PageBody, Parameters};
pub use parse::{boolean, choice, integer, items, object, secret, text};
pub use path::{PathId, PathIds};
pub use people::{BriefBody, ListedPerson, PlaceBody, UserBody};
pub use problem::{FieldFault, Problem};
pub use schema::{AttributeValues, Empty, Paging};
pub use tokens::TokensBody;
pub use upload::{Csv, Upload};
