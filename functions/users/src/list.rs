//! `GET /v1/users`: the people whom the caller may see, the caller included.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        ids::{OrganisationId, TeamId},
        rights::{Action, decide},
        user::{Role, Status},
    },
    http::{ListedPerson, PageBody, Parameters, Problem, Session, admit},
    store::Filter,
};

use crate::App;

/// Lists people: everybody for API Owners (`status=pending` is the queue, the longest waiting first), the people of
/// shared teams for consumers.
pub async fn list(
    State(app): State<App>,
    session: Session,
    mut parameters: Parameters,
) -> Result<PageBody<ListedPerson>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ListPeople)?;
    let filter = Filter {
        status: parameters.optional("status", word(Status::parse)),
        role: parameters.optional("role", word(Role::parse)),
        organisation_id: parameters.optional("organisation_id", word(OrganisationId::parse)),
        team_id: parameters.optional("team_id", word(TeamId::parse)),
    };
    let listing = parameters.listing(&format!("people {filter:?} of {}", caller.id))?;
    let after = listing.after.as_deref();
    let page = if caller.role == Role::ApiOwner {
        app.store.everybody(&filter, after, listing.limit).await?
    } else {
        app.store.people_of(&caller, &filter, after, listing.limit).await?
    };
    let people = page.people.into_iter().map(|person| ListedPerson::new(&caller, person, &page.places));
    Ok(listing.page(people.collect(), page.next))
}

fn word<T>(parse: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&str) -> Result<T, Fault> {
    |text| parse(text).ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values."))
}
