//! Lists: query parameters read with all their faults, cursors, and the shape of a page.

use axum::{
    extract::{FromRequestParts, RawQuery},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::problem::{FieldFault, Problem};
use crate::domain::Fault;

/// How many a page has at most when nothing is said.
const DEFAULT_LIMIT: u16 = 25;
/// The most that may be asked for.
const MAX_LIMIT: u16 = 100;

/// The query parameters that were not taken yet, and the faults found so far.
#[derive(Debug)]
pub struct Parameters {
    left: Vec<(String, String)>,
    faults: Vec<FieldFault>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        let query = query.unwrap_or_default();
        let left = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Ok(Self { left, faults: Vec::new() })
    }
}

impl Parameters {
    /// Takes a parameter that may be absent.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let at = self.left.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.left.remove(at);
        parse(&value).map_err(|fault| self.faults.push(FieldFault::new(name, fault))).ok()
    }

    /// Notes a fault of a parameter that was taken.
    pub fn fault(&mut self, name: &str, fault: Fault) {
        self.faults.push(FieldFault::new(name, fault));
    }

    /// Takes `limit` and `cursor` and ends the reading; `query` says what the caller asks for, in any stable words: a
    /// cursor of one query is refused by every other.
    ///
    /// # Errors
    /// 422 with every fault, unknown parameters included.
    pub fn listing(self, query: &str) -> Result<Listing, Problem> {
        self.listing_within(query, DEFAULT_LIMIT, MAX_LIMIT)
    }

    /// The same for a list whose pages have `usual` entries when nothing is said, and `most` at most.
    ///
    /// # Errors
    /// As [`Parameters::listing`].
    pub fn listing_within(mut self, query: &str, usual: u16, most: u16) -> Result<Listing, Problem> {
        let limit = self.optional("limit", |text| limit(text, most)).unwrap_or(usual);
        let query = fingerprint(query);
        let after = self.optional("cursor", |text| Cursor::decode(text, &query));
        self.end()?;
        Ok(Listing { limit, after, query })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 422 with every fault, unknown parameters included.
    pub fn end(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.left) {
            let name: String = name.chars().take(100).collect();
            self.faults.push(FieldFault::new(&name, Fault::new("unknown_parameter", "No such parameter.")));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::validation(&self.faults)) }
    }
}

fn limit(text: &str, most: u16) -> Result<u16, Fault> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Fault::new("out_of_range", format!("A limit is a whole number from 1 to {most}.")))
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// How many at most.
    pub limit: u16,
    /// The position behind which to start.
    pub after: Option<String>,
    query: String,
}

impl Listing {
    /// The position behind which to start, as what `read` makes of it.
    ///
    /// # Errors
    /// 422 `invalid_cursor` for a position that no page of this list named.
    pub fn position<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let position = self.after.as_deref().map(|after| read(after).ok_or_else(no_cursor)).transpose();
        position.map_err(|fault| Problem::validation(&[FieldFault::new("cursor", fault)]))
    }

    /// The page, with the cursor of `next` where the list goes on.
    #[must_use]
    pub fn page<T>(&self, items: Vec<T>, next: Option<String>) -> PageBody<T> {
        let next_cursor = next.map(|at| Cursor { query: self.query.clone(), at }.encode());
        PageBody { items, next_cursor }
    }
}

/// A position inside one query. Forged, it shows nothing more: the query is the caller's own.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "q")]
    query: String,
    #[serde(rename = "a")]
    at: String,
}

impl Cursor {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(text: &str, query: &str) -> Result<String, Fault> {
        let json = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor: Option<Self> = json.and_then(|json| serde_json::from_slice(&json).ok());
        let cursor = cursor.filter(|cursor| cursor.query == query && !cursor.at.is_empty() && cursor.at.len() < 500);
        cursor.map(|cursor| cursor.at).ok_or_else(no_cursor)
    }
}

fn no_cursor() -> Fault {
    Fault::new("invalid_cursor", "This is no cursor of this list; start again without one.")
}

fn fingerprint(query: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(query.as_bytes()).into();
    URL_SAFE_NO_PAD.encode(digest).chars().take(12).collect()
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub struct PageBody<T> {
    /// Some of what was asked for; may be few or none before the end.
    pub items: Vec<T>,
    /// Where the list goes on; `null` at its end.
    pub next_cursor: Option<String>,
}

impl<T: Serialize> IntoResponse for PageBody<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(query: &str, asked: &str) -> Result<Listing, Problem> {
        let left = form_urlencoded::parse(asked.as_bytes()).into_owned().collect();
        Parameters { left, faults: Vec::new() }.listing(query)
    }

    #[test]
    fn a_cursor_goes_on_where_its_page_ended_and_only_in_its_own_query() {
        let page = listing("people", "").unwrap().page(vec![1], Some("here".to_owned()));
        let asked = format!("cursor={}", page.next_cursor.unwrap());

        assert_eq!(listing("people", &asked).unwrap().after.as_deref(), Some("here"));
        assert!(listing("people of another team", &asked).is_err());
    }

    #[test]
    fn junk_is_refused_with_every_fault() {
        let problem = listing("people", "limit=0&cursor=%21&colour=red").unwrap_err().document("r");

        let codes: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| fault["code"].clone()).collect();
        assert_eq!(codes, ["out_of_range", "invalid_cursor", "unknown_parameter"]);
    }

    #[test]
    fn a_position_that_no_page_named_is_no_cursor() {
        let forged = listing("numbers", "").unwrap().page(vec![1], Some("many".to_owned())).next_cursor.unwrap();
        let listing = listing("numbers", &format!("cursor={forged}")).unwrap();

        let problem = listing.position(|at| at.parse::<u8>().ok()).unwrap_err().document("r");

        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&"/cursor".into(), &"invalid_cursor".into())
        );
        assert_eq!(listing.position(|at| Some(at.len())).unwrap(), Some(4));
    }

    #[test]
    fn the_bounds_of_a_limit_are_exact() {
        assert_eq!(listing("people", "").unwrap().limit, 25);
        assert!(listing("people", "limit=1").is_ok() && listing("people", "limit=100").is_ok());
        assert!(listing("people", "limit=101").is_err() && listing("people", "limit=-1").is_err());
    }
}
