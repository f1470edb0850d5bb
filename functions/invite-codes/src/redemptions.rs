//! `GET /v1/invite-codes/{code}/redemptions`: who came in by a code.

use axum::extract::State;
use serde::Serialize;
use shared::{
    domain::{
        email::Email,
        ids::UserId,
        invite_code::FoldedCode,
        name::Name,
        user::{Status, User},
    },
    http::{Instant, PageBody, Paging, Parameters, PathId, Problem, Session},
    store::Listed,
};
use utoipa::ToSchema;

use crate::{App, view::find};

/// Why redemptions are not shown.
#[derive(Debug)]
pub enum RedemptionsError {
    /// There is no such code.
    Unknown,
}

impl From<RedemptionsError> for Problem {
    fn from(error: RedemptionsError) -> Self {
        match error {
            RedemptionsError::Unknown => Self::not_found(),
        }
    }
}

/// A slot that somebody has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redemption)]
pub struct RedemptionBody {
    user: PersonBody,
    redeemed_at: Instant,
    confirmed_at: Option<Instant>,
}

/// Who has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redeemer)]
struct PersonBody {
    id: UserId,
    email: Email,
    first_name: Name,
    last_name: Name,
    status: Status,
}

impl From<User> for RedemptionBody {
    fn from(user: User) -> Self {
        Self {
            redeemed_at: Instant(user.created_at),
            confirmed_at: user.redemption.and_then(|redemption| redemption.confirmed_at).map(Instant),
            user: PersonBody {
                id: user.id,
                email: user.email,
                first_name: user.first_name,
                last_name: user.last_name,
                status: user.status,
            },
        }
    }
}

/// Lists who redeemed a code, the first first. Who was deleted since is not in it.
#[utoipa::path(
    get, path = "/v1/invite-codes/{code}/redemptions",
    params(("code" = FoldedCode, Path, description = "The code."), Paging),
    responses(
        (status = 200, description = "A page.", body = PageBody<RedemptionBody>),
        (status = 403, description = "`forbidden`: only API Owners manage codes."),
    ),
)]
pub async fn redemptions(
    State(app): State<App>,
    session: Session,
    PathId(path): PathId,
    parameters: Parameters,
) -> Result<PageBody<RedemptionBody>, Problem> {
    let (caller, code) = find(&app, &session, &path).await?;
    let code = code.ok_or(RedemptionsError::Unknown)?;
    let listing = parameters.listing(&format!("redemptions of {} for {}", code.id, caller.id))?;
    let Listed { rows, next } = app.store.redemptions(&code.id, listing.after.as_deref(), listing.limit).await?;
    Ok(listing.page(rows.into_iter().map(RedemptionBody::from).collect(), next))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, CODE, Sample, SignedIn, email};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::{
        domain::{
            organisation::Placement,
            user::{Source, Start},
        },
        http::Applicant,
        store::Redeemed,
    };

    use super::*;
    use crate::create::tests::{only_owners, portal, send};

    /// Redeems the code as `redeem-code` does.
    async fn redeem(bench: &Bench, address: &str) -> User {
        bench.advance(SignedDuration::from_millis(1));
        let (first_name, last_name) = (Name::given("Ada"), Name::given("Lovelace"));
        let applicant = Applicant {
            email: email(address),
            first_name,
            last_name,
            password: None,
            attributes: serde_json::Map::new(),
        };
        let start = Start::As(Status::Unconfirmed);
        let new = applicant.team_member(Placement::default_place(), Source::InviteCode, start);
        let code = bench.code(CODE).await.unwrap();
        let redeemed = bench.store.redeem(&code, new, &bench.origin()).await.unwrap();
        let Redeemed::New(user) = redeemed else { panic!("{redeemed:?}") };
        *user
    }

    async fn list(bench: &Bench, owner: &SignedIn, query: &str) -> Value {
        let reply = send(bench, Sample::of("invite-codes-redemptions").by(owner).query(query)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    #[tokio::test]
    async fn who_redeemed_a_code_is_listed_in_that_order() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        let ada = redeem(&bench, "ada@example.com").await;
        let grace = redeem(&bench, "grace@example.com").await;

        let body = list(&bench, &owner, "").await;

        let shown = |user: &User, email: &str| {
            json!({
                "user": {"id": user.id, "email": email, "first_name": "Ada", "last_name": "Lovelace", "status": "unconfirmed"},
                "redeemed_at": user.created_at, "confirmed_at": null,
            })
        };
        assert_eq!(body["items"][0], shown(&ada, "ada@example.com"));
        assert_eq!(body["items"][1], shown(&grace, "grace@example.com"));
        assert_eq!((body["items"].as_array().unwrap().len(), &body["next_cursor"]), (2, &Value::Null));
    }

    #[tokio::test]
    async fn a_code_created_anew_has_its_own_people_and_the_deleted_are_not_shown() {
        let (bench, owner) = portal().await;
        let code = bench.invite_code(CODE, |_| {}).await;
        redeem(&bench, "ada@example.com").await;
        bench.delete_code(&bench.code(CODE).await.unwrap()).await;
        assert!(bench.code(CODE).await.is_none());
        bench.invite_code(CODE, |_| {}).await;
        assert_ne!(bench.code(CODE).await.unwrap().id, code.id);
        let grace = redeem(&bench, "grace@example.com").await;

        assert_eq!(list(&bench, &owner, "").await["items"][0]["user"]["id"], json!(grace.id));
        bench.erase(&grace.id).await;
        assert_eq!(list(&bench, &owner, "").await["items"], json!([]));
    }

    #[tokio::test]
    async fn pages_go_on_and_a_cursor_fits_its_code_alone() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        bench.invite_code("ANOTHER-CODE", |_| {}).await;
        for number in 0..3 {
            redeem(&bench, &format!("person-{number}@example.com")).await;
        }

        let first = list(&bench, &owner, "limit=2").await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = list(&bench, &owner, &format!("limit=2&cursor={cursor}")).await;

        assert_eq!(first["items"].as_array().unwrap().len(), 2);
        assert_eq!(second["items"][0]["user"]["email"], "person-2@example.com");
        assert_eq!(second["next_cursor"], Value::Null);
        let other = Sample::of("invite-codes-redemptions").code("ANOTHER-CODE").by(&owner);
        let reply = send(&bench, other.query(&format!("cursor={cursor}"))).await;
        assert_eq!(reply.faults(), [("/cursor", "invalid_cursor")]);
    }

    #[tokio::test]
    async fn a_page_is_a_batch_a_query_and_a_batch() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        redeem(&bench, "ada@example.com").await;

        let (_, calls) = bench.calls(list(&bench, &owner, "")).await;

        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.Query", "DynamoDB.BatchGetItem"]);
    }

    #[tokio::test]
    async fn an_unknown_code_is_not_found_and_only_owners_look() {
        let (bench, owner) = portal().await;

        let reply = send(&bench, Sample::of("invite-codes-redemptions").by(&owner)).await;

        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        only_owners(&bench, &owner, "invite-codes-redemptions").await;
    }
}
