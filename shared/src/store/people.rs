//! Finding people: one, the owners' lists over everybody, and the consumers' over their teams.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Db, Places, Store, StoreError,
    db::read,
    keys::{self, Key, Table},
    query::{Found, Listed, text},
};
use crate::domain::{
    attribute::Definitions,
    ids::{OrganisationId, TeamId, UserId},
    rights,
    search::Beginning,
    settings::Settings,
    user::{Role, Status, User},
};

/// Which people are asked for; `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub status: Option<Status>,
    /// With this role.
    pub role: Option<Role>,
    /// In this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// In this team.
    pub team_id: Option<TeamId>,
    /// With an address or a name that begins so.
    pub beginning: Option<Beginning>,
}

impl Filter {
    fn fits(&self, user: &User) -> bool {
        self.status.is_none_or(|status| user.status == status)
            && self.role.is_none_or(|role| user.role == role)
            && self.organisation_id.as_ref().is_none_or(|id| user.organisation_id.as_ref() == Some(id))
            && self.team_id.as_ref().is_none_or(|id| user.team_ids.contains(id))
            && self.beginning.as_ref().is_none_or(|beginning| beginning.found_in(user).is_some())
    }
}

/// Some of the people asked for, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The people, in the order of the list.
    pub people: Vec<User>,
    /// The names of their places, and what attributes there are.
    pub places: Places,
    /// The position after which the next page starts; `None` at the end. Says nothing but ids and instants,
    /// and in a search by whose folded value it goes on.
    pub next: Option<String>,
}

/// Some of those who wait for approval.
#[derive(Debug)]
pub struct Waiting {
    /// The portal's settings.
    pub settings: Settings,
    /// The people.
    pub people: Listed<Result<User, StoreError>>,
}

/// What an index or a membership tells of a person before their row is read.
#[derive(Debug, Deserialize)]
pub(super) struct Hint {
    pk: String,
    sk: String,
    list_sk: Option<String>,
    queue_sk: Option<String>,
    organisation_id: Option<OrganisationId>,
    #[serde(default)]
    team_ids: Vec<TeamId>,
    team_id: Option<TeamId>,
}

impl Hint {
    pub(super) fn user_id(&self) -> Result<UserId, StoreError> {
        let text = self.sk.strip_prefix(keys::MEMBERSHIP_PREFIX).or_else(|| self.pk.strip_prefix("USER#"));
        text.and_then(UserId::parse)
            .ok_or_else(|| StoreError::Corrupt { key: self.pk.clone(), reason: "no user id in the key".to_owned() })
    }

    fn position(&self) -> Option<String> {
        self.queue_sk.clone().or_else(|| self.list_sk.clone()).or_else(|| Some(self.sk.clone()))
    }
}

impl Store {
    /// Reads one person.
    pub async fn person(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.db.fetch([Key::user(id)]).await?.get(&Key::user(id))
    }

    /// Reads one person in one batch with what attributes there are, to be shown to themselves.
    pub async fn person_and_attributes(&self, id: &UserId) -> Result<(Option<User>, Definitions), StoreError> {
        let fetched = self.db.fetch([Key::user(id), Key::attributes()]).await?;
        Ok((fetched.get(&Key::user(id))?, fetched.attributes()?))
    }

    /// A page over everybody: by status the longest in it first, otherwise in the order in which they came in; where a
    /// beginning is asked for, by the field in which it was found.
    ///
    /// One query and one batch, and one more where an index does not know of a place: people of a team who are in
    /// others too. The index may lag behind, the rows shown do not.
    pub async fn everybody(&self, filter: &Filter, after: Option<&str>, limit: u16) -> Result<Page, StoreError> {
        if let Some(beginning) = &filter.beginning {
            return self.found(beginning, filter, after, limit).await;
        }
        let query = match (&filter.team_id, filter.status) {
            (Some(team), _) => self.db.members(team, after),
            (None, Some(status)) => self.db.behind("Queues", "queue", &keys::people_in(status), after),
            (None, None) => self.db.behind("Lists", "list", keys::ALL_PEOPLE, after),
        };
        let narrow = filter.team_id.is_none();
        let query = if narrow { narrowed(query, filter) } else { query };
        let output = self.db.query(query.limit(i32::from(limit))).await?;
        let hints: Vec<Hint> = output.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        let next = match output.last_evaluated_key {
            Some(key) => read::<Hint>(key)?.position(),
            None => None,
        };
        let mut page = self.page(&hints, filter, next).await?;
        self.complete_places(&mut page.places, &page.people).await?;
        Ok(page)
    }

    /// A page over the people of the caller's teams, each once, in the order in which they came in.
    ///
    /// One query per team, strongly consistent, and one batch.
    pub async fn people_of(
        &self,
        caller: &User,
        filter: &Filter,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page, StoreError> {
        let mut hints = BTreeMap::new();
        let mut more = false;
        for team in caller.team_ids.iter().filter(|team| rights::makes_visible(team)) {
            if filter.team_id.as_ref().is_some_and(|wanted| wanted != team) {
                continue;
            }
            let output = self.db.query(self.db.members(team, after).limit(i32::from(limit))).await?;
            more |= output.last_evaluated_key.is_some();
            for item in output.items.unwrap_or_default() {
                // Only the caller's own teams are shown, so these are all the names that the page needs.
                let hint = Hint { team_ids: caller.team_ids.clone(), ..read(item)? };
                hints.insert(hint.sk.clone(), hint);
            }
        }
        let own = keys::membership_sort_key(&caller.id);
        if hints.is_empty() && after.is_none() && filter.fits(caller) && !more {
            let pk = Key::user(&caller.id).pk;
            let hint = Hint {
                pk,
                sk: own.clone(),
                list_sk: None,
                queue_sk: None,
                organisation_id: caller.organisation_id.clone(),
                team_ids: caller.team_ids.clone(),
                team_id: None,
            };
            hints.insert(own, hint);
        }
        more |= hints.len() > usize::from(limit);
        let hints: Vec<Hint> = hints.into_values().take(usize::from(limit)).collect();
        let next = hints.last().filter(|_| more).map(|hint| hint.sk.clone());
        let mut page = self.page(&hints, filter, next).await?;
        page.people.retain(|person| rights::sees(caller, person));
        Ok(page)
    }

    /// Reads the rows behind `hints` with the names of the places that they tell of.
    pub(super) async fn page(&self, hints: &[Hint], filter: &Filter, next: Option<String>) -> Result<Page, StoreError> {
        let ids: Vec<UserId> = hints.iter().map(Hint::user_id).collect::<Result<_, _>>()?;
        let organisations: Vec<_> = hints.iter().filter_map(|hint| hint.organisation_id.as_ref()).collect();
        let teams: Vec<_> = hints.iter().flat_map(|hint| hint.team_ids.iter().chain(&hint.team_id)).collect();
        let places = organisations.iter().map(|id| Key::organisation(id)).chain(teams.iter().map(|id| Key::team(id)));
        let keys = ids.iter().map(Key::user).chain(places).chain([Key::attributes()]);
        let fetched = self.db.fetch(keys).await?;
        let places = Places::of(&fetched, organisations, teams)?;
        let mut people = Vec::new();
        for id in &ids {
            // Who was deleted since the query, or left the state that was asked for, is not shown.
            people.extend(fetched.get::<User>(&Key::user(id))?.filter(|user| filter.fits(user)));
        }
        Ok(Page { people, places, next })
    }
}

/// Lets the index leave out who does not fit, as far as it knows.
fn narrowed(query: QueryFluentBuilder, filter: &Filter) -> QueryFluentBuilder {
    let mut conditions = Vec::new();
    let mut query = query;
    if let Some(role) = filter.role {
        conditions.push("#role = :role");
        query =
            query.expression_attribute_names("#role", "role").expression_attribute_values(":role", text(role.as_str()));
    }
    if let Some(id) = &filter.organisation_id {
        conditions.push("organisation_id = :organisation_id");
        query = query.expression_attribute_values(":organisation_id", text(id.as_str()));
    }
    if conditions.is_empty() { query } else { query.filter_expression(conditions.join(" AND ")) }
}

impl Db {
    /// The memberships of a team behind position `after`, strongly consistent; a position before them is their start,
    /// not the team's own row.
    fn members(&self, team: &TeamId, after: Option<&str>) -> QueryFluentBuilder {
        self.partition(Table::Portal, &keys::team_partition(team))
            .key_condition_expression("pk = :pk AND sk > :after")
            .expression_attribute_values(":after", text(after.unwrap_or_default().max(keys::MEMBERSHIP_PREFIX)))
    }
}

impl Store {
    /// A page of the people who have been in `status` since before `before`, the longest first, at most `most`.
    /// A row that cannot be read stands for itself alone.
    pub async fn people_since(
        &self,
        status: Status,
        before: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<User, StoreError>>, StoreError> {
        self.db.due(&keys::people_in(status), after, &keys::before(before), most).await
    }

    /// A page of the people who wait for approval behind position `after`, the longest first, with the settings as they are
    /// at the same moment: who goes on by what it says stops where they are changed back.
    ///
    /// One query and one batch. A row that cannot be read stands for itself alone.
    pub async fn waiting(&self, after: Option<&str>, most: u16) -> Result<Waiting, StoreError> {
        let queue = keys::people_in(Status::Pending);
        let (found, next) = self.db.queued(&queue, after, &keys::before(Timestamp::MAX), most).await?;
        let fetched = self.db.fetch(found.iter().map(Found::key).chain([Key::settings()])).await?;
        let rows = found.iter().filter_map(|found| fetched.get(&found.key()).transpose()).collect();
        Ok(Waiting { settings: fetched.settings()?, people: Listed { rows, next } })
    }
}
