//! How much a template may take: refused in words where it is too much, and never by the end of the process.

use std::fmt::Write as _;

use super::{
    shape::{MAX_BRANCHES, MAX_TAG},
    *,
};

fn faults(source: &str) -> Vec<Fault> {
    let portal = Name::parse("Example APIs").unwrap();
    judge(Event::Rejected, Part::Html, source, &portal).err().unwrap_or_default()
}

fn codes(source: &str) -> Vec<&'static str> {
    faults(source).iter().map(|fault| fault.code).collect()
}

/// As many of `part` as a template has room for.
fn filled(start: &str, part: &str, end: &str) -> String {
    let room = MAX_BODY - start.len() - end.len();
    format!("{start}{}{end}", part.repeat(room / part.len()))
}

#[test]
fn a_template_that_takes_too_long_or_gets_too_long_is_refused() {
    let loops = |depth: usize, inner: &str| {
        let open: Vec<_> = (0..depth).map(|at| format!("{{% for x{at} in '0123456789' %}}")).collect();
        format!("{}{inner}{}", open.concat(), "{% endfor %}".repeat(depth))
    };

    assert_eq!(codes(&loops(2, "x")), [""; 0]);
    assert_eq!(codes(&loops(6, "")), ["too_large"]);
    assert_eq!(codes(&loops(3, &"x".repeat(2000))), ["too_large"]);
    assert_eq!(codes(&"x".repeat(MAX_BODY + 1)), ["too_large"]);
    assert_eq!(codes(" \n"), ["required"]);
}

#[test]
fn no_expression_is_deep_enough_to_end_the_process() {
    for source in [
        filled("{{ a", "+a", " }}"),
        filled("{{ a", "-1", " }}"),
        filled("{{ first_name", ".b", " }}"),
        filled("{{ first_name", "[0]", " }}"),
        filled("{{ first_name", "|trim", " }}"),
        filled("{{ first_name", " is defined", " }}"),
        filled("{{ ", "not ", "first_name }}"),
        filled("{{ ", "-", "1 }}"),
        filled("{{ ", "(", " }}"),
        filled("{{ ", "[", " }}"),
        filled("{{ first_name", " if first_name else first_name", " }}"),
        filled("{% if first_name", " and first_name", " %}{% endif %}"),
        filled("{% if first_name %}", "{% elif first_name %}", "{% endif %}"),
        filled("{{ '", "x", "' }}"),
        filled("{{ first_name|join('", "x", "') }}"),
    ] {
        assert_eq!(codes(&source), ["too_large"], "{}", &source[..40]);
    }
    for source in [filled("", "{% if first_name %}", ""), filled("", "{% for x in last_name %}", "")] {
        assert_eq!(codes(&source), ["invalid_template"], "{}", &source[..40]);
    }
}

#[test]
fn what_is_just_within_the_bounds_is_read_without_harm() {
    let tag = |start: &str, part: &str, end: &str| {
        format!("{start}{}{end}", part.repeat((MAX_TAG - start.len() - end.len()) / part.len()))
    };
    for source in [
        tag("{{ first_name", "|trim", " }}"),
        tag("{{ ", "not ", "first_name }}"),
        tag("{{ ", "-", "1 }}"),
        tag("{{ first_name", " or first_name", " }}"),
        format!("{{% if reason %}}{}{{% endif %}}", "{% elif first_name %}".repeat(MAX_BRANCHES)),
    ] {
        assert_eq!(codes(&source), [""; 0], "{}", &source[..40]);
    }
    let nested = format!("{}{}", "{% if first_name %}".repeat(100), "{% endif %}".repeat(100));
    assert_eq!(codes(&nested), [""; 0]);
}

#[test]
fn no_value_grows() {
    let long = "x".repeat(75_000);
    let doubled = ["x"; 100].join("~");
    let mut lists = String::new();
    for (at, list) in [(1, "[reason, reason, reason]|join"), (2, "[x1, x1, x1, x1]"), (3, "[x2, x2, x2, x2]")] {
        write!(lists, "{{% for x{at} in [{list}] %}}").unwrap();
    }
    for (source, code) in [
        (format!("{{% for x in [\"{long}\"] %}}{{% if {doubled} %}}{{% endif %}}{{% endfor %}}"), "too_large"),
        (format!("{{% for x in \"a\" %}}{{% if {doubled} %}}{{% endif %}}{{% endfor %}}"), "invalid_template"),
        (format!("{lists}{{{{ x3|upper }}}}{}", "{% endfor %}".repeat(3)), "invalid_template"),
    ] {
        let found = codes(&source);
        assert!(!found.is_empty() && found.iter().all(|found| *found == code), "{}: {found:?}", &source[..40]);
    }
    assert!(faults("{{ first_name ~ last_name }}")[0].detail.contains("`{{ a }}{{ b }}`"));
}

#[test]
fn what_is_joined_has_an_end() {
    let nested = (0..4).fold("portal_url".to_owned(), |inner, _| format!("portal_url|join({inner})"));

    assert_eq!(codes(&format!("{{% if {nested} %}}{{% endif %}}")), ["invalid_template"]);
}

#[test]
fn a_template_of_nothing_but_faults_has_twenty_of_them() {
    assert_eq!(faults(&filled("", "{{a}}", "")).len(), MAX_FAULTS);
}

#[test]
fn a_tag_or_a_branch_too_many_is_told_with_its_place() {
    let place = |source: &str| faults(source)[0].at.map(|at| (at.line, at.column));

    assert_eq!(place(&format!("Hello\n {{{{ '{}' }}}}", "x".repeat(MAX_TAG))), Some((2, 2)));
    let branches = "{% elif first_name %}\n".repeat(MAX_BRANCHES + 1);
    assert_eq!(place(&format!("{{% if reason %}}\n{branches}{{% endif %}}")), Some((MAX_BRANCHES + 2, 1)));
}
