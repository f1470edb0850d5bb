//! The documents name what there is: journeys, tests, routes, indexes.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use local_services::Template;
use routes::routes;

mod routes;

fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A document of the repository.
fn document(path: &str) -> String {
    fs::read_to_string(tests().join("..").join(path)).unwrap()
}

/// What stands between backticks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The routes in the first column of a document's tables, and whether the second says that anybody may call them.
/// Several methods may share a path; `/reject` behind `/v1/users/{id}/approve` is another last part of it.
fn named(document: &str) -> BTreeSet<(String, bool)> {
    let mut named = BTreeSet::new();
    for row in document.lines() {
        let mut columns = row.split('|').map(str::trim).skip(1);
        let (Some(first), Some(who)) = (columns.next(), columns.next()) else { continue };
        let (mut methods, mut path) = (Vec::new(), String::new());
        for word in words(first) {
            let word = word.split('?').next().unwrap_or(word);
            if let Some((before, whole)) = word.split_once("/v1/") {
                methods = before.split_whitespace().filter(|part| *part != "·").collect();
                path = format!("/v1/{whole}");
            } else if word.starts_with('/') && !path.is_empty() {
                path = format!("{}{word}", path.rsplit_once('/').unwrap().0);
            } else {
                continue;
            }
            named.extend(methods.iter().map(|method| (format!("{method} {path}"), who == "public")));
        }
    }
    named
}

#[test]
fn every_journey_on_the_map_is_there() {
    let map = document("tests/README.md");
    let named: Vec<_> = words(&map).filter_map(|word| word.split_once("::")).collect();

    assert!(named.len() > 20, "the map is not where it was");
    for (file, journey) in named {
        let path = tests().join(format!("tests/journeys/{file}.rs"));
        let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}::{journey}: {error}"));
        assert!(code.contains(&format!("async fn {journey}()")), "{file}::{journey} is no journey");
    }
}

#[test]
fn every_test_of_the_whole_stands_in_its_table_and_nothing_else_does() {
    let map = document("tests/README.md");
    let named: BTreeSet<_> = words(&map).filter_map(|word| word.strip_prefix("tests/")).collect();
    let there: BTreeSet<_> = fs::read_dir(tests().join("tests"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() { format!("{name}/") } else { name }
        })
        .collect();

    assert_eq!(named, there.iter().map(String::as_str).collect());
}

#[test]
fn the_readme_and_the_contract_name_every_route_and_who_may_call_it_without_logging_in() {
    let there: BTreeSet<_> = routes().into_iter().map(|route| (route.key(), route.public)).collect();

    assert!(there.len() > 60, "the routes are not where they were");
    for path in ["README.md", "docs/api.md"] {
        let named = named(&document(path));
        let missing: Vec<_> = there.difference(&named).collect();
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(missing.is_empty() && unknown.is_empty(), "{path} lacks {missing:?} and has {unknown:?}");
    }
}

#[test]
fn the_page_of_the_tables_names_every_index_and_no_other() {
    let template = Template::deployed().unwrap();
    let tables = template.of_kind("AWS::DynamoDB::Table");
    let indexes = tables.flat_map(|table| table.properties["GlobalSecondaryIndexes"].as_array().unwrap());
    let there: BTreeSet<_> = indexes.map(|index| index["IndexName"].as_str().unwrap()).collect();
    let page = document("docs/table.md");
    // A row's first column in the table of indexes, and the sentences that begin with one.
    let columns = page.lines().filter(|line| line.contains("_pk` = ")).flat_map(|line| {
        let first = line.trim_start_matches("| ").split(['|', '(']).next().unwrap();
        words(first)
    });

    assert_eq!(there, columns.collect());
}
