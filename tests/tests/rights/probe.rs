//! One call of a route: by whom, about what, and what became of it.

use harness::{Reply, Sample};
use serde_json::{Value, json};

use super::world::{Relation, Subject, World};
use crate::functions::routes::Route;

/// What a row of the matrix looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Whether the call is let through.
    Call,
    /// Whether what stands in the relation is in the list.
    Seen,
    /// Whether somebody can be put into the place.
    Placing,
}

/// Whether calls of a row may change what later ones are about.
pub fn changes_something(route: &Route, aspect: Aspect) -> bool {
    aspect == Aspect::Placing || route.method == "DELETE"
}

/// Makes the call of `route` about what stands in `relation` to the caller, and says in a word what came of it.
pub async fn outcome(world: &mut World, route: &Route, aspect: Aspect, relation: Relation) -> String {
    let (target, sample) = sample(world, route, aspect, relation).await;
    let sample = match &world.caller {
        Some(caller) => sample.by(caller),
        None => sample.without_token(),
    };
    let reply = crate::functions::send(&world.bench, sample).await;
    word(&reply, aspect, &target)
}

fn word(reply: &Reply, aspect: Aspect, target: &str) -> String {
    assert!(reply.status < 500, "{reply:?}");
    if reply.status >= 400 && ["unauthenticated", "forbidden", "not-found"].contains(&reply.problem()) {
        return reply.status.to_string();
    }
    match aspect {
        Aspect::Call => "ok".to_owned(),
        Aspect::Placing => reply.status.to_string(),
        Aspect::Seen => {
            let items = reply.body["items"].as_array().unwrap_or_else(|| panic!("no list: {reply:?}"));
            let seen = items.iter().any(|item| ["id", "code"].iter().any(|name| item[name] == target));
            if seen { "seen" } else { "-" }.to_owned()
        }
    }
}

/// The request, and by which id or code its target is known.
async fn sample(world: &mut World, route: &Route, aspect: Aspect, relation: Relation) -> (String, Sample) {
    let mut sample = Sample::for_route(&route.key()).query("");
    if aspect == Aspect::Placing {
        return (String::new(), sample.body(&newcomer(world, relation)));
    }
    if route.method != "GET" && route.method != "DELETE" {
        // A body that nobody takes: whoever may make the call is told so, and nothing changes.
        sample = sample.body(&json!({"no_such_field": true}));
    }
    let place = world.place(relation);
    let target = match route.path.split('/').nth(2).unwrap() {
        "users" => world.subject(Subject::Person, relation).await,
        "invitations" => world.subject(Subject::Invitation, relation).await,
        "invite-codes" => world.subject(Subject::InviteCode, relation).await,
        "organisation-requests" => world.subject(Subject::OrganisationRequest, relation).await,
        "organisations" => place.organisation_id.to_string(),
        "user-attributes" => world.subject(Subject::Attribute, relation).await,
        _ => String::new(),
    };
    for (name, value) in
        [("id", target.as_str()), ("code", &target), ("name", &target), ("team_id", place.team_ids[0].as_str())]
    {
        if route.path.contains(&format!("{{{name}}}")) {
            sample = sample.parameter(name, value);
        }
    }
    (target, sample)
}

/// Somebody to be put into a place, by a body as the caller would send it.
fn newcomer(world: &World, relation: Relation) -> Value {
    let place = world.place(relation);
    let mut body = json!({
        "email": "new@example.com", "first_name": "Ada", "last_name": "Lovelace", "team_ids": place.team_ids,
    });
    if world.caller.as_ref().is_some_and(|caller| caller.user.organisation_id.is_none()) {
        body["organisation_id"] = json!(place.organisation_id);
    }
    body
}
