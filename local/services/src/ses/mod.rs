//! The SES stand-in: takes `SendEmail` of API version 2 and keeps the mail for its reader.

mod feedback;
mod mailbox;

pub use feedback::{Fate, feedback};
pub use mailbox::{Mail, Mailbox};

use crate::random;
use crate::wire::{Refusal, read};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// SES's name for a request that it does not take.
const BAD_REQUEST: &str = "BadRequestException";
/// As many addresses a mail may have.
const RECIPIENTS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Named>,
    configuration_set_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: Body,
    #[serde(default)]
    headers: Vec<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    value: String,
}

/// `SendEmail`: the mail is in the mailbox when this returns.
pub fn send_email(mailbox: &Mailbox, body: &[u8]) -> Result<Value, Refusal> {
    let request: SendEmail = read(body, BAD_REQUEST)?;
    let bad = |message: &str| Refusal::new(BAD_REQUEST, message);
    let from = request.from_email_address.ok_or_else(|| bad("Missing required header 'From'."))?;
    let Destination { to, cc, bcc } = request.destination;
    let to = [to, cc, bcc].concat();
    if to.is_empty() {
        return Err(bad("The mail has no recipient."));
    }
    if to.len() > RECIPIENTS {
        return Err(bad("Recipient count exceeds 50."));
    }
    if !to.iter().chain([&from]).all(|address| is_address(address)) {
        return Err(bad("Illegal address"));
    }
    let simple = request.content.simple.ok_or_else(|| bad("The local stand-in sends simple content only."))?;
    if simple.subject.data.contains(['\r', '\n']) {
        return Err(bad("Header value cannot contain a line break: Subject"));
    }
    if simple.body.text.is_none() && simple.body.html.is_none() {
        return Err(bad("The mail has no body."));
    }
    let tags = named(request.email_tags);
    if !tags.iter().all(|(name, value)| is_tag(name) && is_tag(value)) {
        return Err(bad(
            "A tag's name and value are made of letters, digits, '_', '-', '.' and '@', at most 256 of them.",
        ));
    }
    let mail = Mail {
        id: format!("01020{}-000000", random::uuid()?),
        from,
        to: to.join(", "),
        subject: simple.subject.data,
        text: simple.body.text.map(|text| text.data),
        html: simple.body.html.map(|html| html.data),
        event: tags.get("event").cloned(),
        tags,
        headers: named(simple.headers),
        configuration_set: request.configuration_set_name,
        sent_at: mailbox.now(),
    };
    mailbox.keep(&mail)?;
    Ok(json!({"MessageId": mail.id}))
}

fn named(pairs: Vec<Named>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
}

/// Whether it is an address, alone or after a name: `a@b.example`, `Portico <a@b.example>`.
fn is_address(text: &str) -> bool {
    let address = text.rsplit_once('<').map_or(Some(text), |(_, rest)| rest.strip_suffix('>'));
    address.and_then(|address| address.rsplit_once('@')).is_some_and(|(local, domain)| {
        let stray = |c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>';
        // SES wants the local part in ASCII.
        !local.is_empty() && !domain.is_empty() && local.is_ascii() && !local.contains(stray) && !domain.contains(stray)
    })
}

fn is_tag(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    (1..=256).contains(&text.len()) && text.chars().all(allowed)
}

#[cfg(test)]
mod tests;
