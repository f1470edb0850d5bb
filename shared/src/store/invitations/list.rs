//! Listing invitations: all of them for API Owners, their organisation's for Consumer Admins.

use serde::Deserialize;

use crate::{
    domain::{
        ids::{InvitationId, MailId, OrganisationId, TeamId},
        invitation::Invitation,
        rights,
        user::User,
    },
    mail::{Delivery, OutboxEntry},
    store::{
        Places, Store, StoreError,
        db::read,
        keys::{self, Key, Table},
        query::text,
    },
};

/// Some of the invitations, and where to go on.
#[derive(Debug, Default)]
pub struct InvitationPage {
    /// The invitations, in the order of the list, each with how far its newest mail has come.
    pub invitations: Vec<(Invitation, Delivery)>,
    /// The names of their places.
    pub places: Places,
    /// The position after which the next page starts; `None` at the end.
    pub next: Option<String>,
}

/// What an index tells of an invitation.
#[derive(Debug, Deserialize)]
struct Hint {
    pk: String,
    group_sk: Option<String>,
    list_sk: Option<String>,
}

impl Hint {
    fn id(&self) -> Result<InvitationId, StoreError> {
        let id = self.pk.strip_prefix("INVITATION#").and_then(InvitationId::parse);
        id.ok_or_else(|| StoreError::Corrupt { key: self.pk.clone(), reason: "no invitation id in the key".to_owned() })
    }
}

impl Store {
    /// A page of the invitations that `caller` sees, in the order in which they were made; those that `fits` leaves out
    /// make it shorter.
    ///
    /// One query on an index, one batch for the rows, one for names and mails. The index may lag, the rows do not.
    pub async fn invitations(
        &self,
        caller: &User,
        fits: impl Fn(&Invitation) -> bool,
        after: Option<&str>,
        limit: u16,
    ) -> Result<InvitationPage, StoreError> {
        let (index, prefix, partition) = match &caller.organisation_id {
            _ if rights::sees_everybody(caller) => ("Lists", "list", keys::ALL_INVITATIONS.to_owned()),
            Some(organisation) => ("Groups", "group", keys::invitations_of(organisation)),
            None => return Ok(InvitationPage::default()),
        };
        let query = self
            .db
            .indexed(Table::Portal, index, prefix, &partition)
            .key_condition_expression(format!("{prefix}_pk = :pk AND {prefix}_sk > :after"))
            .expression_attribute_values(":after", text(after.unwrap_or(" ")));
        let output = self.db.query(query.limit(i32::from(limit))).await?;
        let hints: Vec<Hint> = output.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        let next = match output.last_evaluated_key {
            Some(key) => {
                let hint: Hint = read(key)?;
                hint.group_sk.filter(|_| prefix == "group").or(hint.list_sk)
            }
            None => None,
        };
        let ids: Vec<InvitationId> = hints.iter().map(Hint::id).collect::<Result<_, _>>()?;
        let fetched = self.db.fetch(ids.iter().map(Key::invitation)).await?;
        let mut invitations = Vec::new();
        for id in &ids {
            let found: Option<Invitation> = fetched.get(&Key::invitation(id))?;
            invitations.extend(found.filter(|it| rights::sees_invitation(caller, it) && fits(it)));
        }
        let (deliveries, places) = self.surroundings_of(&invitations).await?;
        Ok(InvitationPage { invitations: invitations.into_iter().zip(deliveries).collect(), places, next })
    }

    /// How far the newest mail of an invitation has come, with the names of its places: one batch.
    pub async fn invitation_delivery(&self, invitation: &Invitation) -> Result<(Delivery, Places), StoreError> {
        let (deliveries, places) = self.surroundings_of(std::slice::from_ref(invitation)).await?;
        Ok((deliveries.into_iter().next().unwrap_or(Delivery::Sent), places))
    }

    async fn surroundings_of(&self, invitations: &[Invitation]) -> Result<(Vec<Delivery>, Places), StoreError> {
        let organisations: Vec<&OrganisationId> =
            invitations.iter().filter_map(|invitation| invitation.organisation_id.as_ref()).collect();
        let teams: Vec<&TeamId> = invitations.iter().flat_map(|invitation| &invitation.team_ids).collect();
        let mails = invitations.iter().map(|invitation| Key::outbox(&invitation.mail_id));
        let keys = organisations.iter().map(|id| Key::organisation(id)).chain(teams.iter().map(|id| Key::team(id)));
        let fetched = self.db.fetch(keys.chain(mails)).await?;
        let delivery = |mail: &MailId| -> Result<Delivery, StoreError> {
            let entry: Option<OutboxEntry> = fetched.get(&Key::outbox(mail))?;
            // A mail that was collected had been sent.
            let delivery = entry.and_then(|entry| entry.to.first().map(|to| to.delivery));
            Ok(delivery.unwrap_or(Delivery::Sent))
        };
        let deliveries =
            invitations.iter().map(|invitation| delivery(&invitation.mail_id)).collect::<Result<_, _>>()?;
        Ok((deliveries, Places::of(&fetched, organisations, teams)?))
    }
}
