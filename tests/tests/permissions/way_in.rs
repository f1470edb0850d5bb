//! The functions by which people come in, stay in and leave.

use harness::{CODE, PASSWORD, Sample, SignedIn, email};
use serde_json::{Value, json};
use shared::domain::{
    organisation::Placement,
    user::{Role, Status},
};

use crate::{portal, watched::Watched};

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
