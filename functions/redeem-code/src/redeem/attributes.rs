//! Custom attributes with a code: asked for like at a registration without one.

use harness::{Bench, CODE};
use serde_json::{Value, json};

use super::tests::{body, known, redeem};
use crate::router;

const ADA: &str = "ada@example.com";

async fn send(bench: &Bench, attributes: Value) -> harness::Reply {
    let mut body = body(CODE, ADA);
    body["attributes"] = attributes;
    harness::Sample::of("redeem-code-redeem").body(&body).send(router(super::tests::app(bench))).await
}

#[tokio::test]
async fn what_is_required_is_asked_for_and_a_refusal_takes_no_slot() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.attribute("company", |company| company.required = true).await;

    let reply = redeem(&bench, CODE, ADA).await;
    assert_eq!((reply.status, reply.faults()), (422, vec![("/attributes/company", "required")]));
    assert_eq!((bench.used(CODE).await, known(&bench, ADA).await.is_none()), (0, true));

    let (reply, calls) = bench.calls(send(&bench, json!({"company": "Acme"}))).await;

    assert_eq!((reply.status, calls.len(), harness::write_units(&calls)), (202, 2, 14));
    let user = bench.read(&known(&bench, ADA).await.unwrap().user_id).await;
    assert_eq!(Value::Object(bench.values(&user).await), json!({"company": "Acme"}));
}

#[tokio::test]
async fn faults_tell_nothing_of_the_code() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.attribute("company", |company| company.required = true).await;

    let mut known = redeem(&bench, CODE, ADA).await;
    let mut unknown = redeem(&bench, "WRONG-CODE", ADA).await;

    for reply in [&mut known, &mut unknown] {
        reply.body["request_id"] = json!(null);
    }
    assert_eq!(known, unknown);
    assert!(bench.rows_in("THROTTLE#").await.is_empty());
}
