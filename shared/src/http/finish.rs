//! The last step of every answer: problem documents, request id, headers, one log line.

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use http::{HeaderName, HeaderValue, header};

use super::{caller::RequestId, problem::Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every answer of `router` the headers of `docs/api.md` and writes its problems, unknown routes included.
pub fn finished(router: Router) -> Router {
    router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::not_found())
        .layer(from_fn(finish))
}

async fn finish(request: Request, next: Next) -> Response {
    let RequestId(request_id) = RequestId::of(request.extensions());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.log(&request_id);
        *response.body_mut() = Body::from(problem.document(&request_id).to_string());
        let media_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http::StatusCode;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn answer(path: &str) -> (StatusCode, http::HeaderMap, serde_json::Value) {
        let router = Router::new().route("/secret", get(async || Problem::internal("the cause")));
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = finished(router).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_a_document_and_its_cause_stays_inside() {
        let (status, headers, body) = answer("/secret").await;

        assert_eq!(status, 500);
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers.contains_key("x-request-id"));
        assert_eq!(body["type"], "/problems/internal");
        assert!(!body.to_string().contains("the cause"));
    }

    #[tokio::test]
    async fn an_unknown_route_is_a_problem_too() {
        let (status, _, body) = answer("/nowhere").await;

        assert_eq!((status.as_u16(), body["type"].as_str()), (404, Some("/problems/not-found")));
    }
}
