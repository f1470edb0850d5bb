//! What a change may say: bounds, all faults at once, and what cannot be changed.

use harness::Sample;
use serde_json::json;

use super::tests::{change, portal, send};

#[tokio::test]
async fn values_have_bounds_and_every_fault_is_named() {
    let (bench, owner) = portal().await;
    let before = bench.store.settings().await.unwrap();
    let cases = [
        (json!({"invitation_days": 0}), ("/invitation_days", "out_of_range")),
        (json!({"invitation_days": 91}), ("/invitation_days", "out_of_range")),
        (json!({"invitation_days": 7.5}), ("/invitation_days", "out_of_range")),
        (json!({"password_policy": {"min_length": 7}}), ("/password_policy/min_length", "out_of_range")),
        (json!({"password_policy": {"min_length": 129}}), ("/password_policy/min_length", "out_of_range")),
        (json!({"password_policy": {"min_numerics": 9}}), ("/password_policy/min_numerics", "out_of_range")),
        (json!({"password_policy": {"min_specials": -1}}), ("/password_policy/min_specials", "out_of_range")),
        (json!({"password_policy": {"max_length": 9}}), ("/password_policy/max_length", "unknown_field")),
        (json!({"password_policy": 12}), ("/password_policy", "not_an_object")),
        (json!({"throttles": {"unknown_codes": 0}}), ("/throttles/unknown_codes", "out_of_range")),
        (json!({"throttles": {"unknown_codes": 1001}}), ("/throttles/unknown_codes", "out_of_range")),
        (json!({"throttles": {"unknown_codes": null}}), ("/throttles/unknown_codes", "required")),
        (json!({"throttles": {"sign_ups": 0}}), ("/throttles/sign_ups", "out_of_range")),
        (json!({"throttles": {"sign_ups": 1001}}), ("/throttles/sign_ups", "out_of_range")),
        (json!({"throttles": {"sign_ups": "off"}}), ("/throttles/sign_ups", "out_of_range")),
        (json!({"throttles": {"login": 1}}), ("/throttles/login", "unknown_field")),
        (json!({"sign_in": "true"}), ("/sign_in", "not_a_boolean")),
        (json!({"portal_name": "a\nb"}), ("/portal_name", "invalid_name")),
        (json!({"sender": "nobody"}), ("/sender", "invalid_email")),
        (json!({"owner_notification_addresses": ["a@b"]}), ("/owner_notification_addresses/0", "invalid_email")),
        (
            json!({"owner_notification_addresses": vec!["a@example.com"; 21]}),
            ("/owner_notification_addresses", "too_many"),
        ),
        (json!({"auto_approve": "yes"}), ("/auto_approve", "not_a_boolean")),
        (json!({"auto_approve_domains": "example.com"}), ("/auto_approve_domains", "not_a_list")),
        (json!({"auto_approve_domains": null}), ("/auto_approve_domains", "required")),
        (json!({"auto_approve_domains": vec!["example.com"; 51]}), ("/auto_approve_domains", "too_many")),
        (json!({"sign_up": true}), ("/sign_up", "unknown_field")),
        (json!({"version": 7}), ("/version", "unknown_field")),
    ];
    for (body, fault) in cases {
        let reply = change(&bench, &owner, &body).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![fault]), "{body}");
    }
    let reply = change(&bench, &owner, &json!({"sender": "x", "portal_name": "", "sign_in": false, "x": 1})).await;
    let expected = [("/portal_name", "invalid_name"), ("/sender", "invalid_email"), ("/x", "unknown_field")];
    assert_eq!(reply.faults(), expected);
    let addresses = json!(["one@example.com", "two", 3, "four@example.com", "five"]);
    let reply = change(&bench, &owner, &json!({"owner_notification_addresses": addresses})).await;
    let expected = [
        ("/owner_notification_addresses/1", "invalid_email"),
        ("/owner_notification_addresses/2", "not_a_string"),
        ("/owner_notification_addresses/4", "invalid_email"),
    ];
    assert_eq!(reply.faults(), expected);
    let domains =
        json!(["example.com", "bücher.example", "ada@example.com", "*.example.com", 7, "localhost", "Example.ORG"]);
    let reply = change(&bench, &owner, &json!({"auto_approve_domains": domains})).await;
    let expected = [
        ("/auto_approve_domains/2", "invalid_domain"),
        ("/auto_approve_domains/3", "invalid_domain"),
        ("/auto_approve_domains/4", "not_a_string"),
        ("/auto_approve_domains/5", "invalid_domain"),
    ];
    assert_eq!(reply.faults(), expected);
    assert_eq!(bench.store.settings().await.unwrap(), before);
}

#[tokio::test]
async fn requests_for_an_organisation_are_switched_on_and_off_and_by_nothing_else() {
    let (bench, owner) = portal().await;
    let before = bench.store.settings().await.unwrap();

    for name in ["organisation_requests", "organisation_requests_auto_approve"] {
        let cleared = change(&bench, &owner, &json!({name: null})).await;
        let faulty = change(&bench, &owner, &json!({name: "yes"})).await;
        assert_eq!(cleared.faults(), [(format!("/{name}").as_str(), "required")]);
        assert_eq!(faulty.faults(), [(format!("/{name}").as_str(), "not_a_boolean")]);
        assert_eq!(bench.store.settings().await.unwrap(), before);
    }
    for on in [true, false] {
        let reply = change(&bench, &owner, &json!({"organisation_requests": on})).await;
        assert_eq!((reply.status, &reply.body["organisation_requests"]), (200, &json!(on)));
        assert_eq!(bench.store.settings().await.unwrap().organisation_requests, on);
    }
}

#[tokio::test]
async fn what_was_read_can_be_sent_back_with_a_change() {
    let (bench, owner) = portal().await;
    let mut shown = send(&bench, Sample::of("settings-read").by(&owner)).await.body;
    let before = bench.store.settings().await.unwrap();

    let same = change(&bench, &owner, &shown).await;
    assert_eq!((same.status, &same.body), (200, &shown));
    assert_eq!(bench.store.settings().await.unwrap(), before);

    shown["invitation_days"] = json!(8);
    let changed = change(&bench, &owner, &shown).await;
    assert_eq!((changed.status, changed.body), (200, shown));
}
