//! What holds of every mail, whatever it says: its link, what is changed of it, and what it must not tell.

use super::{
    tests::{PORTAL, mails, person, settings},
    *,
};

#[test]
fn changed_templates_are_sent_and_one_that_fails_is_replaced_by_the_built_in_one() {
    let entry = mails(&person("Ada")).remove(7).1;
    let changed = |text: &str| MailTemplate {
        subject: "Sorry,\u{7}{{ first_name }}".to_owned(),
        text: text.to_owned(),
        html: "<p>{{ first_name }}</p>".to_owned(),
    };
    let sent = |changed: &MailTemplate| render(&entry, Some(changed), &settings("Example APIs"), PORTAL, None).unwrap();

    let good = sent(&changed("Dear {{ first_name }}: {{ reason }}"));
    assert_eq!((good.subject.as_str(), good.html.as_str()), ("Sorry, Ada", "<p>Ada</p>"));
    assert!(good.text.starts_with("Dear Ada: We know nobody"));
    let built_in = render(&entry, None, &settings("Example APIs"), PORTAL, None).unwrap();
    for broken in ["{{ nothing }}", "{{", "{% for a in reason %}{{ reason }}{% endfor %}{% include 'x' %}"] {
        assert_eq!(sent(&changed(broken)), built_in, "{broken}");
    }
}

#[test]
fn a_link_stands_whole_on_a_line_of_its_own_in_the_text() {
    let token = PlainToken::new([7; 32]);
    for (case, entry) in mails(&person("Ada")) {
        let mail = render(&entry, None, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
        let Some(order) = &entry.link else { continue };
        let link = format!("https://portal.example.com/{}#token={}", order.purpose.page(), token.expose());
        assert!(mail.text.lines().any(|line| line == link), "{case}: {}", mail.text);
        assert!(mail.html.contains(&format!("href=\"{link}\"")), "{case}: {}", mail.html);
    }
}

#[test]
fn markup_in_names_stays_text() {
    let token = PlainToken::new([7; 32]);
    let markup = "<img src=x onerror=alert(1)>";
    for (case, mut entry) in mails(&person(markup)) {
        if entry.event == Event::Invitation {
            for name in ["first_name", "inviter", "organisation"] {
                entry.variables.insert(name.to_owned(), json!(markup));
            }
            entry.variables.insert("teams".to_owned(), json!([markup, markup]));
        }
        let mail = render(&entry, None, &settings("<script>x</script>"), PORTAL, Some(&token)).unwrap();
        assert!(!mail.html.contains("<img") && !mail.html.contains("<script"), "{case}: {}", mail.html);
        if entry.event == Event::Invitation {
            assert_eq!(mail.html.matches("&lt;img").count(), 5, "{case}: {}", mail.html);
        }
    }
}

#[test]
fn mails_that_strangers_can_cause_hold_no_name() {
    let token = PlainToken::new([7; 32]);
    for (case, entry) in mails(&person("Click-here")) {
        if matches!(entry.event, Event::ConfirmRegistration | Event::AlreadyRegistered | Event::ResetPassword) {
            let mail = render(&entry, None, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
            assert!(!mail.text.contains("Click-here"), "{case}");
        }
    }
}

#[test]
fn neither_a_mail_nor_its_entry_is_printed() {
    let token = PlainToken::new([7; 32]);
    for (case, entry) in mails(&person("Ada")) {
        let mail = render(&entry, None, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
        let printed = format!("{mail:?} {entry:?}");
        for secret in [token.expose(), "Ada", "Lovelace", "ada@example.com", "Example APIs"] {
            assert!(!printed.contains(secret), "{case}: {printed}");
        }
        assert!(printed.contains(entry.id.as_str()), "{case}: {printed}");
    }
}

#[test]
fn a_changed_template_that_leaves_the_link_out_of_a_part_gives_way_to_the_built_in_one() {
    let token = PlainToken::new([7; 32]);
    let (_, entry) = mails(&person("Ada")).into_iter().find(|(case, _)| *case == "invitation").unwrap();
    let sent = |changed: Option<&MailTemplate>| {
        render(&entry, changed, &settings("Example APIs"), PORTAL, Some(&token)).unwrap()
    };
    let changed = |text: &str, html: &str| MailTemplate {
        subject: "Come in".to_owned(),
        text: text.to_owned(),
        html: html.to_owned(),
    };
    let unless_ada = "{% if first_name != 'Ada' %}{{ link }}{% endif %}";
    let (text, html) = ("Open {{ link }}", "<a href=\"{{ link }}\">Open</a><!-- changed -->");

    assert_eq!(sent(Some(&changed(text, html))).subject, "Come in");
    for (text, html) in
        [(unless_ada, html), (text, unless_ada), (text, "<!-- {{ link }} -->"), (text, "<!--{{ link }}")]
    {
        assert_eq!(sent(Some(&changed(text, html))), sent(None), "{text} {html}");
    }
}

#[test]
fn a_missing_variable_is_an_error_and_no_gap() {
    let mut without_names = Vec::new();
    for (case, mut entry) in mails(&person("Ada")) {
        if entry.variables.remove("first_name").is_some() {
            let error = render(&entry, None, &settings("Example APIs"), PORTAL, None).unwrap_err();
            assert!(!format!("{error}").contains("Lovelace"), "{case}");
        } else {
            without_names.push(case);
        }
    }
    assert_eq!(
        without_names,
        [
            "confirm_registration",
            "already_registered",
            "already_registered_and_invited",
            "reset_password",
            "pending_digest",
            "pending_digest_of_many",
            "invite_code_low",
            "invite_code_used_up",
            "invite_code_expiring",
        ]
    );
}
