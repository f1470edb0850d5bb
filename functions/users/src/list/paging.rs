//! Going through a list page by page, and what is no way to do so.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::{Bench, SignedIn};
use serde_json::{Value, json};
use shared::domain::{
    ids::TeamId,
    user::{Role, Status},
};

use super::tests::{list, place, portal, who};

/// Sixty people, every third of them pending, every other one in the second team too.
async fn sixty() -> (Bench, SignedIn, Vec<TeamId>) {
    let (bench, owner) = portal().await;
    let (organisation, teams) = bench.organisation("Acme", 1).await;
    for number in 0..60 {
        let both = [&teams[0], &teams[1]];
        let place = place(&organisation, if number % 2 == 0 { &both } else { &both[..1] });
        let status = if number % 3 == 0 { Status::Pending } else { Status::Active };
        bench.person_at(&format!("p{number:02}@example.com"), Role::TeamMember, status, place).await;
    }
    (bench, owner, teams)
}

/// Everybody on all the pages of a query, none of which is longer than asked for.
async fn through(bench: &Bench, caller: &SignedIn, query: &str, limit: usize) -> Vec<String> {
    let mut people = Vec::new();
    let mut cursor = String::new();
    for _ in 0..200 {
        let page = list(bench, caller, &format!("{query}&limit={limit}{cursor}")).await;
        assert!(who(&page).len() <= limit);
        people.extend(who(&page).into_iter().map(str::to_owned));
        match &page.body["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            end => {
                assert_eq!(end, &json!(null));
                return people;
            }
        }
    }
    panic!("{query} has no end")
}

fn those(which: impl Fn(usize) -> bool) -> Vec<String> {
    (0..60).filter(|number| which(*number)).map(|number| format!("p{number:02}")).collect()
}

#[tokio::test]
async fn page_by_page_nobody_is_missing_and_nobody_comes_twice() {
    let (bench, owner, teams) = sixty().await;
    for limit in [1, 7, 25, 60, 61, 100] {
        let everybody = through(&bench, &owner, "", limit).await;
        assert_eq!((everybody[0].as_str(), &everybody[1..]), ("owner", &those(|_| true)[..]), "{limit}");
        assert_eq!(through(&bench, &owner, "status=pending", limit).await, those(|number| number % 3 == 0), "{limit}");
        let second = format!("team_id={}", teams[1]);
        assert_eq!(through(&bench, &owner, &second, limit).await, those(|number| number % 2 == 0), "{limit}");
        let both = format!("{second}&status=pending&role=team_member");
        assert_eq!(through(&bench, &owner, &both, limit).await, those(|number| number % 6 == 0), "{limit}");
        assert_eq!(through(&bench, &owner, "role=api_owner", limit).await, ["owner"], "{limit}");
    }
}

#[tokio::test]
async fn a_page_has_twenty_five_when_nothing_is_said() {
    let (bench, owner, _) = sixty().await;

    let page = list(&bench, &owner, "").await;

    assert_eq!(who(&page).len(), 25);
    let next = page.body["next_cursor"].as_str().unwrap();
    assert!(next.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{next}");
}

#[tokio::test]
async fn who_comes_in_while_somebody_pages_does_not_disturb() {
    let (bench, owner, _) = sixty().await;
    let first = list(&bench, &owner, "limit=50").await;

    bench.person("late@example.com", Role::TeamMember, Status::Active).await;

    let query = format!("limit=50&cursor={}", first.body["next_cursor"].as_str().unwrap());
    let second = list(&bench, &owner, &query).await;
    assert_eq!(who(&second).last(), Some(&"late"));
    assert_eq!(who(&first).len() + who(&second).len(), 62);
}

#[tokio::test]
async fn a_cursor_of_another_query_or_another_caller_is_refused() {
    let (bench, owner, teams) = sixty().await;
    let other = bench.signed_in("other@example.com", Role::ApiOwner).await;
    let page = list(&bench, &owner, "status=pending&limit=5").await;
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let team = format!("team_id={}", teams[0]);
    for query in ["", "status=active", "status=pending&role=team_member", &team] {
        let reply = list(&bench, &owner, &format!("{query}&cursor={cursor}")).await;
        assert_eq!(reply.faults(), [("/cursor", "invalid_cursor")], "{query}");
    }
    let reply = list(&bench, &other, &format!("status=pending&cursor={cursor}")).await;
    assert_eq!(reply.faults(), [("/cursor", "invalid_cursor")]);
    let reply = list(&bench, &owner, &format!("limit=9&cursor={cursor}&status=pending")).await;
    assert_eq!(who(&reply).len(), 9);
}

#[tokio::test]
async fn a_forged_cursor_shows_nothing_more() {
    let (bench, owner, teams) = sixty().await;
    for query in ["status=pending".to_owned(), format!("team_id={}", teams[1]), String::new()] {
        let page = list(&bench, &owner, &format!("{query}&limit=5")).await;
        let cursor = URL_SAFE_NO_PAD.decode(page.body["next_cursor"].as_str().unwrap()).unwrap();
        let cursor: Value = serde_json::from_slice(&cursor).unwrap();
        let whole = through(&bench, &owner, &query, 100).await;
        for at in ["A", "TEAM", "USER#", "USER#~", "\u{10ffff}", "000000000000000#", &"9".repeat(499)] {
            let mut forged = cursor.clone();
            forged["a"] = json!(at);
            let forged = URL_SAFE_NO_PAD.encode(forged.to_string());

            let reply = list(&bench, &owner, &format!("{query}&limit=100&cursor={forged}")).await;

            assert!(who(&reply).into_iter().all(|person| whole.iter().any(|known| known == person)), "{query} {at}");
        }
        for at in ["", &"9".repeat(500)] {
            let mut forged = cursor.clone();
            forged["a"] = json!(at);
            let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
            let reply = list(&bench, &owner, &format!("{query}&cursor={forged}")).await;
            assert_eq!(reply.faults(), [("/cursor", "invalid_cursor")]);
        }
    }
    for junk in ["", "x", "%21%21", "bm8ganNvbg", "e30", "W10"] {
        let reply = list(&bench, &owner, &format!("cursor={junk}")).await;
        assert_eq!(reply.faults(), [("/cursor", "invalid_cursor")], "{junk}");
    }
}

#[tokio::test]
async fn limits_have_bounds() {
    let (bench, owner) = portal().await;
    for limit in ["0", "101", "-1", "2.5", "ten", "", "99999999999"] {
        let reply = list(&bench, &owner, &format!("limit={limit}")).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![("/limit", "out_of_range")]), "{limit}");
    }
    for limit in [1, 100] {
        assert_eq!(who(&list(&bench, &owner, &format!("limit={limit}")).await), ["owner"]);
    }
}

#[tokio::test]
async fn every_fault_of_the_parameters_is_named() {
    let (bench, owner) = portal().await;

    let query = "status=Active&role=boss&organisation_id=org_1&team_id=usr_01kf0ev11gzqq463a0qnbxxtp1&limit=0&cursor=x";
    let reply = list(&bench, &owner, &format!("{query}&colour=red&limit=2")).await;

    let expected = [
        ("/status", "unknown_choice"),
        ("/role", "unknown_choice"),
        ("/organisation_id", "unknown_choice"),
        ("/team_id", "unknown_choice"),
        ("/limit", "out_of_range"),
        ("/cursor", "invalid_cursor"),
        ("/colour", "unknown_parameter"),
        ("/limit", "unknown_parameter"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
}

#[tokio::test]
async fn places_that_are_not_there_have_nobody() {
    let (bench, owner) = portal().await;

    let team = list(&bench, &owner, "team_id=team_01kf0ev11gzqq463a0qnbxxtp1").await;
    let organisation = list(&bench, &owner, "organisation_id=org_01kf0ev11gzqq463a0qnbxxtp1").await;

    assert_eq!((who(&team), who(&organisation)), (vec![], vec![]));
}
