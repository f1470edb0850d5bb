//! The routes that `template.yaml` has.

use std::collections::BTreeSet;

use local_services::Template;
use serde_json::Value;

/// A route of the template: the function's folder, method and path, and whether anybody may call it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub function: String,
    pub method: String,
    pub path: String,
    pub public: bool,
}

impl Route {
    /// As API Gateway names it.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every route of the template.
pub fn routes() -> BTreeSet<Route> {
    let template = Template::deployed().unwrap();
    let events = template.events().filter(|event| event.kind == "HttpApi");
    let routes = events.map(|event| {
        let function = template.resource(event.function, "AWS::Serverless::Function").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let folder = text(&function.properties["CodeUri"]);
        Route {
            function: folder.trim_start_matches("functions/").trim_end_matches('/').to_owned(),
            method: text(&event.properties["Method"]).to_uppercase(),
            path: text(&event.properties["Path"]),
            public: event.properties["Auth"]["Authorizer"] == "NONE",
        }
    });
    routes.collect()
}
