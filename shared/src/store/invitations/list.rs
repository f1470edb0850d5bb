//! Listing invitations: all of them for API Owners, their organisation's for Consumer Admins.

use crate::{
    domain::{
        ids::{MailId, OrganisationId, TeamId},
        invitation::Invitation,
        rights,
        user::User,
    },
    mail::{Delivery, OutboxEntry},
    store::{
        Listed, Places, Store, StoreError,
        keys::{self, Key},
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
        let Listed { rows: mut invitations, next } = self.db.listed(index, prefix, &partition, after, limit).await?;
        invitations.retain(|invitation| rights::sees_invitation(caller, invitation) && fits(invitation));
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
