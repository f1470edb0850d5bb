//! Confirming a registration that came by an invite code: the code may be the approval.

use harness::{Bench, CODE, PASSWORD, Sample, email};
use serde_json::json;
use shared::{
    domain::{
        name::Name,
        organisation::Placement,
        user::{Role, Source, Start, Status, User},
    },
    http::Applicant,
    store::{PersonChanged, Places, Redeemed},
};

use crate::{register::tests::app, router};

const ADA: &str = "ada@example.com";

/// A portal with an owner and a person who redeemed a code that approves, or does not.
async fn redeemed(auto_approve: bool) -> (Bench, User) {
    let bench = Bench::new().await;
    bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
    let code = bench.invite_code(CODE, |code| code.auto_approve = auto_approve).await;
    let (first_name, last_name) = (Name::given("Ada"), Name::given("Lovelace"));
    let applicant =
        Applicant { email: email(ADA), first_name, last_name, password: None, attributes: serde_json::Map::new() };
    let start = Start::As(Status::Unconfirmed);
    let new = applicant.team_member(Placement::default_place(), Source::InviteCode, start);
    let redeemed = bench.store.redeem(&code, new, &bench.origin()).await.unwrap();
    let Redeemed::New(user) = redeemed else { panic!("{redeemed:?}") };
    (bench, *user)
}

async fn confirm(bench: &Bench) -> harness::Reply {
    let body = json!({"token": bench.token(ADA).await, "password": PASSWORD});
    Sample::of("register-confirm").body(&body).send(router(app(bench))).await
}

#[tokio::test]
async fn the_code_decides_whether_who_confirms_is_in_or_waits() {
    for (auto_approve, next, status, mails, told) in [
        (true, "log_in", Status::Active, vec!["confirm_registration", "welcome"], vec!["welcome"]),
        (
            false,
            "await_approval",
            Status::Pending,
            vec!["confirm_registration"],
            vec!["welcome", "registration_pending"],
        ),
    ] {
        let (bench, user) = redeemed(auto_approve).await;

        let reply = confirm(&bench).await;

        assert_eq!((reply.status, &reply.body), (200, &json!({"next": next})));
        let user = bench.read(&user.id).await;
        assert_eq!((user.status, user.redemption.unwrap().confirmed_at), (status, Some(bench.now())));
        assert_eq!(bench.mail_events(ADA).await, mails);
        assert_eq!(bench.mail_events("owner@example.com").await, told);
    }
}

#[tokio::test]
async fn who_was_made_an_api_owner_meanwhile_waits_whatever_code_and_settings_say() {
    let (bench, user) = redeemed(true).await;
    bench.set(|settings| settings.auto_approve = true).await;
    let owner = User { role: Role::ApiOwner, ..user.clone() }.placed(None).following(&user, bench.now());
    let (places, origin) = (Places::default(), bench.origin());
    let written = bench.store.change_person(&user, &user, &owner, &places, false, &origin).await.unwrap();
    assert!(matches!(written, PersonChanged::Done));

    assert_eq!(confirm(&bench).await.body, json!({"next": "await_approval"}));
    assert_eq!(bench.read(&user.id).await.status, Status::Pending);
    assert_eq!(bench.rows_in("OWNERS").await.remove(0)["active"], json!(1));
}

#[tokio::test]
async fn what_became_of_the_code_meanwhile_does_not_matter() {
    let (bench, user) = redeemed(true).await;
    bench.change_code(CODE, |code| (code.active, code.auto_approve) = (false, false)).await;
    bench.delete_code(&bench.code(CODE).await.unwrap()).await;

    assert_eq!(confirm(&bench).await.body, json!({"next": "log_in"}));
    assert_eq!(bench.read(&user.id).await.status, Status::Active);
}

#[tokio::test]
async fn confirming_takes_no_more_calls_and_units_than_without_a_code() {
    let (bench, _) = redeemed(true).await;
    let body = json!({"token": bench.token(ADA).await, "password": PASSWORD});
    let sample = Sample::of("register-confirm").body(&body);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.UpdateItem",
        "Cognito.AdminCreateUser",
        "Cognito.AdminSetUserPassword",
        "DynamoDB.TransactWriteItems",
    ];
    assert_eq!(operations, expected);
    assert!(harness::write_units(&calls) <= 14);
}

#[tokio::test]
async fn a_code_that_asks_for_approval_yields_to_settings_that_approve() {
    let (bench, user) = redeemed(false).await;
    bench.set(|settings| settings.auto_approve = true).await;

    assert_eq!(confirm(&bench).await.body, json!({"next": "log_in"}));

    assert_eq!(bench.read(&user.id).await.status, Status::Active);
    assert_eq!(bench.mail_events(ADA).await, ["confirm_registration", "welcome"]);
}
