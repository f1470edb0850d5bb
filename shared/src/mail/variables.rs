//! What the templates of each event can say: declared here, for the judging of changed templates and for their previews.

use serde_json::{Map, Value, json};

use super::entry::Event;
use crate::domain::{link::Purpose, name::Name};

/// Where the portal of a sample is.
pub(super) const SAMPLE_PORTAL: &str = "https://portal.example.com";
/// The token of a sample's link.
const SAMPLE_TOKEN: &str = "c2FtcGxlLXRva2VuLXRoYXQtb3BlbnMtbm90aGluZw";
/// The longest reason that can be given for a decision.
const LONGEST_REASON: usize = 1000;
const SAMPLE_INSTANT: &str = "22 January 2026, 09:30 UTC";

/// Something that a template can say.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds, and when it holds nothing.
    pub description: &'static str,
    /// Values that it may have: the first in previews, all of them where a template is judged. `null` is among them
    /// where a mail may be without it.
    pub samples: Vec<Value>,
}

fn variable<const N: usize>(name: &'static str, description: &'static str, samples: [Value; N]) -> Variable {
    Variable { name, description, samples: samples.into() }
}

fn first_name() -> Variable {
    variable("first_name", "First name of the person whom the mail is about", [json!("Ada")])
}

fn last_name() -> Variable {
    variable("last_name", "Last name of the person whom the mail is about", [json!("Lovelace")])
}

fn expires_at() -> Variable {
    variable("expires_at", "Until when the link works, in words", [json!(SAMPLE_INSTANT)])
}

fn reason() -> Variable {
    let reasons = [json!("We know nobody of this name."), Value::Null, json!("x".repeat(LONGEST_REASON))];
    variable("reason", "The reason that was given, or nothing", reasons)
}

fn requested() -> Variable {
    variable("organisation", "The organisation's name", [json!("Analytical Engines")])
}

fn of_code() -> Vec<Variable> {
    vec![
        variable("code", "The invite code", [json!("SPRING-2026")]),
        variable("team", "Name of the team that it leads into, or nothing", [json!("Mill"), Value::Null]),
        variable("organisation", "The organisation's name, or nothing", [json!("Analytical Engines"), Value::Null]),
    ]
}

/// What every mail can say.
fn of_every_mail(portal_name: &Name) -> [Variable; 2] {
    [
        variable("portal_name", "The portal's name", [json!(portal_name)]),
        variable("portal_url", "The portal's address", [json!(SAMPLE_PORTAL)]),
    ]
}

/// What the entry of an event says: its variables, without those of every mail and the link.
///
/// An event is declared here or nothing compiles; a test holds the declarations to what is composed.
pub(super) fn of_entry(event: Event) -> Vec<Variable> {
    match event {
        Event::ConfirmRegistration | Event::ResetPassword => vec![expires_at()],
        Event::AlreadyRegistered => vec![variable(
            "invited",
            "Whether somebody invited the address, and did not register it",
            [json!(false), json!(true)],
        )],
        Event::RegistrationPending => {
            let email = variable("email", "The applicant's e-mail address", [json!("ada@example.com")]);
            vec![first_name(), last_name(), email]
        }
        Event::Welcome => {
            let active = variable("active", "Whether the person can log in already", [json!(true), json!(false)]);
            vec![first_name(), last_name(), active]
        }
        Event::Approved | Event::Activated | Event::Deactivated => vec![first_name(), last_name()],
        Event::Rejected => vec![first_name(), last_name(), reason()],
        Event::Invitation => vec![
            first_name(),
            variable("inviter", "Who invites, or nothing", [json!("Charles Babbage"), Value::Null]),
            variable("organisation", "The organisation's name, or nothing", [json!("Analytical Engines"), Value::Null]),
            variable(
                "teams",
                "Names of the teams; may be empty",
                [json!(["Mill", "Store"]), json!(["Mill"]), json!([])],
            ),
            expires_at(),
        ],
        Event::PendingDigest => vec![
            variable("count", "How many registrations have waited for long", [json!(2), json!(1), json!(50)]),
            variable("since", "Since when the longest of them waits, in words", [json!(SAMPLE_INSTANT)]),
        ],
        Event::InviteCodeLow => {
            let mut variables = of_code();
            variables.push(variable("quota", "How many people the code is for", [json!(50)]));
            variables.push(variable("remaining", "How many it still lets in; may be 0", [json!(5), json!(0)]));
            variables
        }
        Event::InviteCodeExpiring => {
            let mut variables = of_code();
            variables.push(variable("expires_at", "Until when the code works, in words", [json!(SAMPLE_INSTANT)]));
            variables
        }
        Event::EmailChanged => {
            let changed_at = variable("changed_at", "When it was changed, in words", [json!(SAMPLE_INSTANT)]);
            let is_new = "Whether the mail goes to the new address; the old one is not told which that is";
            vec![first_name(), last_name(), changed_at, variable("new_address", is_new, [json!(true), json!(false)])]
        }
        Event::OrganisationRequested => {
            let email = variable("email", "The requester's e-mail address", [json!("ada@example.com")]);
            vec![first_name(), last_name(), email, requested()]
        }
        Event::OrganisationApproved => vec![first_name(), last_name(), requested()],
        Event::OrganisationRejected => vec![first_name(), last_name(), requested(), reason()],
        Event::PasswordChanged => {
            let changed_at = variable("changed_at", "When it was changed, in words", [json!(SAMPLE_INSTANT)]);
            vec![first_name(), last_name(), changed_at]
        }
    }
}

/// What the link of an event's mails is for; without it the mail is of no use.
#[must_use]
pub fn link_of(event: Event) -> Option<Purpose> {
    match event {
        Event::ConfirmRegistration => Some(Purpose::Confirm),
        Event::Invitation => Some(Purpose::Accept),
        Event::ResetPassword => Some(Purpose::Reset),
        Event::AlreadyRegistered
        | Event::RegistrationPending
        | Event::Welcome
        | Event::Approved
        | Event::Rejected
        | Event::Activated
        | Event::Deactivated
        | Event::EmailChanged
        | Event::PendingDigest
        | Event::InviteCodeLow
        | Event::InviteCodeExpiring
        | Event::OrganisationRequested
        | Event::OrganisationApproved
        | Event::OrganisationRejected
        | Event::PasswordChanged => None,
    }
}

/// The link of a sample, as it stands in a mail.
pub(super) fn sample_link(event: Event) -> Option<String> {
    link_of(event).map(|purpose| format!("{SAMPLE_PORTAL}/{}#token={SAMPLE_TOKEN}", purpose.page()))
}

/// Everything that an event's templates can say.
#[must_use]
pub fn variables(event: Event, portal_name: &Name) -> Vec<Variable> {
    let link = sample_link(event);
    let link = link.map(|link| variable("link", "The link that the mail is for; it works once", [json!(link)]));
    of_entry(event).into_iter().chain(link).chain(of_every_mail(portal_name)).collect()
}

/// The mails that a template is tried with: the usual one first, then one for each other value of a variable, and one
/// in which all have their last.
pub(super) fn trials(variables: &[Variable]) -> Vec<Map<String, Value>> {
    let filled = |choose: &dyn Fn(&Variable) -> Option<Value>| -> Map<String, Value> {
        variables.iter().filter_map(|variable| Some((variable.name.to_owned(), choose(variable)?))).collect()
    };
    let usual = filled(&|variable| variable.samples.first().cloned());
    let others = variables.iter().flat_map(|other| {
        let samples = other.samples.iter().skip(1);
        samples.map(|sample| {
            let mut trial = usual.clone();
            trial.insert(other.name.to_owned(), sample.clone());
            trial
        })
    });
    let last = filled(&|variable| variable.samples.last().cloned());
    [usual.clone()].into_iter().chain(others.collect::<Vec<_>>()).chain([last]).collect()
}
