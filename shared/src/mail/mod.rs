//! Mail: what is queued, how it reads, and how it is sent.
//!
//! A workflow only composes an [`OutboxEntry`] and puts it into its transaction. The [`Mailer`] sends it later: it alone
//! mints link tokens, so no item and no log ever holds one in clear (`docs/architecture.md`, sections 3.9 and 3.10).

mod compose;
mod entry;
mod judge;
mod mailer;
mod render;
mod sandbox;
mod variables;

pub use compose::Composer;
pub(crate) use compose::in_words;
pub use entry::{Delivery, Event, LinkOrder, MailSettings, OutboxEntry, Recipient};
pub use judge::judge;
pub use mailer::{Delivered, MailError, Mailer};
pub use render::{MailTemplate, Rendered, render};
pub use sandbox::Part;
pub use variables::{Variable, link_of, variables};
