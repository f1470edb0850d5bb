use super::*;

const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

fn source(number: u32) -> SourceAddress {
    SourceAddress::of(std::net::Ipv4Addr::from(0x0a00_0000 + number).into())
}

/// `attempts` after so many wrong passwords from a source at one instant.
fn failed(attempts: &LoginAttempts, times: u32, from: u32, now: Timestamp) -> LoginAttempts {
    (0..times).fold(attempts.clone(), |row, _| row.after(Attempt::WrongPassword, &source(from), now).unwrap())
}

/// An address to which these sources have logged in.
fn with_logins(sources: impl IntoIterator<Item = u32>) -> LoginAttempts {
    let row = LoginAttempts::default();
    sources.into_iter().fold(row, |row, from| row.after(Attempt::RightPassword, &source(from), at(0)).unwrap())
}

#[test]
fn four_failures_in_a_row_cost_nothing_and_each_further_one_doubles_a_wait() {
    for (failures, wait) in [(4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (40, 900), (u32::MAX, 900)] {
        assert_eq!(wait_after(failures), SignedDuration::from_secs(wait), "failure {failures}");
    }
}

#[test]
fn a_source_that_waits_is_refused_until_the_last_moment() {
    let row = failed(&with_logins([1]), 6, 1, at(0));

    assert!(!row.may_ask(&source(1), at(2) - SignedDuration::from_millis(1)));
    assert!(row.may_ask(&source(1), at(2)));
}

#[test]
fn the_fifth_wrong_password_is_not_passed_on_whatever_its_source() {
    let row = (1..=4).fold(LoginAttempts::default(), |row, from| failed(&row, 1, from, at(0)));

    assert!(!row.may_ask(&source(1), at(1)) && !row.may_ask(&source(99), at(1)));
    assert!(!row.may_ask(&source(99), at(900) - SignedDuration::from_millis(1)));
    assert!(row.may_ask(&source(99), at(900)));
}

#[test]
fn the_fifteen_minutes_count_from_the_last_that_was_passed_on_as_cognitos_do() {
    let row = failed(&failed(&LoginAttempts::default(), 2, 1, at(0)), 2, 2, at(800));

    assert!(!row.may_ask(&source(3), at(901)), "Cognito would lock with the next");
    assert!(row.may_ask(&source(3), at(1700)));
    assert_eq!(failed(&row, 1, 3, at(1700)).passed_on, 1);
}

#[test]
fn a_source_that_once_logged_in_is_served_although_others_used_all_up() {
    let row = failed(&with_logins([1]), 4, 2, at(0));

    assert!(row.may_ask(&source(1), at(1)));
    assert!(!row.may_ask(&source(2), at(1)));
}

#[test]
fn a_right_password_ends_the_wait_and_what_was_passed_on() {
    let row = failed(&with_logins([1]), 7, 1, at(0));

    let row = row.after(Attempt::RightPassword, &source(1), at(4)).unwrap();

    assert!(row.may_ask(&source(1), at(4)) && row.may_ask(&source(2), at(4)));
    assert_eq!((row.passed_on, row.sources[&source(1)].failures), (0, 0));
}

#[test]
fn a_mailed_link_serves_its_source_again_and_leaves_the_others_where_they_are() {
    let row = failed(&LoginAttempts::default(), 4, 1, at(0));

    let row = row.after(Attempt::MailedLink, &source(1), at(1)).unwrap();

    assert!(row.may_ask(&source(1), at(1)));
    assert!(!row.may_ask(&source(2), at(1)), "Cognito has counted four");
}

#[test]
fn only_what_changes_something_is_written() {
    let row = with_logins([1]);

    assert_eq!(row.after(Attempt::RightPassword, &source(1), at(5)), None);
    assert_eq!(row.after(Attempt::MailedLink, &source(1), at(5)), None);
    let other = row.after(Attempt::RightPassword, &source(2), at(5)).unwrap();
    assert_eq!((row.version, other.version), (1, 2));
    assert!(failed(&row, 1, 1, at(5)).after(Attempt::RightPassword, &source(1), at(6)).is_some());
}

#[test]
fn a_row_of_failures_is_forgotten_an_hour_after_its_last() {
    let row = failed(&with_logins([1]), 5, 1, at(0));

    assert_eq!(failed(&row, 1, 1, at(3599)).sources[&source(1)].failures, 6);
    assert_eq!(failed(&row, 1, 1, at(3600)).sources[&source(1)].failures, 1);
}

#[test]
fn a_row_lives_an_hour_and_with_a_login_ninety_days() {
    let days = |days: i64| days * 24 * 60 * 60;

    assert_eq!(failed(&LoginAttempts::default(), 1, 1, at(0)).collect_at, at(3600));
    let row = with_logins([1]);
    assert_eq!(row.collect_at, at(days(90)));
    assert!(failed(&row, 4, 2, at(days(90) - 1)).may_ask(&source(1), at(days(90) - 1)));
    let forgotten = failed(&row, 4, 2, at(days(90)));
    assert!(!forgotten.may_ask(&source(1), at(days(90))), "what is past its time counts no more, collected or not");
}

#[test]
fn of_too_many_sources_those_go_that_matter_least() {
    let known = with_logins(0..3);
    let row = (100..300).fold(known, |row, from| failed(&row, 1, from, at(i64::from(from))));

    assert_eq!(row.sources.len(), MOST_SOURCES);
    assert!((0..3).all(|from| row.sources[&source(from)].logged_in));
    assert!(row.sources.contains_key(&source(299)) && !row.sources.contains_key(&source(100)));
}

#[test]
fn a_row_full_of_logins_counts_strangers_for_the_address_alone() {
    let row = failed(&with_logins(0..50), 4, 99, at(0));

    assert!(!row.sources.contains_key(&source(99)) && row.sources.len() == MOST_SOURCES);
    assert!(!row.may_ask(&source(99), at(1)) && row.may_ask(&source(0), at(1)));
}

#[test]
fn no_source_is_printed() {
    let printed = format!("{:?}", with_logins([1]));

    assert!(!printed.contains("10.0.0.1"), "{printed}");
}
