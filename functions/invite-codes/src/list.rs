//! `GET /v1/invite-codes`: the codes, in the order in which they were created.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        invite_code::CodeState,
        rights::{Action, decide},
    },
    http::{PageBody, Paging, Parameters, Problem, Session, admit},
};

use crate::{App, view::CodeBody};

/// Lists codes. What state a code is in is found out when it is read, so a page by `state` may be short.
#[utoipa::path(
    get, path = "/v1/invite-codes",
    params(("state" = Option<CodeState>, Query, description = "Only codes in this state."), Paging),
    responses(
        (status = 200, description = "A page.", body = PageBody<CodeBody>),
        (status = 403, description = "`forbidden`: only API Owners manage codes."),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    mut parameters: Parameters,
) -> Result<PageBody<CodeBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ManageInviteCodes)?;
    let state = parameters.optional("state", state);
    let listing = parameters.listing(&format!("codes {state:?} of {}", caller.id))?;
    let page = app.store.invite_codes(listing.after.as_deref(), listing.limit).await?;
    let now = app.clock.now();
    let codes = page.codes.into_iter().map(|code| CodeBody::new(code, &page.places, now));
    let codes = codes.filter(|code| state.is_none_or(|state| code.state() == state));
    Ok(listing.page(codes.collect(), page.next))
}

fn state(word: &str) -> Result<CodeState, Fault> {
    CodeState::parse(word).ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values."))
}

#[cfg(test)]
mod tests {
    use harness::{Reply, Sample};
    use jiff::SignedDuration;

    use crate::create::tests::{only_owners, portal, send};

    fn codes(reply: &Reply) -> Vec<&str> {
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["items"].as_array().unwrap().iter().map(|code| code["code"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn codes_are_listed_as_they_were_created_and_by_state() {
        let (bench, owner) = portal().await;
        let now = bench.now();
        let names = ["USABLE-ONE", "INACTIVE-ONE", "EXPIRED-ONE", "EXHAUSTED-ONE"];
        for name in names {
            bench
                .invite_code(name, |code| match name {
                    "INACTIVE-ONE" => code.active = false,
                    "EXPIRED-ONE" => code.expires_at = Some(now),
                    "EXHAUSTED-ONE" => (code.quota, code.used) = (Some(1), 1),
                    _ => {}
                })
                .await;
            bench.advance(SignedDuration::from_millis(1));
        }
        let list = async |query: &str| send(&bench, Sample::of("invite-codes-list").by(&owner).query(query)).await;

        assert_eq!(codes(&list("").await), names);
        for (state, name) in ["usable", "inactive", "expired", "exhausted"].into_iter().zip(names) {
            assert_eq!(codes(&list(&format!("state={state}")).await), [name]);
        }
        assert_eq!(list("state=open").await.faults(), [("/state", "unknown_choice")]);
    }

    #[tokio::test]
    async fn pages_go_on_until_the_end_and_forget_nobody() {
        let (bench, owner) = portal().await;
        for number in 0..7 {
            bench.invite_code(&format!("NUMBER-{number}"), |code| code.active = number % 2 == 0).await;
            bench.advance(SignedDuration::from_millis(1));
        }
        let (mut seen, mut query) = (Vec::new(), "limit=3&state=usable".to_owned());

        let pages = loop {
            let reply = send(&bench, Sample::of("invite-codes-list").by(&owner).query(&query)).await;
            seen.extend(codes(&reply).into_iter().map(str::to_owned));
            match reply.body["next_cursor"].as_str() {
                Some(cursor) => query = format!("limit=3&state=usable&cursor={cursor}"),
                None => break seen.len(),
            }
        };

        assert_eq!((pages, seen), (4, ["0", "2", "4", "6"].map(|number| format!("NUMBER-{number}")).to_vec()));
    }

    #[tokio::test]
    async fn a_page_is_the_caller_a_query_and_two_batches() {
        let (bench, owner) = portal().await;
        for number in 0..30 {
            bench.invite_code(&format!("NUMBER-{number:02}"), |_| {}).await;
        }

        let (reply, calls) = bench.calls(send(&bench, Sample::of("invite-codes-list").by(&owner))).await;

        assert_eq!(codes(&reply).len(), 25);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let batch = "DynamoDB.BatchGetItem";
        assert_eq!(operations, [batch, "DynamoDB.Query", batch, batch]);
    }

    #[tokio::test]
    async fn only_owners_list_codes() {
        let (bench, owner) = portal().await;

        only_owners(&bench, &owner, "invite-codes-list").await;
    }
}
