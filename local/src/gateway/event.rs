//! A request as the event that API Gateway makes of it: payload format 2.0.

use std::net::IpAddr;

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, header, request::Parts};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::routes::Fit;

/// What the services' account is called.
pub const ACCOUNT: &str = "000000000000";
/// What the API is called.
pub const API_ID: &str = "local";

/// Headers that end at the gateway: those of the connection, and the cookies, which have a field of their own.
const ENDS_HERE: [HeaderName; 8] = [
    header::CONNECTION,
    header::COOKIE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What the gateway knows of a request beside the request itself.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Where it leads.
    pub fit: &'a Fit<'a>,
    /// The decoded path.
    pub path: &'a str,
    /// Who calls, where a token was asked for.
    pub claims: Option<Map<String, Value>>,
    /// Where it comes from.
    pub source: IpAddr,
    /// The id that it is given.
    pub request_id: &'a str,
    /// The trace that it is given.
    pub trace: &'a str,
    /// When it came.
    pub now: Timestamp,
    /// The gateway's own address: host and port.
    pub domain: &'a str,
}

/// The event.
pub fn event(parts: &Parts, body: &Bytes, arrival: Arrival<'_>) -> Value {
    let Arrival { fit, path, claims, source, request_id, trace, now, domain } = arrival;
    let query = parts.uri.query().unwrap_or_default();
    let agent = parts.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let mut context = json!({
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": API_ID,
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": format!("{:?}", parts.version),
            "sourceIp": source.to_string(),
            "userAgent": agent.unwrap_or_default(),
        },
        "requestId": request_id,
        "routeKey": fit.route.key,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": now.as_millisecond(),
    });
    let mut event = json!({
        "version": "2.0",
        "routeKey": fit.route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(parts, body.len(), source, trace, domain),
        "isBase64Encoded": false,
    });
    let mut add = |name: &str, value: Value| {
        if let Some(event) = event.as_object_mut() {
            event.insert(name.to_owned(), value);
        }
    };
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        add("cookies", json!(cookies));
    }
    if !query.is_empty() {
        add("queryStringParameters", Value::Object(parameters(query)));
    }
    if !fit.parameters.is_empty() {
        let parameters = fit.parameters.iter().map(|(name, value)| (name.clone(), json!(value)));
        add("pathParameters", parameters.collect());
    }
    match text(&parts.headers, body) {
        _ if body.is_empty() => {}
        Some(text) => add("body", json!(text)),
        None => {
            add("body", json!(STANDARD.encode(body)));
            add("isBase64Encoded", json!(true));
        }
    }
    if let (Some(claims), Some(context)) = (claims, context.as_object_mut()) {
        context.insert("authorizer".to_owned(), json!({"jwt": {"claims": claims, "scopes": null}}));
    }
    add("requestContext", context);
    event
}

/// The headers, several of a name joined by commas, with those that the gateway adds.
fn headers(parts: &Parts, length: usize, source: IpAddr, trace: &str, domain: &str) -> Map<String, Value> {
    let joined = |name: &HeaderName| {
        let values = parts.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(",")
    };
    let mut headers: Map<String, Value> = parts
        .headers
        .keys()
        .filter(|name| !ENDS_HERE.contains(name))
        .map(|name| (name.as_str().to_owned(), json!(joined(name))))
        .collect();
    let before = headers.get("x-forwarded-for").and_then(Value::as_str).map(|before| format!("{before}, "));
    let port = domain.rsplit_once(':').map_or("80", |(_, port)| port);
    for (name, value) in [
        ("content-length", length.to_string()),
        ("x-amzn-trace-id", trace.to_owned()),
        ("x-forwarded-for", format!("{}{source}", before.unwrap_or_default())),
        ("x-forwarded-port", port.to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
    ] {
        headers.insert(name.to_owned(), json!(value));
    }
    headers.entry("host").or_insert_with(|| json!(domain));
    headers
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).map(|cookie| cookie.trim().to_owned()).collect()
}

/// The query's parameters, decoded, several of a name joined by commas.
fn parameters(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(name.as_ref()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), json!(joined));
    }
    parameters
}

/// The body as text, where its kind is one of those that API Gateway passes on as text.
fn text<'b>(headers: &HeaderMap, body: &'b Bytes) -> Option<&'b str> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
    let is_text = kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    if is_text { std::str::from_utf8(body).ok() } else { None }
}

/// Whether a `Host` header can stand in an address.
pub fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let name_is_good = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    };
    port_is_good && name_is_good
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use local_services::Template;

    use super::*;
    use crate::gateway::routes::Routes;

    /// The event of a request to the route that the deployed template has for it.
    fn made(request: http::request::Builder, body: &'static str, claims: Option<Map<String, Value>>) -> Value {
        let routes = Routes::declared(Template::deployed().unwrap()).unwrap();
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let path = parts.uri.path().to_owned();
        let fit = routes.find(parts.method.as_str(), &path).unwrap();
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let now = "2026-01-15T09:30:00Z".parse().unwrap();
        let (request_id, trace, domain) = ("8WkOQFi62z6Ljh4=", "Root=1-6968b398-1", "127.0.0.1:3000");
        let arrival = Arrival { fit: &fit, path: &path, claims, source, request_id, trace, now, domain };
        event(&parts, &Bytes::from_static(body.as_bytes()), arrival)
    }

    #[test]
    fn an_event_has_the_fields_of_a_recorded_one() {
        let sample: Value = serde_json::from_str(include_str!("../../../events/approve-approve.json")).unwrap();
        let claims = sample.pointer("/requestContext/authorizer/jwt/claims").unwrap().as_object().unwrap().clone();
        let request = http::Request::post("/v1/users/usr_01kf0ev11gzqq463a0qnbxxtp1/approve");
        let request = request.header("Content-Type", "application/json").header("Accept", "application/json");
        let request = request.header("authorization", "Bearer x").header("user-agent", "y").header("host", "z");

        let event = made(request, "{}", Some(claims));

        let shape = |event: &Value| {
            let mut names = names(event, "");
            names.sort();
            names
        };
        assert_eq!(shape(&event), shape(&sample));
        for same in ["/version", "/routeKey", "/rawPath", "/pathParameters", "/body", "/isBase64Encoded"] {
            assert_eq!(event.pointer(same), sample.pointer(same), "{same}");
        }
        for same in ["time", "timeEpoch", "stage", "routeKey", "authorizer"] {
            assert_eq!(event["requestContext"][same], sample["requestContext"][same], "{same}");
        }
    }

    /// Every name in the event with its path.
    fn names(value: &Value, path: &str) -> Vec<String> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .flat_map(|(name, value)| {
                let path = format!("{path}/{name}");
                names(value, &path).into_iter().chain([path])
            })
            .collect()
    }

    #[test]
    fn repeated_headers_and_parameters_are_joined_and_cookies_stand_apart() {
        let request = http::Request::get("/v1/users?q=a%20b&q=c+d&limit=5");
        let request = request.header("X-Many", "1").header("X-Many", "2").header("Cookie", "a=1; b=2");
        let request = request.header("X-Forwarded-For", "10.0.0.1").header("Connection", "close");

        let event = made(request, "", None);

        assert_eq!(event["headers"]["x-many"], "1,2");
        assert_eq!(event["headers"]["x-forwarded-for"], "10.0.0.1, 127.0.0.1");
        assert_eq!(event["headers"]["content-length"], "0");
        assert_eq!(event["headers"]["host"], "127.0.0.1:3000");
        assert!(event["headers"].get("connection").is_none() && event["headers"].get("cookie").is_none());
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(event["rawQueryString"], "q=a%20b&q=c+d&limit=5");
        assert_eq!(event["queryStringParameters"], json!({"q": "a b,c d", "limit": "5"}));
        assert!(event.get("body").is_none() && event.get("pathParameters").is_none());
    }

    #[test]
    fn a_body_that_is_no_declared_text_is_encoded() {
        let event = made(http::Request::post("/v1/registrations"), "a=b", None);

        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YT1i"), &json!(true)));
    }

    #[test]
    fn a_host_that_no_address_can_have_is_known() {
        for host in ["localhost", "127.0.0.1:3000", "[::1]:3000", "api.example.com"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a/b", "user@host", "[::1", "host:99999", "a%zz", "[zz]"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
