//! What many invitations at once are decided from, read together.

use super::{
    Asked, Surroundings,
    invite::{around, placed_in, surroundings_in},
};
use crate::{
    domain::{
        email::Email,
        ids::{OrganisationId, TeamId},
        organisation::Organisation,
        rights,
        user::User,
    },
    store::{Places, Placing, Store, StoreError, fetch::Fetched, keys::Key, rows::Sentinel},
};

/// The rows behind many invitations.
#[derive(Debug)]
pub struct BulkFacts {
    fetched: Fetched,
}

impl BulkFacts {
    /// The account behind an address that is asked for, if there is one.
    pub fn known(&self, email: &Email) -> Result<Option<Sentinel>, StoreError> {
        self.fetched.get(&Key::email(email))
    }

    /// Where an API Owner's invitation leads, with the names of the place.
    pub fn placed(&self, asked: &Asked) -> Result<(Placing, Places), StoreError> {
        placed_in(&self.fetched, asked)
    }

    /// A Consumer Admin's surroundings.
    pub fn surroundings(&self, caller: &User, email: &Email) -> Result<Surroundings, StoreError> {
        surroundings_in(&self.fetched, caller, email, self.known(email)?.as_ref())
    }
}

impl Store {
    /// Reads all that the invitations need for which `caller` asks: each row once, in batches of a hundred, addresses and
    /// named places first, then what these lead to.
    pub async fn bulk_facts(&self, caller: &User, asked: &[Asked]) -> Result<BulkFacts, StoreError> {
        let mut keys: Vec<_> = asked.iter().map(|asked| Key::email(&asked.email)).collect();
        let anywhere = rights::invites_without_bounds(caller);
        if anywhere {
            let organisations = asked.iter().filter_map(|asked| asked.organisation_id.as_ref());
            keys.extend(organisations.map(Key::organisation));
            keys.extend(asked.iter().flat_map(|asked| &asked.team_ids).map(Key::team));
            keys.push(Key::organisation(&OrganisationId::default_organisation()));
            keys.push(Key::team(&TeamId::default_team()));
        }
        let mut fetched = self.db.fetch(keys).await?;
        let mut further = Vec::new();
        for asked in asked {
            if !anywhere {
                let known = fetched.get(&Key::email(&asked.email))?;
                further.extend(around(caller, &asked.email, known.as_ref()));
            } else if let Some(id) = asked.organisation_id.as_ref().filter(|_| asked.team_ids.is_empty()) {
                let organisation: Option<Organisation> = fetched.get(&Key::organisation(id))?;
                further.extend(organisation.map(|organisation| Key::team(&organisation.default_team_id)));
            }
        }
        further.retain(|key| !fetched.has(key));
        fetched.extend(self.db.fetch(further).await?);
        Ok(BulkFacts { fetched })
    }
}
