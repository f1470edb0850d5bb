//! What `template.yaml` allows each function is what the function does: nothing is missing, and nothing is allowed that no
//! path of it needs.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::BTreeSet;

use harness::{Bench, CODE, Fate, PASSWORD, Sample, SignedIn, email};
use jiff::SignedDuration;
use local_services::Template;
use serde_json::{Value, json};
use shared::domain::{
    ids::UserId,
    organisation::Placement,
    password::Password,
    user::{Role, Status},
};

mod functions;
mod watched;

use watched::Watched;

async fn portal() -> (Bench, SignedIn) {
    let bench = Bench::new().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    (bench, owner)
}

#[tokio::test]
async fn register_may_do_what_it_does() {
    let (bench, _) = portal().await;
    let mut register = Watched::new("register", &bench);
    let ask = |name: &str, password: Option<&str>| {
        let email = format!("{name}@example.com");
        let body = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace", "password": password});
        Sample::of("register-register").body(&body)
    };
    let confirm = |token: &str, password: &str| {
        Sample::of("register-confirm").body(&json!({"token": token, "password": password}))
    };

    for _ in 0..2 {
        register.send(ask("ada", None), 202).await;
    }
    register.send(Sample::of("register-resend").body(&json!({"email": "ada@example.com"})), 202).await;
    let token = bench.token("ada@example.com").await;
    register.send(confirm(&token, "short"), 422).await;
    register.fail("Cognito.AdminCreateUser");
    register.send(confirm(&token, PASSWORD), 500).await;
    register.send(confirm(&token, PASSWORD), 200).await;
    register.send(confirm(&token, PASSWORD), 410).await;
    register.send(ask("ada", None), 202).await;

    bench.set(|settings| settings.email_confirmation = false).await;
    register.fail("Cognito.AdminSetUserPassword");
    register.send(ask("grace", Some(PASSWORD)), 500).await;
    for _ in 0..2 {
        register.send(ask("grace", Some(PASSWORD)), 202).await;
    }
    bench.set(|settings| settings.owner_notification_addresses = vec![email("desk@example.com")]).await;
    register.send(ask("mary", Some(PASSWORD)), 202).await;
    bench.set(|settings| settings.self_registration = false).await;
    register.send(ask("joan", Some(PASSWORD)), 403).await;

    register.matches_the_template();
}

#[tokio::test]
async fn approve_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut approve = Watched::new("approve", &bench);
    let one = bench.person("one@example.com", Role::TeamMember, Status::Pending).await;
    let other = bench.person("other@example.com", Role::TeamMember, Status::Pending).await;

    for (name, person) in [
        ("approve-approve", &one),
        ("approve-deactivate", &one),
        ("approve-activate", &one),
        ("approve-reject", &other),
        ("approve-reopen", &other),
    ] {
        approve.send(Sample::of(name).by(&owner).id(&person.id), 200).await;
    }
    approve.send(Sample::of("approve-approve").by(&owner).id(&one.id), 409).await;
    let (organisation_id, team_ids) = bench.organisation("Acme", 1).await;
    let place = json!({"organisation_id": organisation_id, "team_ids": [team_ids[1]], "role": "consumer_admin"});
    approve.send(Sample::of("approve-approve").by(&owner).id(&other.id).body(&place), 200).await;

    approve.matches_the_template();
}

#[tokio::test]
async fn login_may_do_what_it_does() {
    let (bench, ada) = portal().await;
    let mut login = Watched::new("login", &bench);
    let attempt =
        |password: &str| Sample::of("login-login").body(&json!({"email": "owner@example.com", "password": password}));
    let token = |name: &str| Sample::of(name).body(&json!({"refresh_token": ada.refresh_token}));
    let forgot = || Sample::of("login-forgot-password").body(&json!({"email": "owner@example.com"}));
    let reset = |token: &str, password: &str| {
        Sample::of("login-reset-password").body(&json!({"token": token, "password": password}))
    };
    let answer = |session: &Value, password: &str| {
        let body = json!({"email": "owner@example.com", "session": session, "new_password": password});
        Sample::of("login-challenge").body(&body)
    };

    login.send(attempt("wrong tractor 42!"), 401).await;
    login.send(attempt(PASSWORD), 200).await;
    login.send(token("login-refresh"), 200).await;
    login.send(token("login-logout").by(&ada), 204).await;
    let ada = bench.sign_in(&ada.user).await;
    login.send(Sample::of("login-logout").by(&ada).raw_body("", "application/json"), 204).await;

    login.send(forgot(), 202).await;
    login.send(reset(&bench.token("owner@example.com").await, "short"), 422).await;
    login.send(reset(&bench.token("owner@example.com").await, "amber tractor 42!"), 200).await;
    bench.overwrite(&ada.user.id, "must_change_password", &json!(true)).await;
    let session = login.send(attempt("amber tractor 42!"), 200).await.body["session"].clone();
    login.send(answer(&session, "amber tractor 42!"), 422).await;
    login.send(answer(&session, PASSWORD), 200).await;

    login.matches_the_template();
}

#[tokio::test]
async fn invite_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut invite = Watched::new("invite", &bench);
    let (organisation_id, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: organisation_id.clone(), team_ids: team_ids.clone() });
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, place).await;
    let admin = bench.sign_in(&admin).await;
    let ask = |caller: &SignedIn, email: &str| {
        let body = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace", "team_ids": [team_ids[1]]});
        Sample::of("invite-create").by(caller).body(&body)
    };
    let of = |name: &str, id: &Value| Sample::of(name).by(&owner).id(id.as_str().unwrap());

    let first = invite.send(ask(&admin, "ada@example.com"), 201).await.body;
    for caller in [&owner, &admin] {
        invite.send(Sample::of("invite-list").by(caller).query(""), 200).await;
    }
    invite.send(of("invite-read", &first["id"]), 200).await;
    invite.send(of("invite-resend", &first["id"]), 202).await;
    let token = bench.token("ada@example.com").await;
    invite.send(Sample::of("invite-preview").body(&json!({"token": token})), 200).await;
    let accept = |password: &str| Sample::of("invite-accept").body(&json!({"token": token, "password": password}));
    invite.send(accept("green sky"), 422).await;
    invite.send(accept(PASSWORD), 200).await;
    for (caller, address) in [(&owner, "mary@example.com"), (&admin, "joan@example.com")] {
        let row = json!({"email": address, "first_name": "A", "last_name": "B", "team_ids": [team_ids[1]]});
        let rows = json!({"rows": [row]});
        invite.send(Sample::of("invite-bulk").by(caller).query("").body(&rows), 200).await;
    }
    let second = invite.send(ask(&admin, "grace@example.com"), 201).await.body;
    invite.send(of("invite-revoke", &second["id"]), 204).await;
    invite.send(of("invite-send", &first["user_id"]), 409).await;
    invite.send(ask(&admin, "owner@example.com"), 201).await;

    invite.matches_the_template();
}

#[tokio::test]
async fn me_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut me = Watched::new("me", &bench);
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

    for person in [&owner, &ada] {
        me.send(Sample::of("me-read").by(person), 200).await;
    }
    let change = |current: &str, new: &str| {
        Sample::of("me-password").by(&ada).body(&json!({"current_password": current, "new_password": new}))
    };
    me.send(change("wrong tractor 42!", "amber tractor 42!"), 401).await;
    me.send(change(PASSWORD, PASSWORD), 422).await;
    me.send(change(PASSWORD, "amber tractor 42!"), 200).await;
    me.send(Sample::of("me-change").by(&owner), 200).await;
    for name in ["me-organisation", "me-export"] {
        me.send(Sample::of(name).by(&owner), 200).await;
    }
    for (person, expected) in [(&bench.signed_in("mary@example.com", Role::TeamMember).await, 204), (&owner, 409)] {
        me.send(Sample::of("me-delete").by(person), expected).await;
    }

    me.matches_the_template();
}

#[tokio::test]
async fn users_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut users = Watched::new("users", &bench);
    let (organisation_id, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: organisation_id.clone(), team_ids: team_ids.clone() });
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, place).await;
    let admin = bench.sign_in(&admin).await;
    let body = json!({
        "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD, "active": true,
        "organisation_id": organisation_id, "team_ids": team_ids,
    });
    let create = || Sample::of("users-create").by(&owner).body(&body);

    let team = format!("team_id={}", team_ids[1]);
    for query in ["", "status=pending", "q=none", &team] {
        users.send(Sample::of("users-list").by(&owner).query(query), 200).await;
    }
    users.send(Sample::of("users-list").by(&admin).query(""), 200).await;
    users.send(Sample::of("users-read").by(&owner).id(&admin.user.id), 200).await;
    let change = json!({"first_name": "Augusta", "role": "team_member", "team_ids": [team_ids[0]]});
    users.send(Sample::of("users-change").by(&owner).id(&admin.user.id).body(&change), 200).await;
    let allow_mail = json!({"mail_status": "ok"});
    users.send(Sample::of("users-change").by(&owner).id(&admin.user.id).body(&allow_mail), 200).await;
    let address = json!({"email": "augusta@example.org"});
    users.send(Sample::of("users-change").by(&owner).id(&admin.user.id).body(&address), 200).await;
    users.send(Sample::of("users-access").by(&owner).id(&admin.user.id), 200).await;
    users.send(Sample::of("users-remove").by(&owner).id(&admin.user.id), 403).await;
    users.fail("Cognito.AdminCreateUser");
    users.send(create(), 500).await;
    users.send(create(), 201).await;
    users.send(create(), 409).await;
    users.send(Sample::of("users-delete").by(&owner).id(&admin.user.id), 204).await;

    users.matches_the_template();
}

#[tokio::test]
async fn organisations_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut organisations = Watched::new("organisations", &bench);

    for (name, expected) in [
        ("organisations-create", 201),
        ("organisations-create-team", 201),
        ("organisations-list", 200),
        ("organisations-read", 200),
        ("organisations-list-teams", 200),
        ("organisations-change", 200),
        ("organisations-change-team", 200),
    ] {
        organisations.send(Sample::of(name).by(&owner), expected).await;
    }
    let (acme, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: acme.clone(), team_ids: team_ids[1..].to_vec() });
    bench.person_at("grace@example.com", Role::TeamMember, Status::Active, place).await;
    let team = Sample::of("organisations-delete-team").by(&owner).id(&acme).team(&team_ids[1]);
    organisations.send(team, 204).await;
    organisations.send(Sample::of("organisations-delete").by(&owner).id(&acme), 204).await;
    bench.set(|settings| settings.organisation_requests = true).await;
    for (action, name) in [("approve", "ada"), ("reject", "joan")] {
        let requester = bench.signed_in(&format!("{name}@example.com"), Role::TeamMember).await;
        let asked = organisations.send(Sample::of("organisations-request").by(&requester), 201).await;
        let decision = Sample::of(&format!("organisations-{action}-request")).by(&owner);
        organisations.send(decision.id(asked.body["id"].as_str().unwrap()), 200).await;
        organisations.send(Sample::of("organisations-list-requests").by(&requester), 200).await;
    }
    let all = || Sample::of("organisations-list-requests").by(&owner);
    organisations.send(all(), 200).await;
    organisations.send(all().query("status=approved"), 200).await;

    organisations.matches_the_template();
}

#[tokio::test]
async fn settings_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut settings = Watched::new("settings", &bench);

    settings.send(Sample::of("settings-read").by(&owner), 200).await;
    settings.send(Sample::of("settings-public"), 200).await;
    let change = json!({"sign_in": false, "owner_notification_addresses": ["desk@example.com"]});
    settings.send(Sample::of("settings-change").by(&owner).body(&change), 200).await;
    settings.send(Sample::of("settings-change-template").by(&owner), 200).await;
    settings.send(Sample::of("settings-reset-template").by(&owner), 204).await;
    for query in ["", "actor=system", "target=usr_1", "action=user.created"] {
        settings.send(Sample::of("settings-audit").by(&owner).query(query), 200).await;
    }
    bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
    settings.send(Sample::of("settings-change").by(&owner).body(&json!({"auto_approve": true})), 200).await;
    for (name, expected) in [("create", 201), ("list", 200), ("read", 200), ("change", 200), ("delete", 204)] {
        settings.send(Sample::of(&format!("settings-attributes-{name}")).by(&owner), expected).await;
    }

    settings.matches_the_template();
}

/// A registration, with its mail in the outbox.
async fn register(bench: &Bench, address: &str) {
    let body = json!({"email": address, "first_name": "Ada", "last_name": "Lovelace"});
    let reply = Sample::of("register-register").body(&body).send(functions::router(bench, "register")).await;
    assert_eq!(reply.status, 202);
}

#[tokio::test]
async fn expire_may_do_what_it_does() {
    let (mut bench, owner) = portal().await;
    bench.mailer.configuration_set = Some("portal".to_owned());
    bench.invite_code(CODE, |code| code.expires_at = Some(code.created_at + SignedDuration::from_hours(1))).await;
    let sample = Sample::of("redeem-code-redeem");
    assert_eq!(sample.send(functions::router(&bench, "redeem-code")).await.status, 202);
    bench.person("mary@example.com", Role::TeamMember, Status::Pending).await;
    // Without a Cognito user, whose address would be told at once.
    let body = json!({"email": "joan@example.com", "first_name": "Joan", "last_name": "Clarke"});
    let joan = Sample::of("users-create").by(&owner).body(&body).send(functions::router(&bench, "users")).await.body;
    let change = Sample::of("users-change").by(&owner).id(joan["id"].as_str().unwrap());
    let change = change.body(&json!({"email": "joan@example.org"}));
    assert_eq!(change.send(functions::router(&bench, "users")).await.status, 200);
    bench.advance(SignedDuration::from_hours(8 * 24));
    register(&bench, "grace@example.com").await;
    let orphan = UserId::new(bench.now(), 7);
    bench.identity.establish(&orphan, &email("nobody@example.com"), &Password::new(PASSWORD)).await.unwrap();
    let left = bench.person("left@example.com", Role::TeamMember, Status::Active).await;
    bench.store.delete_person(&left, None, &bench.origin()).await.unwrap();
    let nobody = UserId::new(bench.now(), 0);
    let (acme, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: acme.clone(), team_ids: team_ids[1..].to_vec() });
    bench.person_at("joan@example.com", Role::TeamMember, Status::Active, place).await;
    let team = bench.store.caller_and_team(&nobody, &acme, &team_ids[1]).await.unwrap().2.unwrap();
    bench.store.delete_team(&team, &bench.origin()).await.unwrap();
    let (other, _) = bench.organisation("Other", 0).await;
    let other = bench.store.caller_and_organisation(&nobody, &other).await.unwrap().1.unwrap();
    bench.store.mark_organisation_deleting(&other, &bench.origin()).await.unwrap();
    bench.advance(SignedDuration::from_hours(1));
    let mut expire = Watched::new("expire", &bench);
    let app = expire::App {
        store: bench.store.clone(),
        identity: bench.identity.clone(),
        mailer: bench.mailer.clone(),
        owns_pool: true,
        clock: bench.clock.clone(),
    };

    let report = expire.watch(Box::pin(expire::handle(&app, None))).await.unwrap();

    assert_eq!((report.organisations_deleted, report.teams_deleted), (1, 1), "{report:?}");
    // The second mail is the owner's own, the third that of who is moved.
    assert_eq!(
        (report.unconfirmed_deleted, report.codes_expired, report.digests_queued, report.mails_sent),
        (1, 1, 1, 3),
        "{report:?}"
    );
    assert_eq!(report.orphans_removed, 1, "{report:?}");
    expire.matches_the_template();
}

#[tokio::test]
async fn deliver_mail_may_do_what_it_does() {
    let (mut bench, _) = portal().await;
    bench.mailer.configuration_set = Some("portal".to_owned());
    register(&bench, "ada@example.com").await;
    let entry = bench.rows_in("OUTBOX#").await.into_iter().find(|row| row["event"] == "confirm_registration").unwrap();
    let mut event = Sample::of("deliver-mail-stream").event();
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["dynamodb"]["Keys"]["pk"] = json!({"S": entry["pk"]});
    let mut deliver_mail = Watched::new("deliver-mail", &bench);
    let app = deliver_mail::App { mailer: bench.mailer.clone(), clock: bench.clock.clone() };

    let event = serde_json::from_value(event).unwrap();
    deliver_mail.watch(Box::pin(deliver_mail::handle(&app, event))).await.unwrap();

    assert_eq!(bench.services.mailbox().list(Some("ada@example.com")).unwrap().len(), 1);
    deliver_mail.matches_the_template();
}

#[tokio::test]
async fn mail_feedback_may_do_what_it_does() {
    let (bench, _) = portal().await;
    register(&bench, "ada@example.com").await;
    let mail = bench.mails("ada@example.com").await.remove(0);
    let mut event = Sample::of("mail-feedback-bounce").event();
    event["Records"][0]["Sns"]["Message"] = json!(harness::feedback(&mail, Fate::Bounce, bench.now()).to_string());
    let mut mail_feedback = Watched::new("mail-feedback", &bench);
    let app = mail_feedback::App { store: bench.store.clone(), clock: bench.clock.clone() };

    let event = serde_json::from_value(event).unwrap();
    mail_feedback.watch(Box::pin(mail_feedback::handle(&app, event))).await.unwrap();

    assert_eq!(bench.rows_in("SUPPRESSED#").await.len(), 1);
    mail_feedback.matches_the_template();
}

#[tokio::test]
async fn bootstrap_may_do_what_it_does() {
    let bench = Bench::without_foundation().await;
    let mut bootstrap = Watched::new("bootstrap", &bench);
    let app = bootstrap::App { store: bench.store.clone(), clock: bench.clock.clone() };

    for name in ["bootstrap-create", "bootstrap-update", "bootstrap-delete"] {
        let request = serde_json::from_value(Sample::of(name).event()).unwrap();
        let answer = bootstrap.watch(Box::pin(bootstrap::answer(&app, request))).await;
        assert!(answer.is_success(), "{name}: {answer:?}");
        // Long enough for the first owner's invitation to have expired before the next.
        bench.advance(SignedDuration::from_hours(8 * 24));
    }

    bootstrap.matches_the_template();
}

#[test]
fn every_function_is_watched() {
    let template = Template::deployed().unwrap();
    let functions: BTreeSet<_> =
        template.of_kind("AWS::Serverless::Function").map(|function| function.logical_id).collect();

    let watched = [
        "Approve",
        "Bootstrap",
        "DeliverMail",
        "Expire",
        "Invite",
        "InviteCodes",
        "Login",
        "MailFeedback",
        "Me",
        "Organisations",
        "RedeemCode",
        "Register",
        "Settings",
        "Users",
    ];
    assert_eq!(functions, watched.map(|name| format!("{name}Function")).iter().map(String::as_str).collect());
}

#[tokio::test]
async fn invite_codes_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut codes = Watched::new("invite-codes", &bench);
    let (_, team_ids) = bench.organisation("Acme", 0).await;
    let body = json!({"team_id": team_ids[0], "code": CODE});

    let create = || Sample::of("invite-codes-create").by(&owner).body(&body);
    codes.send(create(), 201).await;
    codes.send(create(), 409).await;
    for name in ["invite-codes-list", "invite-codes-read", "invite-codes-redemptions", "invite-codes-change"] {
        codes.send(Sample::of(name).by(&owner), 200).await;
    }
    codes.send(Sample::of("invite-codes-delete").by(&owner), 204).await;

    codes.matches_the_template();
}

#[tokio::test]
async fn redeem_code_may_do_what_it_does() {
    let (bench, _) = portal().await;
    let mut redeem = Watched::new("redeem-code", &bench);
    let (organisation_id, team_ids) = bench.organisation("Acme", 0).await;
    let team_id = team_ids[0].clone();
    bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (organisation_id, team_id)).await;
    bench.invite_code("WITH-APPROVAL", |code| code.auto_approve = false).await;
    let ask = |code: &str, name: &str, password: Option<&str>| {
        let email = format!("{name}@example.com");
        let person = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace", "password": password});
        let mut body = person;
        body["code"] = json!(code);
        Sample::of("redeem-code-redeem").body(&body)
    };

    for _ in 0..2 {
        redeem.send(ask(CODE, "ada", None), 202).await;
    }
    redeem.send(ask("NO-SUCH-CODE", "ada", None), 404).await;
    bench.set(|settings| settings.email_confirmation = false).await;
    redeem.fail("Cognito.AdminSetUserPassword");
    redeem.send(ask(CODE, "grace", Some(PASSWORD)), 500).await;
    redeem.send(ask(CODE, "grace", Some(PASSWORD)), 202).await;
    redeem.send(ask("WITH-APPROVAL", "mary", Some(PASSWORD)), 202).await;

    redeem.matches_the_template();
}
