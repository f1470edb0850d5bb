//! Where one goes from what was created: links to every operation on it. What names it is its `id`, or the field that is
//! called as in the path; what else a path names is the field of the same type.

use serde_json::{Map, Value, json};

/// A parameter of a path: what it is called, and what refers to its schema.
type Parameter = (String, Value);

/// Gives every answer that something was created its links.
pub fn link(paths: &mut Map<String, Value>, schemas: &Map<String, Value>) {
    let targets: Vec<(String, Vec<Parameter>)> = operations(paths).filter_map(target).collect();
    for operation in paths.values_mut().flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
        let Some(created) = operation["responses"].get_mut("201") else { continue };
        let schema = created["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let fields = schemas[schema.rsplit('/').next().unwrap()]["properties"].as_object().unwrap();
        let links = targets.iter().filter_map(|(name, parameters)| {
            let values = parameters.iter().enumerate().map(|(at, (parameter, shape))| {
                let names_it = |name: &str| at + 1 < parameters.len() || name == "id" || name == parameter;
                let fits = |(name, field): &(&String, &Value)| names_it(name) && is_read_as(&field["$ref"], shape);
                let (field, _) = fields.iter().find(fits)?;
                Some((parameter.clone(), json!(format!("$response.body#/{field}"))))
            });
            let values: Map<_, _> = values.collect::<Option<_>>()?;
            Some((name.clone(), json!({"operationId": name, "parameters": values})))
        });
        let links: Map<_, _> = links.collect();
        assert!(!links.is_empty(), "nothing may be done with {schema}");
        created["links"] = links.into();
    }
}

/// Whether what is shown as one type is read as another: a code is read however it is typed.
fn is_read_as(shown: &Value, read: &Value) -> bool {
    let typed = shown == "#/components/schemas/Code" && read == "#/components/schemas/TypedCode";
    shown == read || typed
}

fn operations(paths: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    paths.values().flat_map(|item| item.as_object().unwrap().values())
}

/// An operation on one thing: its name, and the parameters of its path.
fn target(operation: &Value) -> Option<(String, Vec<Parameter>)> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let of_path = parameters.filter(|parameter| parameter["in"] == "path");
    let named: Vec<_> = of_path
        .map(|parameter| {
            let shape = &parameter["schema"]["$ref"];
            assert!(shape.is_string(), "{parameter} has no named schema");
            (parameter["name"].as_str().unwrap().to_owned(), shape.clone())
        })
        .collect();
    (!named.is_empty()).then(|| (operation["operationId"].as_str().unwrap().to_owned(), named))
}
