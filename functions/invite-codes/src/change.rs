//! `PATCH /v1/invite-codes/{code}`: changes what is named and leaves the rest.

use axum::{Json, extract::State};
use jiff::Timestamp;
use shared::{
    domain::{
        audit::Actor,
        invite_code::{FoldedCode, HIGHEST_QUOTA, InviteCode, Note},
    },
    http::{
        ETag, Fields, FromFields, IfMatch, Instant, PathId, Payload, Problem, RequestId, Session, boolean, instant,
        integer, text,
    },
    store::CodeChange,
};
use utoipa::ToSchema;

use crate::{
    App,
    view::{CodeBody, find, shown},
};

/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;

/// What is to be changed. What is not named stays as it is; `null` takes a bound away.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(as = ChangeInviteCode)]
#[expect(clippy::option_option, reason = "absent and null are different in a merge")]
pub struct Change {
    /// How many may redeem it.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    quota: Option<Option<u32>>,
    /// When it ends.
    #[schema(value_type = Option<Instant>)]
    expires_at: Option<Option<Timestamp>>,
    /// Whether it lets people in.
    #[schema(nullable = false)]
    active: Option<bool>,
    /// Whether it stands for the approval of whoever redeems it.
    #[schema(nullable = false)]
    auto_approve: Option<bool>,
    /// What API Owners want to know of it.
    #[schema(value_type = Option<Note>)]
    note: Option<Option<Note>>,
}

impl FromFields for Change {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            quota: fields.change("quota", integer(1, HIGHEST_QUOTA)),
            expires_at: fields.change("expires_at", instant),
            active: fields.replace("active", boolean),
            auto_approve: fields.replace("auto_approve", boolean),
            note: fields.change("note", text(Note::parse)),
        })
    }
}

impl Change {
    fn over(self, before: &InviteCode, now: Timestamp) -> InviteCode {
        let after = InviteCode {
            quota: self.quota.unwrap_or(before.quota),
            expires_at: self.expires_at.unwrap_or(before.expires_at),
            active: self.active.unwrap_or(before.active),
            auto_approve: self.auto_approve.unwrap_or(before.auto_approve),
            note: self.note.unwrap_or_else(|| before.note.clone()),
            ..before.clone()
        };
        if after == *before { after } else { InviteCode { updated_at: now, version: before.version + 1, ..after } }
    }
}

/// Why a code stays as it is.
#[derive(Debug)]
pub enum ChangeError {
    /// There is no such code.
    Unknown,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// More people have redeemed it than the quota would let in.
    QuotaBelowUsed(u64),
    /// Others kept changing it at the same time.
    Overtaken,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown => Self::not_found(),
            ChangeError::VersionMismatch => Self::version_mismatch(),
            ChangeError::QuotaBelowUsed(used) => {
                let detail = format!("{used} people have redeemed this code already.");
                Self::conflict("quota-below-used", "Quota below use", detail).member("used", used.into())
            }
            ChangeError::Overtaken => Self::try_again(1),
        }
    }
}

/// Changes a code, with effect for the very next redemption. Two changes at once are made one after the other, unless
/// the caller names the version to start from.
#[utoipa::path(
    patch, path = "/v1/invite-codes/{code}",
    params(("code" = FoldedCode, Path, description = "The code."), IfMatch), request_body = Change,
    responses(
        (status = 200, description = "The code as it stands now.", body = CodeBody),
        (status = 403, description = "`forbidden`: only API Owners manage codes."),
        (status = 409, description = "`quota-below-used`: more people than that have redeemed it; `used` says how many."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    PathId(path): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<CodeBody>), Problem> {
    let (caller, code) = find(&app, &session, &path).await?;
    let mut before = code.ok_or(ChangeError::Unknown)?;
    let change: Change = payload.read()?;
    let now = app.clock.now();
    let origin = request.origin(Actor::User(caller.id), now);
    for _ in 0..MAX_TRIES {
        if !if_match.allows(before.version) {
            return Err(ChangeError::VersionMismatch.into());
        }
        let after = change.clone().over(&before, now);
        if after != before {
            match app.store.change_invite_code(&before, &after, &origin).await? {
                CodeChange::Done => {}
                CodeChange::QuotaBelowUsed(used) => return Err(ChangeError::QuotaBelowUsed(used).into()),
                // Created anew under the same text: that is not the code which the caller wants to change.
                CodeChange::Overtaken(now) if now.id != before.id => return Err(ChangeError::Unknown.into()),
                CodeChange::Overtaken(now) => {
                    before = *now;
                    continue;
                }
                CodeChange::Gone => return Err(ChangeError::Unknown.into()),
            }
        }
        return Ok((ETag(after.version), Json(shown(&app, after, now).await?)));
    }
    Err(ChangeError::Overtaken.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, CODE, Reply, Sample, SignedIn};
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::create::tests::{only_owners, portal, send};

    async fn change(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
        send(bench, Sample::of("invite-codes-change").by(owner).body(body)).await
    }

    async fn audited(bench: &Bench) -> Vec<Value> {
        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["action"] == "invite_code.changed");
        events
    }

    #[tokio::test]
    async fn what_is_named_changes_and_the_rest_stays() {
        let (bench, owner) = portal().await;
        let code = bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(5), 3)).await;
        let body = json!({
            "quota": 3, "expires_at": "2026-03-01T00:00:00Z", "active": false, "auto_approve": false, "note": "Closed",
        });

        let reply = change(&bench, &owner, &body).await;

        assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"2\"")));
        let expected = InviteCode {
            quota: Some(3),
            expires_at: Some("2026-03-01T00:00:00Z".parse().unwrap()),
            active: false,
            auto_approve: false,
            note: Some(Note::parse("Closed").unwrap()),
            updated_at: bench.now(),
            version: 2,
            ..code
        };
        assert_eq!(bench.code(CODE).await.unwrap(), expected);
        let read = send(&bench, Sample::of("invite-codes-read").by(&owner)).await;
        assert_eq!((read.body, &read.headers["etag"]), (reply.body, &json!("\"2\"")));
        let events = audited(&bench).await;
        assert_eq!(events[0]["changed"], json!(["quota", "expires_at", "active", "auto_approve", "note"]));
        let before = json!({"quota": 5, "expires_at": null, "active": true, "auto_approve": true});
        assert_eq!((&events[0]["before"], events[0]["after"]["note"].is_null()), (&before, true));
    }

    #[tokio::test]
    async fn null_clears_what_need_not_be_there_and_nothing_else() {
        let (bench, owner) = portal().await;
        let until = bench.now() + SignedDuration::from_hours(1);
        bench
            .invite_code(CODE, |code| {
                (code.quota, code.expires_at, code.note) = (Some(5), Some(until), Note::parse("x").ok());
            })
            .await;

        let reply = change(&bench, &owner, &json!({"quota": null, "expires_at": null, "note": null})).await;
        let refused = change(&bench, &owner, &json!({"active": null, "auto_approve": null})).await;

        let body = &reply.body;
        assert_eq!(
            (&body["quota"], &body["remaining"], &body["expires_at"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        let row = bench.rows_in("CODE#").await.remove(0);
        for name in ["quota", "expires_at", "note", "queue_pk", "queue_sk"] {
            assert!(row[name].is_null(), "{name}");
        }
        assert_eq!(refused.faults(), [("/active", "required"), ("/auto_approve", "required")]);
    }

    #[tokio::test]
    async fn what_changes_nothing_writes_nothing() {
        let (bench, owner) = portal().await;
        let code = bench.invite_code(CODE, |_| {}).await;
        for body in [json!({}), json!({"active": true, "quota": null})] {
            let reply = change(&bench, &owner, &body).await;
            assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"1\"")));
        }

        assert_eq!((bench.code(CODE).await, audited(&bench).await.len()), (Some(code), 0));
    }

    #[tokio::test]
    async fn a_quota_is_raised_at_once_and_never_lowered_below_what_is_used() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(5), 5)).await;

        let lower = change(&bench, &owner, &json!({"quota": 4})).await;
        let raised = change(&bench, &owner, &json!({"quota": 6})).await;

        assert_eq!((lower.status, lower.problem(), &lower.body["used"]), (409, "quota-below-used", &json!(5)));
        assert_eq!(
            (raised.status, &raised.body["state"], &raised.body["remaining"]),
            (200, &json!("usable"), &json!(1))
        );
    }

    #[tokio::test]
    async fn a_slot_taken_between_read_and_write_counts_against_the_new_quota() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(9), 5)).await;
        let redeemed = bench.overwrite_code(CODE, "used", &json!(6));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", redeemed);

        let reply = change(&bench, &owner, &json!({"quota": 5})).await;

        assert_eq!((reply.problem(), &reply.body["used"]), ("quota-below-used", &json!(6)));
        assert_eq!(bench.code(CODE).await.unwrap().quota, Some(9));
    }

    #[tokio::test]
    async fn a_change_never_writes_how_many_redeemed_a_code() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(9), 5)).await;
        let redeemed = bench.overwrite_code(CODE, "used", &json!(6));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", redeemed);

        assert_eq!(change(&bench, &owner, &json!({"active": false})).await.status, 200);

        assert_eq!(bench.used(CODE).await, 6);
    }

    #[tokio::test]
    async fn two_changes_at_once_are_made_one_after_the_other() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        let meanwhile = bench.change_code(CODE, |code| code.active = false);
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = change(&bench, &owner, &json!({"quota": 7})).await;

        assert_eq!(
            (reply.status, &reply.body["active"], &reply.headers["etag"]),
            (200, &json!(false), &json!("\"3\""))
        );
        let code = bench.code(CODE).await.unwrap();
        assert_eq!((code.active, code.quota, code.version), (false, Some(7), 3));
    }

    #[tokio::test]
    async fn a_named_version_is_held_to_also_where_others_change_it_meanwhile() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        let with =
            |tag| Sample::of("invite-codes-change").by(&owner).body(&json!({"quota": 7})).header("if-match", tag);
        let stale = send(&bench, with("\"2\"")).await;
        let meanwhile = bench.change_code(CODE, |code| code.active = false);
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
        let overtaken = send(&bench, with("\"1\"")).await;

        for reply in [stale, overtaken] {
            assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"));
        }
        assert_eq!(bench.code(CODE).await.unwrap().quota, None);
        assert_eq!(send(&bench, with("\"2\"")).await.status, 200);
    }

    #[tokio::test]
    async fn a_code_that_keeps_changing_is_told_in_the_end() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        for version in 2..7 {
            let changed = bench.overwrite_code(CODE, "version", &json!(version));
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", changed);
        }

        let reply = change(&bench, &owner, &json!({"quota": 7})).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    }

    #[tokio::test]
    async fn a_code_deleted_or_created_anew_meanwhile_is_not_found() {
        for anew in [false, true] {
            let (bench, owner) = portal().await;
            let code = bench.invite_code(CODE, |_| {}).await;
            let bench = std::sync::Arc::new(bench);
            let (gone, then) = (bench.delete_code(&code), bench.clone());
            let meanwhile = async move {
                gone.await;
                if anew {
                    then.invite_code(CODE, |code| code.version = 7).await;
                }
            };
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

            assert_eq!(change(&bench, &owner, &json!({"quota": 7})).await.problem(), "not-found");
            assert_eq!(bench.code(CODE).await.and_then(|code| code.quota), None);
        }
    }

    #[tokio::test]
    async fn an_expiry_may_lie_in_the_past_and_ends_the_code_at_once() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;

        let reply = change(&bench, &owner, &json!({"expires_at": "2026-01-01T00:00:00Z"})).await;

        assert_eq!((reply.status, &reply.body["state"]), (200, &json!("expired")));
        assert_eq!(bench.store.expiring_codes(bench.now(), None, 10).await.unwrap().rows.len(), 1);
    }

    #[tokio::test]
    async fn values_have_bounds_and_the_rest_cannot_be_changed() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        let body = json!({
            "quota": 0, "expires_at": "soon", "active": 1, "note": "\u{7}", "team_id": "x", "code": "ANOTHER-ONE",
            "allowed_email_domains": [],
        });

        let mut faults = change(&bench, &owner, &body).await;
        faults.body["errors"].as_array_mut().unwrap().sort_by_key(|fault| fault["pointer"].to_string());

        let expected = [
            ("/active", "not_a_boolean"),
            ("/allowed_email_domains", "unknown_field"),
            ("/code", "unknown_field"),
            ("/expires_at", "invalid_instant"),
            ("/note", "invalid_note"),
            ("/quota", "out_of_range"),
            ("/team_id", "unknown_field"),
        ];
        assert_eq!(faults.faults(), expected);
    }

    #[tokio::test]
    async fn only_owners_change_codes() {
        let (bench, owner) = portal().await;
        let code = bench.invite_code(CODE, |_| {}).await;

        only_owners(&bench, &owner, "invite-codes-change").await;

        assert_eq!(bench.code(CODE).await, Some(code));
    }
}
