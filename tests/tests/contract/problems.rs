//! Problem documents: their shape, and an example of every type.

use serde_json::{Map, Value, json};

/// What the request of every example is called.
const REQUEST: &str = "o8gnYabvqzUvy2m=";

/// An example of a type; one of a few routes alone, where `routes` names them.
type Example = Map<String, Value>;

/// Examples of each type, as `problems.json` has them.
pub fn all() -> Vec<Example> {
    serde_json::from_str(include_str!("problems.json")).unwrap()
}

/// Examples of the types of problem that an answer of a route may be, by type.
pub fn examples(types: &[&str], route: &str, status: &str, description: &str) -> Value {
    let known = all();
    let examples = types.iter().map(|slug| {
        let of_type: Vec<_> = known.iter().filter(|example| example["type"] == *slug).collect();
        let of_route = of_type.iter().find(|example| is_of(example, route));
        // Of those of any route, the one whose members the answer is said to have.
        let mut of_any = of_type.iter().filter(|example| !example.contains_key("routes"));
        let named = |example: &&&Example| example.keys().any(|member| description.contains(&format!("`{member}`")));
        let found = of_route.or_else(|| of_any.clone().find(named)).or_else(|| of_any.next());
        let mut example = (*found.unwrap_or_else(|| panic!("problems.json has no {slug} for {route}"))).clone();
        example.remove("routes");
        let fixed = [
            ("type", json!(format!("/problems/{slug}"))),
            ("status", json!(status.parse::<u16>().unwrap())),
            ("request_id", json!(REQUEST)),
        ];
        example.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        ((*slug).to_owned(), json!({"value": example}))
    });
    examples.collect::<Map<_, _>>().into()
}

fn is_of(example: &Example, route: &str) -> bool {
    example.get("routes").and_then(Value::as_array).is_some_and(|routes| routes.iter().any(|one| one == route))
}

/// What API Gateway says with a status.
pub fn gateway(status: &str) -> Value {
    let message = match status {
        "401" => "Unauthorized",
        "404" => "Not Found",
        "413" => "Request Entity Too Large",
        "429" => "Too Many Requests",
        "503" => "Service Unavailable",
        _ => "Internal Server Error",
    };
    json!({"message": message})
}

/// The shapes of refusals, which every function has alike.
pub fn schemas() -> Map<String, Value> {
    let fault = json!({
        "type": "object",
        "description": "One fault of one field.",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": {
                "type": "string",
                "description": "Where: a JSON pointer into the body, or `/` and the name of a query parameter.",
                "examples": ["/email"],
            },
            "code": {"type": "string", "description": "What, for programs.", "examples": ["invalid_email"]},
            "detail": {"type": "string", "description": "What, for people."},
            "line": {"type": "integer", "description": "Where in a text of several lines, counted from 1."},
            "column": {"type": "integer", "description": "Where in the line, counted from 1."},
        },
    });
    let problem = json!({
        "type": "object",
        "description": "A refusal (RFC 9457). Some types have members of their own.",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {
                "type": "string",
                "description": "What it is, for programs; each answer lists those that it may be.",
                "pattern": "^/problems/[a-z-]+$",
                "examples": ["/problems/validation-failed"],
            },
            "title": {"type": "string", "description": "What it is, for people; always the same for a type."},
            "status": {"type": "integer", "description": "As the answer's own.", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What it is this time, for people."},
            "request_id": {"type": "string", "description": "As in the header `x-request-id`."},
            "errors": {
                "type": "array",
                "description": "Every fault, with `validation-failed`.",
                "items": {"$ref": "#/components/schemas/Fault"},
            },
            "user_status": {
                "$ref": "#/components/schemas/Status", "description": "Where the person stands, with `wrong-status`.",
            },
            "invitation_status": {
                "$ref": "#/components/schemas/InvitationStatus",
                "description": "Where the invitation stands, with `wrong-status`.",
            },
            "invitation_id": {
                "$ref": "#/components/schemas/InvitationId",
                "description": "The invitation that waits, with `invitation-pending`.",
            },
            "organisation_request_id": {
                "$ref": "#/components/schemas/OrganisationRequestId",
                "description": "The request that waits, with `organisation-request-pending`.",
            },
            "request_status": {
                "$ref": "#/components/schemas/RequestStatus",
                "description": "How it was decided, with `organisation-request-decided`.",
            },
            "first_row": {
                "type": "integer", "description": "The row that counts, with `duplicate-row`.", "minimum": 1,
            },
            "used": {
                "type": "integer",
                "description": "How many people the code has let in, with `quota-below-used`.",
            },
        },
    });
    let gateway = json!({
        "type": "object",
        "description": "A refusal by API Gateway itself, before any function is asked.",
        "required": ["message"],
        "properties": {"message": {"type": "string", "description": "Why.", "examples": ["Unauthorized"]}},
    });
    let schemas = [("Fault", fault), ("Problem", problem), ("GatewayRefusal", gateway)];
    schemas.map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect()
}
