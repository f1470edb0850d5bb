//! Nothing that a login tells, and no call that it makes, gives away whether an address has an account.

use harness::{Bench, PASSWORD, Reply};
use jiff::SignedDuration;
use shared::domain::user::{Role, Status};

use super::tests::{log_in, without_password};

/// Known with a password, known without one in both ways, and unknown.
const ADDRESSES: [&str; 4] =
    ["ada@example.com", "unconfirmed@example.com", "invited@example.com", "nobody@example.com"];

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    without_password(&bench).await;
    bench
}

/// The whole answer to a login and the operations that it took. The samples' request id is always the same, so answers
/// are compared byte for byte.
async fn ask(bench: &Bench, address: &str, password: &str) -> (Reply, Vec<String>) {
    let (reply, calls) = bench.calls(log_in(bench, address, password)).await;
    (reply, calls.into_iter().map(|call| call.operation).collect())
}

#[tokio::test]
async fn a_wrong_password_and_an_address_without_one_get_one_answer_by_the_same_calls() {
    let bench = bench().await;

    let (reply, operations) = ask(&bench, "ada@example.com", "violet tractor 43!").await;

    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
    assert!(!reply.headers.contains_key("www-authenticate"));
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "Cognito.AdminInitiateAuth", "DynamoDB.UpdateItem"]);
    for address in ADDRESSES {
        let answer = ask(&bench, address, "violet tractor 43!").await;
        assert_eq!(answer, (reply.clone(), operations.clone()), "{address}");
    }
}

#[tokio::test]
async fn a_password_that_nobody_can_have_is_a_wrong_one_for_known_and_unknown_alike() {
    let bench = bench().await;
    let (wrong, _) = ask(&bench, "ada@example.com", "violet tractor 43!").await;

    for password in ["", &"x".repeat(257)] {
        for address in ADDRESSES {
            let (reply, operations) = ask(&bench, address, password).await;

            assert_eq!(reply, wrong, "{address}, {} characters", password.len());
            assert_eq!(operations, ["DynamoDB.BatchGetItem"], "{address}");
        }
    }
}

#[tokio::test]
async fn a_password_of_256_characters_or_with_outer_space_is_asked_for_like_any_other() {
    let bench = bench().await;
    let wrong = ask(&bench, "ada@example.com", "violet tractor 43!").await;

    for password in ["é".repeat(256), format!(" {PASSWORD}"), format!("{PASSWORD}\n"), "\0".to_owned()] {
        bench.advance(SignedDuration::from_hours(1));
        for address in ADDRESSES {
            assert_eq!(ask(&bench, address, &password).await, wrong, "{address}, {password:?}");
        }
    }
}

#[tokio::test]
async fn five_wrong_passwords_lock_the_right_one_out_for_a_while_without_a_word() {
    let bench = Bench::new().await;
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let mut wrong = None;
    for _ in 0..5 {
        wrong = Some(log_in(&bench, "ada@example.com", "violet tractor 43!").await);
    }

    let locked_out = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!(Some(locked_out), wrong);
    bench.advance(SignedDuration::from_mins(15));
    assert_eq!(log_in(&bench, "ada@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn failing_again_and_again_is_answered_alike_by_the_same_calls_for_known_and_unknown() {
    let bench = bench().await;
    let mut histories = Vec::new();
    for address in ADDRESSES {
        let mut history = Vec::new();
        for attempt in 0..14 {
            bench.advance(SignedDuration::from_mins(if attempt % 7 == 6 { 16 } else { 0 }));
            history.push(ask(&bench, address, "violet tractor 43!").await);
        }
        histories.push(history);
    }

    assert!(histories.iter().all(|history| *history == histories[0]));
    let asked = histories[0].iter().filter(|(_, operations)| operations.len() > 1).count();
    let replies: Vec<_> = histories[0].iter().map(|(reply, _)| reply).collect();
    assert_eq!(asked, 6, "four, and one after each sixteen minutes: it is the fifth and sixth in a row");
    assert!(replies.iter().all(|reply| **reply == *replies[0]));
}

#[tokio::test]
async fn cognito_is_never_told_an_address() {
    let bench = bench().await;

    for address in ADDRESSES {
        let (_, calls) = bench.calls(log_in(&bench, address, PASSWORD)).await;

        let asked = calls.iter().find(|call| call.operation == "Cognito.AdminInitiateAuth").unwrap();
        let name = asked.request["AuthParameters"]["USERNAME"].as_str().unwrap();
        assert!(!asked.request.to_string().contains("example.com"), "{address}");
        assert_eq!(name.starts_with("usr_"), address == "ada@example.com", "{address}: {name}");
    }
}

#[tokio::test]
async fn names_that_cannot_exist_never_repeat() {
    let bench = Bench::new().await;
    let mut names = std::collections::BTreeSet::new();

    for _ in 0..10 {
        bench.advance(SignedDuration::from_hours(1));
        let (_, calls) = bench.calls(log_in(&bench, "nobody@example.com", PASSWORD)).await;
        names.insert(calls[1].request["AuthParameters"]["USERNAME"].to_string());
    }

    assert_eq!(names.len(), 10);
}
