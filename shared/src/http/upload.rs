//! Bodies that hold many requests at once: JSON, or a table of comma-separated values.

use axum::extract::{FromRequest, Request};
use http::header;

use super::{
    body::{Payload, media_type, receive, unsupported},
    problem::Problem,
};

/// A body of at most `KIB` KiB, in either form; received and not looked at, as a [`Payload`] is.
#[derive(Debug)]
pub enum Upload<const KIB: usize> {
    /// JSON, or what has no form at all.
    Json(Payload),
    /// `text/csv`.
    Csv(Csv),
}

/// The bytes of a table. Prints none of them.
pub struct Csv(Result<Vec<u8>, Problem>);

impl std::fmt::Debug for Csv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Csv").finish_non_exhaustive()
    }
}

impl Csv {
    /// The bytes.
    ///
    /// # Errors
    /// 413, and 415 where the table says that it is not in UTF-8.
    pub fn bytes(self) -> Result<Vec<u8>, Problem> {
        self.0
    }
}

impl<S: Send + Sync, const KIB: usize> FromRequest<S> for Upload<KIB> {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        if media_type(content_type).as_deref() != Some("text/csv") {
            let Payload(received) = Payload::within(request, KIB * 1024).await;
            let either = || unsupported("A request body is sent as application/json or as text/csv.");
            let received = received.map_err(|problem| if problem.is_of_media_type() { either() } else { problem });
            return Ok(Self::Json(Payload(received)));
        }
        let utf_8 = content_type.and_then(|value| value.to_str().ok()).is_none_or(is_utf_8);
        let received = receive(request.into_body(), KIB * 1024).await;
        let in_utf_8 = |body| if utf_8 { Ok(body) } else { Err(unsupported("A table is sent in UTF-8.")) };
        Ok(Self::Csv(Csv(received.and_then(in_utf_8))))
    }
}

/// Whether a media type names no other charset than UTF-8.
fn is_utf_8(content_type: &str) -> bool {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.all(|(_, value)| {
        let value = value.trim().trim_matches('"');
        ["utf-8", "utf8", "us-ascii"].iter().any(|charset| value.eq_ignore_ascii_case(charset))
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn received(content_type: &str, body: &str) -> Upload<1> {
        let request = Request::builder().header("content-type", content_type).body(Body::from(body.to_owned()));
        Upload::from_request(request.unwrap(), &()).await.unwrap()
    }

    async fn status(content_type: &str, body: &str) -> u64 {
        let refused = match received(content_type, body).await {
            Upload::Json(payload) => payload.read_nothing().err(),
            Upload::Csv(csv) => csv.bytes().err(),
        };
        refused.map_or(200, |problem| problem.document("r")["status"].as_u64().unwrap())
    }

    #[tokio::test]
    async fn a_table_is_told_from_json_by_its_media_type() {
        assert!(matches!(received("text/csv; charset=UTF-8; header=present", "a").await, Upload::Csv(_)));
        assert!(matches!(received("application/json", "{}").await, Upload::Json(_)));
    }

    #[tokio::test]
    async fn both_forms_have_the_routes_bound_and_nothing_else_is_taken() {
        let (all, too_many) = ("a".repeat(1024), "a".repeat(1025));
        let cases = [
            ("application/json", "{}", 200),
            ("text/csv", all.as_str(), 200),
            ("text/csv;charset=\"utf-8\"", "a", 200),
            ("text/csv", &too_many, 413),
            ("application/json", &too_many, 413),
            ("text/csv; charset=iso-8859-1", "a", 415),
            ("text/plain", "a", 415),
        ];
        for (content_type, body, expected) in cases {
            assert_eq!(status(content_type, body).await, expected, "{content_type} {body}");
        }
    }
}
