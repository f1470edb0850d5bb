//! Who may do what to whom, in one table: `rights/matrix.txt`, held to what every route answers.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::BTreeSet, fmt::Write};

mod functions;
mod rights {
    pub mod probe;
    pub mod world;
}

use functions::routes::{Route, routes};
use rights::{
    probe::{Aspect, changes_something, outcome},
    world::{Kind, Relation, World},
};

const MATRIX: &str = include_str!("rights/matrix.txt");

/// A row of the matrix.
struct Row {
    route: String,
    aspect: Aspect,
    /// The words of each kind of caller; a public route has none.
    cells: Vec<Vec<String>>,
}

impl Row {
    fn is_public(&self) -> bool {
        self.cells.is_empty()
    }
}

fn rows() -> Vec<Row> {
    let lines = MATRIX.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let rows = lines.map(|line| {
        let mut columns = line.split('|').map(str::trim);
        let name = columns.next().unwrap();
        let (route, aspect) = match name.split_once(", ") {
            None => (name, Aspect::Call),
            Some((route, "seen")) => (route, Aspect::Seen),
            Some((route, "placing")) => (route, Aspect::Placing),
            Some((_, other)) => panic!("{line}: {other}?"),
        };
        let mut words: Vec<Vec<String>> =
            columns.map(|column| column.split_whitespace().map(str::to_owned).collect()).collect();
        if words.concat() == ["public"] {
            words.clear();
        } else {
            // Who is not let in at all needs one word for every relation.
            let without: Vec<Vec<String>> = words.remove(0).into_iter().map(|word| vec![word; 5]).collect();
            words.splice(0..0, without);
            assert!(words.len() == 6 && words.iter().all(|words| words.len() == 5), "{line}");
        }
        Row { route: route.to_owned(), aspect, cells: words }
    });
    rows.collect()
}

#[test]
fn every_route_has_a_row_and_every_row_is_a_route() {
    let rows = rows();
    let in_matrix: BTreeSet<_> = rows.iter().map(|row| row.route.as_str()).collect();
    let public: BTreeSet<_> = rows.iter().filter(|row| row.is_public()).map(|row| row.route.as_str()).collect();
    let (routes, mut expected_public) = (routes(), BTreeSet::new());
    let keys: Vec<String> = routes.iter().map(Route::key).collect();
    for (route, key) in routes.iter().zip(&keys) {
        if route.public {
            expected_public.insert(key.as_str());
        }
    }

    assert_eq!(in_matrix, keys.iter().map(String::as_str).collect());
    assert_eq!(public, expected_public);
    // A list that tells people apart is looked into, not only called.
    for list in ["GET /v1/users", "GET /v1/invitations"] {
        assert!(rows.iter().any(|row| row.route == list && row.aspect == Aspect::Seen), "{list}");
    }
}

#[tokio::test]
async fn every_route_answers_every_caller_as_the_matrix_says() {
    let (rows, routes) = (rows(), routes());
    let mut wrong = String::new();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let mut lasting = World::new(kind).await;
        for row in rows.iter().filter(|row| !row.is_public()) {
            let route = routes.iter().find(|route| route.key() == row.route).unwrap();
            let refused_by_all = row.cells[number].iter().all(|word| word.starts_with('4'));
            for (relation, expected) in Relation::ALL.into_iter().zip(&row.cells[number]) {
                let answer = if changes_something(route, row.aspect) && !refused_by_all {
                    outcome(&mut World::new(kind).await, route, row.aspect, relation).await
                } else {
                    outcome(&mut lasting, route, row.aspect, relation).await
                };
                if answer != *expected {
                    let (route, aspect) = (&row.route, row.aspect);
                    writeln!(wrong, "{route} {aspect:?}: {kind:?} about {relation:?} {answer}, not {expected}")
                        .unwrap();
                }
            }
        }
    }

    assert!(wrong.is_empty(), "\n{wrong}");
}
