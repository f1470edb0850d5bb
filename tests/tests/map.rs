//! The map in `tests/README.md` names journeys that there are.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{fs, path::PathBuf};

#[test]
fn every_journey_on_the_map_is_there() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(tests.join("README.md")).unwrap();
    let named = map.split('`').skip(1).step_by(2).filter_map(|word| word.split_once("::"));
    let named: Vec<_> = named.collect();

    assert!(named.len() > 20, "the map is not where it was");
    for (file, journey) in named {
        let path = tests.join(format!("tests/journeys/{file}.rs"));
        let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}::{journey}: {error}"));
        assert!(code.contains(&format!("async fn {journey}()")), "{file}::{journey} is no journey");
    }
}
