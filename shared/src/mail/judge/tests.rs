//! What a changed template may be, and what is said of one that may not.

use serde_json::{Map, json};

use super::{super::sandbox::SENDING, *};
use crate::mail::MailTemplate;

fn portal() -> Name {
    Name::parse("Example APIs").unwrap()
}

/// Codes and places of the faults.
fn faults(event: Event, part: Part, source: &str) -> Vec<(&'static str, Option<(usize, usize)>)> {
    let faults = judge(event, part, source, &portal()).err().unwrap_or_default();
    faults.iter().map(|fault| (fault.code, fault.at.map(|at| (at.line, at.column)))).collect()
}

fn html(source: &str) -> Vec<(&'static str, Option<(usize, usize)>)> {
    faults(Event::Rejected, Part::Html, source)
}

#[test]
fn every_built_in_template_would_be_accepted() {
    for event in Event::ALL {
        let MailTemplate { subject, text, html } = MailTemplate::built_in(event);
        for (part, source) in [(Part::Subject, subject), (Part::Text, text), (Part::Html, html)] {
            assert_eq!(faults(event, part, &source), [], "{} {part:?}", event.as_str());
        }
    }
}

#[test]
fn a_template_that_cannot_be_read_is_refused_with_line_and_column() {
    assert_eq!(html("<p>Hello\n{{ first_name </p>"), [("invalid_template", Some((2, 16)))]);
    assert_eq!(html("{% if reason %}<p>"), [("invalid_template", Some((1, 16)))]);
    assert_eq!(html("é\n  {% nothing %}"), [("invalid_template", Some((2, 6)))]);
}

#[test]
fn every_unknown_name_is_told_at_once_with_its_place_and_what_there_is() {
    let source = "{{ first_nam }}\n{% if reason %}{{ other }}{% else %} {{ last_name }}{{ link }}{% endif %}";

    assert_eq!(
        html(source),
        [("unknown_variable", Some((1, 4))), ("unknown_variable", Some((2, 19))), ("unknown_variable", Some((2, 56)))]
    );
    let detail = &judge(Event::Rejected, Part::Html, source, &portal()).unwrap_err()[0].detail;
    assert!(detail.ends_with("knows first_name, last_name, reason, portal_name, portal_url."), "{detail}");
}

#[test]
fn loops_give_names_as_long_as_they_go_on() {
    let with = |teams: &str| faults(Event::Invitation, Part::Html, &format!("<a href=\"{{{{ link }}}}\">x</a>{teams}"));

    assert_eq!(with("{% for team in teams %}{{ team }}{% if not loop.last %}, {% endif %}{% endfor %}"), []);
    assert_eq!(with("{% for team in teams %}{% endfor %}{{ team }}").len(), 1);
    assert_eq!(with("{% for team in teams %}{% else %}{{ loop.index }}{% endfor %}").len(), 1);
    assert_eq!(with("{{ teams[0] }}"), [("invalid_template", Some((1, 30)))]);
    assert_eq!(with("{{ teams|join(' and ')|upper|default('-') }}"), []);
    assert_eq!(with("{{ inviter.email }}").len(), 1);
}

#[test]
fn nothing_that_reads_elsewhere_amplifies_or_lifts_the_escaping_is_there() {
    for source in [
        "{% include 'layout.html' %}",
        "{% import 'layout.html' as x %}",
        "{% from 'layout.html' import x %}",
        "{% extends 'layout.txt' %}",
        "{% extends first_name %}",
        "{% block other %}{% endblock %}",
        "{% set x = first_name ~ first_name %}",
        "{% set x %}{{ first_name }}{% endset %}",
        "{% with x = first_name %}{% endwith %}",
        "{% autoescape false %}{{ first_name }}{% endautoescape %}",
        "{% filter upper %}x{% endfilter %}",
        "{% for x in [1] recursive %}{% endfor %}",
        "{% for x, y in [[1, 2]] %}{% endfor %}",
        "{{ range(1000000) }}",
        "{{ debug() }}",
        "{{ first_name.upper() }}",
        "{{ self.body() }}",
        "{{ 'x' * 100000000 }}",
        "{{ 2 ** 100 }}",
        "{{ first_name ~ last_name }}",
        "{{ first_name + last_name }}",
        "{{ [first_name] }}",
        "{% for x in ['a', 'b'] %}{% endfor %}",
        "{{ [[first_name], [last_name]]|join }}",
        "{{ first_name|replace('A', 'BBBBBBBBBB') }}",
        "{{ first_name|tojson }}",
        "{{ first_name is startingwith('A') }}",
        "{{ {'a': 1} }}",
    ] {
        let found = html(source);
        assert!(
            !found.is_empty() && found.iter().all(|(code, at)| *code == "invalid_template" && at.is_some()),
            "{source}: {found:?}"
        );
    }
}

#[test]
fn what_people_typed_is_escaped_whatever_a_template_says() {
    let markup = json!("<img src=x>");
    let variables = Map::from_iter([
        ("first_name".to_owned(), markup),
        ("portal_url".to_owned(), json!("https://portal.example.com")),
    ]);
    for source in [
        "{{ first_name }}",
        "{{ first_name|safe }}",
        "{{ first_name|safe|trim|upper|safe }}",
        "{{ portal_url ~ first_name }}",
        "{{ portal_url + first_name }}",
        "{{ (portal_url ~ first_name)|safe|trim }}",
        "{{ [portal_url, first_name]|join(portal_url) }}",
        "{{ portal_url|default(first_name) ~ first_name|title }}",
        "{% for c in first_name %}{{ c }}{% endfor %}",
        "{{ ['<b>']|first ~ first_name[:4] }}",
    ] {
        let written = render_part(Part::Html, source, &variables, SENDING).unwrap();
        assert!(!written.contains('<') && written.contains("&lt;"), "{source}: {written}");
    }
    assert_eq!(render_part(Part::Html, "{{ portal_url }}", &variables, SENDING).unwrap(), "https://portal.example.com");
}

#[test]
fn what_holds_nothing_in_some_mails_has_to_be_asked_for() {
    assert_eq!(html("<p>\n{{ reason }}</p>"), [("invalid_template", Some((2, 4)))]);
    assert_eq!(html("{% if reason %}{{ reason }}{% endif %}{{ reason or 'none given' }}"), []);
    assert_eq!(html("{{ reason|default('none given') }}{% if reason is defined %}{{ reason|upper }}{% endif %}"), []);
    for without in ["{{ reason ~ '!' }}", "{{ reason|upper }}", "{% for c in reason %}{% endfor %}"] {
        assert_eq!(html(without).len(), 1, "{without}");
    }
}

#[test]
fn a_mail_that_is_for_a_link_carries_it_whole_in_every_case() {
    let of = |part: Part, source: &str| faults(Event::Invitation, part, source);
    let missing = [("missing_variable", None)];

    assert_eq!(of(Part::Text, "Open {{ link }} now"), []);
    assert_eq!(of(Part::Text, "Open {{ portal_url }}"), missing);
    assert_eq!(of(Part::Text, "({{ link }})"), missing);
    assert_eq!(of(Part::Text, "{{ link|upper }}"), missing);
    assert_eq!(of(Part::Text, "{% if inviter %}{{ link }}{% endif %}"), missing);
    assert_eq!(of(Part::Text, "{% if teams|length != 1 %}{{ link }}{% endif %}"), missing);
    assert_eq!(of(Part::Html, "<p>Welcome</p>"), missing);
    assert_eq!(of(Part::Html, "<a href=\"{{ link|safe }}\">Accept</a>"), []);
    assert_eq!(of(Part::Html, "<!-- {{ link }} -->"), missing);
    assert_eq!(of(Part::Html, "<!-- a --><!-- {{ link }}"), missing);
    assert_eq!(of(Part::Html, "<!-- a --><p>{{ link }}</p><!-- b"), []);
    assert_eq!(of(Part::Html, "<!-- a <!-- b --><p>{{ link }}</p>"), []);
    assert_eq!(of(Part::Html, "<!-- a <!-- {{ link }} -->"), missing);
    assert_eq!(of(Part::Html, "<!--><p>{{ link }}</p>"), []);
    assert_eq!(of(Part::Html, "<!---><p>{{ link }}</p>"), []);
    let of_outlook = "<!--[if mso]><b>Welcome</b><![endif]-->";
    let of_others = "<!--[if !mso]><!--><a href=\"{{ link }}\">Open</a><!--<![endif]-->";
    assert_eq!(of(Part::Html, &format!("{of_outlook}{of_others}")), []);
    assert_eq!(of(Part::Html, "<!--[if mso]><a href=\"{{ link }}\">Open</a><![endif]-->"), missing);
    assert_eq!(of(Part::Html, "{% extends \"layout.html\" %}<p>{{ link }}</p>"), missing);
    assert_eq!(of(Part::Subject, "Welcome, {{ first_name }}"), []);
    assert_eq!(faults(Event::Welcome, Part::Text, "{{ link }}"), [("unknown_variable", Some((1, 4)))]);
}

#[test]
fn a_subject_is_one_short_line() {
    let of = |source: &str| faults(Event::Rejected, Part::Subject, source);

    assert_eq!(of("Your registration\nX-Spam: no"), [("not_one_line", Some((1, 18)))]);
    assert_eq!(of(&"x".repeat(MAX_SUBJECT + 1)), [("too_large", None)]);
    assert_eq!(of(&"x".repeat(MAX_RENDERED_SUBJECT + 1)), [("too_large", None)]);
    assert_eq!(of("{% extends \"layout.txt\" %}"), [("invalid_template", Some((1, 4)))]);
    assert_eq!(of("No, {{ first_name }}"), []);
}
