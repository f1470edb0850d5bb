//! What is kept about a person beside their row: invitations of their address, their requests for an organisation, and
//! mails that hold their name or go to them. The index `About` of either table finds it, for an export and for the end of
//! the account.

use serde::Deserialize;

use super::{
    Places, Store, StoreError,
    change::Change,
    db::read,
    invitations::places_elsewhere,
    keys::{Key, Table},
    organisation_requests::removal_of,
    transaction::Transaction,
};
use crate::{
    domain::{
        ids::UserId, invitation::Invitation, login_attempts::LoginAttempts, organisation_request::OrganisationRequest,
        user::User,
    },
    mail::OutboxEntry,
};

/// The most items of a table that one reading takes.
const MOST: u16 = 300;
/// How many mails are removed in one transaction.
const AT_ONCE: usize = 50;

/// What is kept about a person beside their row.
#[derive(Debug, Default)]
pub struct KeptAbout {
    /// Invitations of their address, also those that only told their inviter nothing.
    pub invitations: Vec<Invitation>,
    /// Mails to them or about them, while they are kept.
    pub mails: Vec<OutboxEntry>,
    /// What is remembered of logins to their address.
    pub logins: LoginAttempts,
    /// The names of the places that are named.
    pub places: Places,
    /// Whether this is all of it: more than three hundred invitations or mails are cut off.
    pub complete: bool,
}

/// Where an item of the index is.
#[derive(Debug, Deserialize)]
struct Place {
    pk: String,
    sk: String,
}

impl Store {
    /// Reads what is kept about `person`: two queries, a batch of what they found, and one of names. The indexes may lag.
    /// `places` is what is known of names already. Requests for an organisation are read as a list of their own.
    pub async fn kept_about(&self, person: &User, places: Places) -> Result<KeptAbout, StoreError> {
        let (mut invitations, all_invitations) = self.places_about(Table::Portal, &person.id).await?;
        invitations.retain(|key| !key.is_organisation_request());
        let (mails, all_mails) = self.places_about(Table::Mail, &person.id).await?;
        let logins = Key::logins(&person.email);
        let keys = invitations.iter().chain(&mails).chain([&logins]).cloned();
        let fetched = self.db.fetch(keys).await?;
        let mut kept = KeptAbout { complete: all_invitations && all_mails, places, ..KeptAbout::default() };
        for key in &invitations {
            kept.invitations.extend(fetched.get::<Invitation>(key)?);
        }
        for key in &mails {
            kept.mails.extend(fetched.get::<OutboxEntry>(key)?);
        }
        kept.logins = fetched.get(&logins)?.unwrap_or_default();
        let organisations = kept.invitations.iter().filter_map(|invitation| invitation.organisation_id.as_ref());
        let teams = kept.invitations.iter().flat_map(|invitation| &invitation.team_ids);
        let (organisations, teams) = (organisations.chain(&person.organisation_id), teams.chain(&person.team_ids));
        self.look_up_places(&mut kept.places, organisations, teams).await?;
        Ok(kept)
    }

    /// Removes what is kept about somebody who is gone, as far as the indexes know of it: invitations with what stands for
    /// them elsewhere, requests for an organisation, and mails, sent or not. `false` where more is left than one reading takes, or something of it was
    /// just being changed: then it is to be done again.
    pub async fn erase_about(&self, id: &UserId) -> Result<bool, StoreError> {
        let (places, all_places) = self.places_about(Table::Portal, id).await?;
        let (mails, all_mails) = self.places_about(Table::Mail, id).await?;
        let mut complete = all_places && all_mails;
        let fetched = self.db.fetch(places.iter().cloned()).await?;
        for key in places {
            if key.is_organisation_request() {
                if let Some(request) = fetched.get::<OrganisationRequest>(&key)? {
                    complete &= self.db.commit(removal_of(&request)).await?.is_done();
                }
                continue;
            }
            if let Some(invitation) = fetched.get::<Invitation>(&key)? {
                for removal in places_elsewhere(&invitation) {
                    // Lost where a newer invitation stands there: that is none of this one's.
                    self.db.commit(Transaction::of(removal)).await?;
                }
            }
            complete &= self.db.commit(Transaction::of(Change::delete(key))).await?.is_done();
        }
        for mails in mails.chunks(AT_ONCE) {
            let mut transaction = Transaction::default();
            for key in mails {
                transaction.add(Change::delete(key.clone()));
            }
            complete &= self.db.commit(transaction).await?.is_done();
        }
        Ok(complete)
    }

    /// Where a table keeps something about a person, and whether that is all of it.
    async fn places_about(&self, table: Table, id: &UserId) -> Result<(Vec<Key>, bool), StoreError> {
        let query = self.db.indexed(table, "About", "about", id.as_str()).limit(i32::from(MOST));
        let output = self.db.query(query).await?;
        let places = output.items.unwrap_or_default().into_iter().map(read::<Place>);
        let keys = places.map(|place| place.map(|Place { pk, sk }| Key { table, pk, sk }));
        Ok((keys.collect::<Result<_, _>>()?, output.last_evaluated_key.is_none()))
    }
}
