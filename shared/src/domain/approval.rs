//! Who approves a registration: an API Owner by hand, the invite code by which it came, or the portal's settings.
//!
//! Source of the rules: `docs/architecture.md`, section 5.

use jiff::{SignedDuration, Timestamp};

use super::{
    email::Email,
    invite_code::Redemption,
    settings::Settings,
    user::{Role, Status, User},
};

/// The most domains whose addresses are approved by themselves.
pub const MAX_APPROVED_DOMAINS: usize = 50;

/// How long a registration waits before the owners are reminded of it.
pub const LONG_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// How long after a reminder the next one may follow.
pub const DIGEST_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Whether the owners may be reminded at `now`, `last` being when they last were.
#[must_use]
pub fn digest_is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last + DIGEST_EVERY <= now)
}

/// Whether the settings approve anybody at all.
#[must_use]
pub fn is_automatic(settings: &Settings) -> bool {
    settings.auto_approve || !settings.auto_approve_domains.is_empty()
}

/// Whether the settings approve the holder of `email`: everybody, or by the address's domain. A domain below one that is
/// named is another domain.
#[must_use]
pub fn approves(settings: &Settings, email: &Email) -> bool {
    settings.auto_approve || settings.auto_approve_domains.iter().any(|domain| domain.as_str() == email.domain())
}

/// The state that a registration reaches with its password: in at once by the code or by the settings, whichever says so,
/// otherwise it waits. Nobody becomes an API Owner by either.
#[must_use]
pub fn status_on_arrival(settings: &Settings, email: &Email, role: Role, redemption: Option<&Redemption>) -> Status {
    let by_code = redemption.is_some_and(|redemption| redemption.auto_approve);
    if role != Role::ApiOwner && (by_code || approves(settings, email)) { Status::Active } else { Status::Pending }
}

/// Whether `person` waits although the settings approve them: they came before the settings did. Nobody becomes an API
/// Owner by a setting.
#[must_use]
pub fn waits_in_vain(settings: &Settings, person: &User) -> bool {
    person.status == Status::Pending && person.role != Role::ApiOwner && approves(settings, &person.email)
}

/// Whether `after` approves somebody whom `before` let wait.
#[must_use]
pub fn approves_more(before: &Settings, after: &Settings) -> bool {
    let added = || after.auto_approve_domains.iter().any(|domain| !before.auto_approve_domains.contains(domain));
    !before.auto_approve && (after.auto_approve || added())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        email::MailDomain,
        ids::InviteCodeId,
        invite_code::Code,
        name::Name,
        organisation::Placement,
        user::{NewUser, Source, Start},
    };

    fn settings(auto_approve: bool, domains: &[&str]) -> Settings {
        let domains = domains.iter().map(|domain| MailDomain::parse(domain).unwrap());
        Settings { auto_approve, auto_approve_domains: domains.collect(), ..Settings::default() }
    }

    fn email(address: &str) -> Email {
        Email::parse(address).unwrap()
    }

    fn redemption(auto_approve: bool) -> Redemption {
        Redemption {
            code: Code::parse("SPRING-2026").unwrap(),
            code_id: InviteCodeId::new(Timestamp::UNIX_EPOCH, 1),
            auto_approve,
            confirmed_at: None,
        }
    }

    #[test]
    fn a_registration_waits_unless_the_setting_its_domain_or_its_code_approves_it() {
        let ada = email("ada@example.com");
        let cases = [
            (settings(false, &[]), None, Status::Pending),
            (settings(true, &[]), None, Status::Active),
            (settings(false, &["example.com"]), None, Status::Active),
            (settings(false, &["example.org"]), None, Status::Pending),
            (settings(false, &[]), Some(true), Status::Active),
            (settings(false, &[]), Some(false), Status::Pending),
            (settings(true, &[]), Some(false), Status::Active),
            (settings(false, &["example.com"]), Some(false), Status::Active),
        ];
        for (settings, code, status) in cases {
            let redemption = code.map(redemption);
            let on_arrival = |role| status_on_arrival(&settings, &ada, role, redemption.as_ref());
            for role in [Role::TeamMember, Role::ConsumerAdmin] {
                assert_eq!(on_arrival(role), status, "{settings:?} {code:?}");
            }
            assert_eq!(on_arrival(Role::ApiOwner), Status::Pending, "{settings:?} {code:?}");
        }
    }

    #[test]
    fn a_domain_fits_exactly_however_it_is_written() {
        let settings = settings(false, &["Example.com", "bücher.example"]);

        for address in ["ada@EXAMPLE.com", "ada@bücher.example", "ada@xn--bcher-kva.example"] {
            assert!(approves(&settings, &email(address)), "{address}");
        }
        for address in ["ada@sub.example.com", "ada@notexample.com", "ada@example.com.evil.example"] {
            assert!(!approves(&settings, &email(address)), "{address}");
        }
    }

    #[test]
    fn only_registrations_that_wait_are_approved_and_no_api_owner() {
        let on = settings(true, &[]);
        let person = |role, status| {
            let new = NewUser {
                email: email("ada@example.com"),
                first_name: Name::given("Ada"),
                last_name: Name::given("Lovelace"),
                role,
                placement: (role != Role::ApiOwner).then(Placement::default_place),
                source: Source::SelfRegistration,
                start: Start::As(status),
            };
            new.at(Timestamp::UNIX_EPOCH, 1)
        };

        for status in Status::ALL {
            assert_eq!(waits_in_vain(&on, &person(Role::TeamMember, status)), status == Status::Pending);
            assert!(!waits_in_vain(&on, &person(Role::ApiOwner, status)));
            assert!(!waits_in_vain(&settings(false, &["example.org"]), &person(Role::TeamMember, status)));
        }
    }

    #[test]
    fn only_a_change_that_lets_more_in_is_one_for_those_who_wait() {
        let (off, on) = (settings(false, &[]), settings(true, &[]));
        let (one, two) = (settings(false, &["a.example"]), settings(false, &["b.example", "a.example"]));

        for (before, after) in [(&off, &on), (&off, &one), (&one, &two), (&two, &on)] {
            assert!(approves_more(before, after), "{before:?} {after:?}");
            assert!(!approves_more(after, before), "{before:?} {after:?}");
        }
        assert!(!approves_more(&settings(true, &[]), &settings(true, &["a.example"])));
        assert!(!is_automatic(&off) && is_automatic(&on) && is_automatic(&one));
    }

    #[test]
    fn the_owners_are_reminded_at_most_once_a_day() {
        let now = Timestamp::UNIX_EPOCH;
        let ago = |millis| Some(now - DIGEST_EVERY + SignedDuration::from_millis(millis));

        assert_eq!([None, ago(-1), ago(0), ago(1)].map(|last| digest_is_due(last, now)), [true, true, true, false]);
    }
}
