//! The mail that was sent: as JSON for programs, and as a page for people.

use axum::{
    Json,
    extract::{Query, State},
    response::{Html, IntoResponse, Response},
};
use http::{StatusCode, header::CONTENT_SECURITY_POLICY};
use local_services::Mail;
use minijinja::{Environment, value::Serde};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Local, problem::Problem};

/// How many mails the page lists.
const LISTED: usize = 200;
/// Nothing of a mail runs here or is fetched from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'";

/// What to list, and on the page what to open.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    id: Option<String>,
}

impl Wanted {
    fn to(&self) -> Option<&str> {
        self.to.as_deref().map(str::trim).filter(|to| !to.is_empty())
    }
}

/// Lists the mail, newest first: all of it, or that to one address.
pub async fn mail(
    State(local): State<Local>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<serde_json::Value>, Problem> {
    let items: Vec<_> = list(&local, &wanted).await?.into_iter().map(item).collect();
    Ok(Json(json!({"items": items})))
}

fn item(mail: Mail) -> serde_json::Value {
    let Mail { id, to, subject, text, html, event, sent_at, .. } = mail;
    json!({"id": id, "to": to, "subject": subject, "text": text, "html": html, "event": event, "sent_at": sent_at})
}

/// Shows the mail as a page: the list, and beside it the one that was opened.
pub async fn page(State(local): State<Local>, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let mails = list(&local, &wanted).await?;
    let open = match &wanted.id {
        Some(id) => mails.iter().find(|mail| &mail.id == id),
        None => mails.first(),
    };
    let html = render(&Shown::new(&mails, open, wanted.to()))
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response())
}

async fn list(local: &Local, wanted: &Wanted) -> Result<Vec<Mail>, Problem> {
    let mailbox = local.mail.arrived().await;
    mailbox.list(wanted.to()).map_err(|error| {
        let detail = format!("The mail cannot be read: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })
}

/// What the page shows.
#[derive(Serialize)]
struct Shown<'m> {
    mails: Vec<&'m Mail>,
    total: usize,
    open: Option<&'m Mail>,
    /// The text of the open one.
    text: Vec<Piece<'m>>,
    to: Option<&'m str>,
}

impl<'m> Shown<'m> {
    fn new(mails: &'m [Mail], open: Option<&'m Mail>, to: Option<&'m str>) -> Self {
        let text = open.and_then(|mail| mail.text.as_deref()).map(pieces).unwrap_or_default();
        Self { mails: mails.iter().take(LISTED).collect(), total: mails.len(), open, text, to }
    }
}

fn render(shown: &Shown<'_>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    // Escaped for the ending of its name.
    environment.add_template("mailbox.html", include_str!("../../templates/mailbox.html"))?;
    environment.get_template("mailbox.html")?.render(Serde(shown))
}

/// A piece of a text: words, or an address that can be followed.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Piece<'t> {
    text: &'t str,
    link: bool,
}

/// Cuts a text at the addresses in it.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c.is_whitespace() || "<>\"'".contains(c)).unwrap_or(from.len());
        let (link, _) = from.split_at(end);
        let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        let (_, after) = from.split_at(link.len());
        pieces.extend((!before.is_empty()).then_some(Piece { text: before, link: false }));
        pieces.push(Piece { text: link, link: true });
        rest = after;
    }
    pieces.extend((!rest.is_empty()).then_some(Piece { text: rest, link: false }));
    pieces
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn mail(subject: &str, text: &str, html: &str) -> Mail {
        Mail {
            id: "mail_1".to_owned(),
            from: "portal@portico.example".to_owned(),
            to: "ada@example.com".to_owned(),
            subject: subject.to_owned(),
            text: Some(text.to_owned()),
            html: Some(html.to_owned()),
            event: Some("welcome".to_owned()),
            tags: BTreeMap::new(),
            headers: BTreeMap::new(),
            configuration_set: None,
            sent_at: "2026-01-15T09:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn addresses_in_a_text_can_be_followed() {
        let text = "Open http://127.0.0.1:3000/confirm#tok_1-2. Or (https://b.example/?a=1), thanks.";

        let found = pieces(text);

        let links: Vec<_> = found.iter().filter(|piece| piece.link).map(|piece| piece.text).collect();
        assert_eq!(links, ["http://127.0.0.1:3000/confirm#tok_1-2", "https://b.example/?a=1"]);
        assert_eq!(found.iter().map(|piece| piece.text).collect::<String>(), text);
    }

    #[test]
    fn nothing_in_a_mail_becomes_part_of_the_page() {
        let evil = r#"</iframe>"><script>alert(1)</script>"#;
        let mail = mail(evil, evil, evil);

        let page = render(&Shown::new(std::slice::from_ref(&mail), Some(&mail), Some(evil))).unwrap();

        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains(r#"sandbox="allow-popups allow-popups-to-escape-sandbox""#));
    }

    #[test]
    fn an_empty_mailbox_says_so() {
        let page = render(&Shown::new(&[], None, None)).unwrap();

        assert!(page.contains("No mail yet"));
    }
}
