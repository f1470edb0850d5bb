//! The routes that the template declares, matched as an HTTP API matches them: the most specific path first, and a path
//! without the method is no route at all.

use local_services::{Template, template::referenced};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::functions::folder;

/// A route: which function answers what, and whether a token is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Method and path as the template has them.
    pub key: String,
    /// The function's folder.
    pub function: String,
    /// Whether only a valid token gets through.
    pub authorized: bool,
    method: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// `{name+}`: the rest of the path.
    Rest(String),
}

/// A route that fits, with its path parameters, decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Fit<'r> {
    /// The route.
    pub route: &'r Route,
    /// Its parameters.
    pub parameters: Vec<(String, String)>,
}

/// What the template says of a route and this gateway cannot do.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// The event lacks something, or says it in a way that is not understood here.
    #[error("the event {event} of {function} in the template: {reason}")]
    Event {
        /// The function.
        function: String,
        /// The event.
        event: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Every route, the most specific first.
#[derive(Clone, Debug)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// The routes of the template.
    pub fn declared(template: &Template) -> Result<Self, RouteError> {
        let mut routes = Vec::new();
        for event in template.events().filter(|event| event.kind == "HttpApi") {
            let wrong = |reason| {
                let (function, event) = (event.function.to_owned(), event.name.to_owned());
                RouteError::Event { function, event, reason }
            };
            let text = |name| event.properties.get(name).and_then(Value::as_str);
            let path = text("Path").ok_or_else(|| wrong("it has no path"))?;
            let method = text("Method").ok_or_else(|| wrong("it has no method"))?.to_ascii_uppercase();
            let function = folder(template, event.function).ok_or_else(|| wrong("its function has no folder"))?;
            let own = event.properties.pointer("/Auth/Authorizer").and_then(Value::as_str);
            let api = event.properties.get("ApiId").and_then(referenced).ok_or_else(|| wrong("it names no API"))?;
            let authorized = authorized(template, api, own).map_err(wrong)?;
            routes.push(Route {
                key: format!("{method} {path}"),
                function: function.to_owned(),
                authorized,
                method,
                segments: path.split('/').skip(1).map(Segment::read).collect(),
            });
        }
        routes.sort_by_key(Route::rank);
        Ok(Self(routes))
    }

    /// The functions that have a route.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|route| route.function.as_str())
    }

    /// The route for a method and a path whose percent signs are decoded.
    pub fn find(&self, method: &str, path: &str) -> Option<Fit<'_>> {
        self.0.iter().find_map(|route| {
            let method_fits = route.method == "ANY" || route.method == method;
            let parameters = if method_fits { route.parameters(path) } else { None }?;
            Some(Fit { route, parameters })
        })
    }
}

/// The path as routes are matched with: decoded. `None` if that gives no text.
pub fn decoded(path: &str) -> Option<String> {
    percent_decode_str(path).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Whether a token is asked for where an event names the authorizer `own`, or none.
fn authorized(template: &Template, api: &str, own: Option<&str>) -> Result<bool, &'static str> {
    let api = template.resource(api, "AWS::Serverless::HttpApi").map_err(|_| "its API is not in the template")?;
    let default = api.properties.pointer("/Auth/DefaultAuthorizer").and_then(Value::as_str);
    let Some(name) = own.or(default).filter(|name| *name != "NONE") else { return Ok(false) };
    let authorizer = api.properties.pointer("/Auth/Authorizers").and_then(|all| all.get(name));
    let source = authorizer.and_then(|it| it.get("IdentitySource")).and_then(Value::as_str);
    let is_jwt = authorizer.is_some_and(|it| it.get("JwtConfiguration").is_some());
    // Anything else would be let through here otherwise than there.
    if is_jwt && source == Some("$request.header.Authorization") {
        Ok(true)
    } else {
        Err("its authorizer does not read a JWT from the header Authorization")
    }
}

impl Route {
    /// Sorts literal segments before parameters, those before rests, and a named method before `ANY`.
    fn rank(&self) -> (Vec<u8>, bool) {
        let ranks = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Parameter(_) => 1,
            Segment::Rest(_) => 2,
        });
        (ranks.collect(), self.method == "ANY")
    }

    fn parameters(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut parameters = Vec::new();
        let mut rest = path.strip_prefix('/');
        for segment in &self.segments {
            let left = rest?;
            let (part, after) = left.split_once('/').map_or((left, None), |(part, after)| (part, Some(after)));
            match segment {
                Segment::Literal(literal) if literal == part => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(_) | Segment::Rest(_) if part.is_empty() => return None,
                Segment::Parameter(name) => parameters.push((name.clone(), part.to_owned())),
                Segment::Rest(name) => {
                    parameters.push((name.clone(), left.to_owned()));
                    return Some(parameters);
                }
            }
            rest = after;
        }
        rest.is_none().then_some(parameters)
    }
}

impl Segment {
    fn read(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Literal(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                None => Self::Parameter(name.to_owned()),
                Some(name) => Self::Rest(name.to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Tokens
        Authorizers:
          Tokens: { IdentitySource: $request.header.Authorization, JwtConfiguration: { issuer: x, audience: [y] } }
          Other: { FunctionArn: z }
  UsersFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/users/
      Events:
        Read: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: "/v1/users/{id}" } }
        Me: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /v1/users/me, Auth: { Authorizer: NONE } } }
        Apps: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: "/v1/users/{id}/apps" } }
        Pages: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: any, Path: "/{page+}", Auth: { Authorizer: NONE } } }
"#;

    fn routes(text: &str) -> Result<Routes, RouteError> {
        Routes::declared(&Template::parse(text).unwrap())
    }

    fn found(path: &str) -> (String, Vec<String>) {
        let routes = routes(TEMPLATE).unwrap();
        let fit = routes.find("GET", path).unwrap();
        (fit.route.key.clone(), fit.parameters.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn the_most_specific_path_wins() {
        assert_eq!(found("/v1/users/me"), ("GET /v1/users/me".to_owned(), vec![]));
        assert_eq!(found("/v1/users/7"), ("GET /v1/users/{id}".to_owned(), vec!["7".to_owned()]));
        assert_eq!(found("/v1/users/me/apps").0, "GET /v1/users/{id}/apps");
        assert_eq!(found("/v1/users/"), ("ANY /{page+}".to_owned(), vec!["v1/users/".to_owned()]));
    }

    #[test]
    fn a_route_asks_for_a_token_unless_it_says_none() {
        let routes = routes(TEMPLATE).unwrap();
        let authorized = |path| routes.find("GET", path).unwrap().route.authorized;

        assert!(authorized("/v1/users/7") && !authorized("/v1/users/me"));
    }

    #[test]
    fn another_method_or_a_slash_more_is_no_route() {
        let template = TEMPLATE.replace("Method: any", "Method: PUT");
        let routes = routes(&template).unwrap();

        for (method, path) in
            [("HEAD", "/v1/users/7"), ("OPTIONS", "/v1/users/7"), ("GET", "/v1/users/7/"), ("GET", "/v1//apps")]
        {
            assert_eq!(routes.find(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn an_authorizer_that_is_none_of_ours_is_refused() {
        let template = TEMPLATE.replace("DefaultAuthorizer: Tokens", "DefaultAuthorizer: Other");

        assert!(routes(&template).is_err());
    }

    #[test]
    fn every_route_of_the_deployed_template_is_understood() {
        let routes = Routes::declared(Template::deployed().unwrap()).unwrap();

        let approve = routes.find("POST", "/v1/users/usr_1/approve").unwrap();
        assert_eq!((approve.route.function.as_str(), approve.route.authorized), ("approve", true));
        assert!(!routes.find("POST", "/v1/auth/login").unwrap().route.authorized);
    }
}
