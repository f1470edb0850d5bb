//! One suite of what we rely on in DynamoDB, Cognito and SES, asked of our embedded parts and of two emulators that others
//! wrote. What is expected is what AWS documents; where somebody answers otherwise, `differences.rs` says who and why.
//!
//! The embedded parts are asked in every run of the tests. An emulator is asked where `PORTICO_OPINION` names it and its
//! address, as `.ci/opinions` does: `moto=http://127.0.0.1:5000`.
#![expect(clippy::disallowed_methods, reason = "who is asked is chosen where the tests are started")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::env;

mod differences;
mod identity;
mod mail;
mod queries;
mod storage;
mod stream;
mod subject;

use subject::Subject;

/// What somebody answered to one question.
struct Opinion {
    question: &'static str,
    expected: &'static str,
    found: String,
}

/// Makes `ask`, which puts each question to a subject: a function of this name, and what AWS documents.
macro_rules! questions {
    ($($question:ident => $expected:literal,)*) => {
        /// Asks every question of this file.
        pub async fn ask(subject: &crate::Subject) -> Vec<crate::Opinion> {
            vec![$(crate::Opinion {
                question: stringify!($question),
                expected: $expected,
                found: $question(subject).await,
            }),*]
        }
    };
}
pub(crate) use questions;

async fn opinions(subject: &Subject) -> Vec<Opinion> {
    let mut opinions = storage::ask(subject).await;
    opinions.extend(queries::ask(subject).await);
    opinions.extend(stream::ask(subject).await);
    opinions.extend(identity::ask(subject).await);
    opinions.extend(mail::ask(subject).await);
    opinions
}

/// Holds a subject to what is documented, but for its listed differences, each of which has to be there.
async fn hold(subject: &Subject) {
    let opinions = opinions(subject).await;
    let known = differences::of(subject.name);
    let mut wrong = Vec::new();
    for Opinion { question, expected, found } in &opinions {
        match known.iter().find(|known| known.question == *question) {
            None if found != expected => wrong.push(format!("{question}: {found}, and not {expected}")),
            Some(known) if found != known.instead => {
                wrong.push(format!("{question}: {found}, and not {} as listed", known.instead));
            }
            None | Some(_) => {}
        }
    }
    for known in &known {
        let asked = opinions.iter().any(|opinion| opinion.question == known.question);
        assert!(asked, "{} of {} is no question", known.question, subject.name);
    }
    println!("{}: {} questions, {} differences", subject.name, opinions.len(), known.len());
    assert!(wrong.is_empty(), "{} answers otherwise:\n{}", subject.name, wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_embedded_parts_answer_as_aws_documents_but_for_the_listed_differences() {
    hold(&Subject::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asked by .ci/opinions, which starts the emulator"]
async fn the_emulator_that_is_named_answers_as_aws_documents_but_for_the_listed_differences() {
    let named = env::var("PORTICO_OPINION").unwrap();
    let (name, address) = named.split_once('=').unwrap();
    hold(&Subject::emulator(name, address).await).await;
}
