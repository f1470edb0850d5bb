//! What an API Owner's upload does.

use harness::{Bench, Fault, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::{
    ids::OrganisationId,
    user::{Role, Status},
};

use crate::{
    create::tests::{app, invite, known, portal, send},
    router,
};

pub(super) fn row(name: &str, more: &Value) -> Value {
    let mut row = json!({"email": format!("{name}@example.com"), "first_name": name, "last_name": "Lovelace"});
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

pub(super) fn sample(caller: &SignedIn, rows: &[Value]) -> Sample {
    Sample::of("invite-bulk").query("").by(caller).body(&json!({"rows": rows}))
}

pub(super) async fn upload(bench: &Bench, caller: &SignedIn, rows: &[Value]) -> Vec<Value> {
    results(&send(bench, sample(caller, rows)).await)
}

pub(super) async fn try_out(bench: &Bench, caller: &SignedIn, rows: &[Value]) -> Vec<Value> {
    results(&send(bench, sample(caller, rows).query("dry_run=true")).await)
}

pub(super) fn results(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let results = reply.body["results"].as_array().unwrap().clone();
    assert!(results.iter().zip(1..).all(|(result, row)| result["row"] == row), "{results:?}");
    results
}

pub(super) fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

/// The problems' slugs; `-` where there is none.
fn problems(results: &[Value]) -> Vec<&str> {
    results
        .iter()
        .map(|result| result["problem"]["type"].as_str().map_or("-", |kind| &kind["/problems/".len()..]))
        .collect()
}

#[tokio::test]
async fn each_row_is_told_what_became_of_it() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.person("known@example.com", Role::TeamMember, Status::Active).await;
    let waiting = invite(&bench, &owner, &row("waiting", &json!({}))).await.body["id"].clone();
    let rows = [
        row("ada", &json!({"organisation_id": acme, "team_ids": [teams[1]], "role": "team_member"})),
        row("known", &json!({})),
        row("waiting", &json!({})),
        row("joan", &json!({"email": "joan", "role": "boss", "age": 7})),
        row("mary", &json!({"organisation_id": acme})),
        row("ruth", &json!({"team_ids": [teams[1]]})),
        row("other", &json!({"email": " ADA@example.com"})),
        json!("x"),
    ];

    let results = upload(&bench, &owner, &rows).await;

    let expected = [
        ("invited", "-"),
        ("already_registered", "email-taken"),
        ("already_invited", "invitation-pending"),
        ("invalid", "validation-failed"),
        ("invited", "-"),
        ("invalid", "validation-failed"),
        ("duplicate", "duplicate-row"),
        ("invalid", "validation-failed"),
    ];
    let found: Vec<_> = outcomes(&results).into_iter().zip(problems(&results)).collect();
    assert_eq!(found, expected);
    assert_eq!(results[2]["problem"]["invitation_id"], waiting);
    assert_eq!(results[6]["problem"]["first_row"], 1);
    let faults: Vec<_> =
        results[3]["problem"]["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].clone()).collect();
    assert_eq!(faults, ["/email", "/role", "/age"]);
    assert_eq!(results[5]["problem"]["errors"][0]["pointer"], "/team_ids");
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
    let text = bench.mails("mary@example.com").await.remove(0).text.unwrap();
    assert!(text.contains("Acme (Acme team 0)"), "{text}");
    let made = bench.rows_in("INVITATION#").await;
    assert!(made.iter().any(|made| made["id"] == results[0]["invitation_id"] && made["email"] == "ada@example.com"));
}

#[tokio::test]
async fn the_largest_upload_of_nothing_but_faults_gets_an_answer_that_can_be_sent() {
    /// What a function may answer, in bytes, as the text in JSON that its answer becomes.
    const MOST: usize = 6_000_000;
    let (bench, owner) = portal().await;
    // As many faults as are named of a row, each under the name that its pointer lengthens most; and as many as fit.
    for (names, width) in [(20, 98), (250, 3)] {
        let name = |at: usize| format!("{at:~>width$}");
        let rows = vec![Value::Object((0..names).map(|at| (name(at), json!(0))).collect()); 500];
        assert!((900_000..=1_048_576).contains(&json!({"rows": rows}).to_string().len()));

        let reply = send(&bench, sample(&owner, &rows)).await;

        let sent = serde_json::to_string(&reply.body.to_string()).unwrap().len();
        assert!(sent < MOST, "{sent}");
        for result in results(&reply) {
            assert_eq!(result["problem"]["errors"].as_array().unwrap().len(), 20);
        }
    }
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let (bench, owner) = portal().await;
    bench.person("known@example.com", Role::TeamMember, Status::Active).await;
    let rows = [row("ada", &json!({})), row("known", &json!({})), row("ada", &json!({})), json!({})];
    let before = bench.rows().await.len();

    let tried = try_out(&bench, &owner, &rows).await;

    assert_eq!(outcomes(&tried), ["would_invite", "already_registered", "duplicate", "invalid"]);
    assert_eq!(tried[0], json!({"row": 1, "outcome": "would_invite", "invitation_id": null, "problem": null}));
    assert_eq!(bench.rows().await.len(), before);
    let done = upload(&bench, &owner, &rows).await;
    assert_eq!(outcomes(&done), ["invited", "already_registered", "duplicate", "invalid"]);
}

#[tokio::test]
async fn an_upload_that_comes_again_invites_nobody_twice() {
    let (bench, owner) = portal().await;
    let rows: Vec<_> = ["ada", "grace", "mary"].map(|name| row(name, &json!({}))).into();
    upload(&bench, &owner, &rows[..2]).await;

    let again = upload(&bench, &owner, &rows).await;

    assert_eq!(outcomes(&again), ["already_invited", "already_invited", "invited"]);
    for name in ["ada", "grace", "mary"] {
        assert_eq!(bench.mails(&format!("{name}@example.com")).await.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_table_is_as_good_as_json() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let text = format!(
        "\u{feff}email,last_name,first_name,organisation_id,team_ids\r\nada@example.com,Lovelace,Ada,{acme},{};{}\r\n\
         grace@example.com,\"Hopper\",Grace,,\r\n",
        teams[1], teams[2]
    );
    let sample = Sample::of("invite-bulk").query("").by(&owner).raw_body(&text, "text/csv; charset=utf-8");

    let results = results(&send(&bench, sample).await);

    assert_eq!(outcomes(&results), ["invited", "invited"]);
    let text = bench.mails("ada@example.com").await.remove(0).text.unwrap();
    assert!(text.contains("Acme (Acme team 1, Acme team 2)"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_as_a_whole_is_told_before_any_row_is_touched() {
    let (bench, owner) = portal().await;
    let body = |text: &str, media_type: &str| Sample::of("invite-bulk").by(&owner).raw_body(text, media_type);
    let many = vec![row("ada", &json!({})); 501];
    let cases = [
        (body("{", "application/json"), 400, "malformed-json"),
        (body(&" ".repeat(1024 * 1024 + 1), "application/json"), 413, "body-too-large"),
        (body("email", "text/plain"), 415, "unsupported-media-type"),
        (
            body("", "text/csv").bytes(b"email,first_name,last_name\nada@example.com,Ad\xe0,Lovelace", "text/csv"),
            400,
            "malformed-csv",
        ),
        (body("emali\nx", "text/csv"), 422, "validation-failed"),
        (body("{}", "application/json"), 422, "validation-failed"),
        (body("[]", "application/json"), 422, "validation-failed"),
        (body(r#"{"rows": {}}"#, "application/json"), 422, "validation-failed"),
        (sample(&owner, &many), 422, "validation-failed"),
        (sample(&owner, &[]).query("dry_run=yes"), 422, "validation-failed"),
        (sample(&owner, &[]).query("dryrun=true"), 422, "validation-failed"),
    ];
    for (sample, status, problem) in cases {
        let reply = send(&bench, sample).await;
        assert_eq!((reply.status, reply.problem()), (status, problem));
    }
    assert!(upload(&bench, &owner, &[]).await.is_empty());
    bench.set(|settings| settings.sender = None).await;
    assert_eq!(send(&bench, sample(&owner, &[])).await.problem(), "mail-not-configured");
}

#[tokio::test]
async fn rights_come_before_the_upload() {
    let (bench, _) = portal().await;
    let member = bench.signed_in("member@example.com", Role::TeamMember).await;
    let nonsense = |sample: Sample| sample.raw_body("{", "text/plain");

    let refused = send(&bench, nonsense(Sample::of("invite-bulk").by(&member))).await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    let stranger = send(&bench, nonsense(Sample::of("invite-bulk"))).await;
    assert_eq!((stranger.status, stranger.problem()), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_row_that_fails_spoils_no_other_and_may_be_sent_again() {
    let (bench, owner) = portal().await;
    let rows: Vec<_> = ["ada", "grace"].map(|name| row(name, &json!({}))).into();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "secret"));

    let results = upload(&bench, &owner, &rows).await;

    let mut found = outcomes(&results);
    found.sort_unstable();
    assert_eq!(found, ["failed", "invited"]);
    let failed = results.iter().find(|result| result["outcome"] == "failed").unwrap();
    assert_eq!(failed["problem"]["type"], "/problems/internal");
    assert!(!failed.to_string().contains("secret"), "{failed}");
    let mut again = upload(&bench, &owner, &rows).await;
    again.sort_by_key(|result| result["outcome"].to_string());
    assert_eq!(outcomes(&again), ["already_invited", "invited"]);
}

#[tokio::test]
async fn a_lost_answer_invites_once_and_says_so() {
    let (bench, owner) = portal().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let results = upload(&bench, &owner, &[row("ada", &json!({}))]).await;

    assert_eq!(outcomes(&results), ["invited"]);
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn somebody_who_takes_the_address_meanwhile_is_told_of() {
    let (bench, owner) = portal().await;
    let (router, body) = (router(app(&bench)), row("ada", &json!({})));
    let other = Sample::of("invite-create").by(&owner).body(&body).send(router);
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move { drop(other.await) });

    let results = upload(&bench, &owner, &[row("ada", &json!({}))]).await;

    assert_eq!(outcomes(&results), ["already_invited"]);
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn two_uploads_at_once_invite_everybody_once() {
    let (bench, owner) = portal().await;
    let rows: Vec<_> = (0..12).map(|number| row(&format!("person{number}"), &json!({}))).collect();

    let (one, other) = tokio::join!(upload(&bench, &owner, &rows), upload(&bench, &owner, &rows));

    for (one, other) in one.iter().zip(&other) {
        let mut both = [one["outcome"].as_str().unwrap(), other["outcome"].as_str().unwrap()];
        both.sort_unstable();
        assert_eq!(both, ["already_invited", "invited"]);
    }
    assert!(known(&bench, "person11@example.com").await.is_some());
}

#[tokio::test]
async fn facts_are_read_once_in_batches_of_a_hundred_and_each_row_is_one_transaction() {
    let (bench, owner) = portal().await;
    let (acme, _) = bench.organisation("Acme", 0).await;
    let place = json!({"organisation_id": acme});
    let rows: Vec<_> = (0..150).map(|number| row(&format!("person{number}"), &place)).collect();
    let sample = sample(&owner, &rows);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert!(outcomes(&results(&reply)).iter().all(|outcome| *outcome == "invited"));
    let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    // The caller; 150 addresses with two organisations and a team; Acme's default team.
    assert_eq!((count("DynamoDB.BatchGetItem"), count("DynamoDB.TransactWriteItems")), (4, 150));
    assert_eq!(harness::write_units(&calls), 150 * 14);
    assert_ne!(acme, OrganisationId::default_organisation());
}
