//! What every portal starts with: the Default Organisation, its team, settings, and a way in for the first API Owner.

use super::{
    Invited, Inviting, Places, Store, StoreError,
    change::Change,
    keys::Key,
    organisations::{organisation_row, team_row},
    rows::Owners,
    transaction::Transaction,
};
use crate::{
    domain::{
        audit::Origin,
        email::Email,
        ids::{OrganisationId, TeamId},
        name::Name,
        organisation::Organisation,
        settings::Settings,
        user::{NewUser, Role, Source, Start, Status},
    },
    mail::MailSettings,
};

/// The person whom the deployment invites.
#[derive(Clone, Debug)]
pub struct FirstOwner {
    /// Their address.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
}

impl Store {
    /// Writes what a portal cannot be without, and leaves alone what is there: may be repeated at any time.
    pub async fn lay_foundation(&self, settings: &Settings, origin: &Origin) -> Result<(), StoreError> {
        let (id, team_id) = (OrganisationId::default_organisation(), TeamId::default_team());
        let (organisation, team) = Organisation::founded(id, team_id, Name::given("Default Organisation"), origin.now);
        let copy = MailSettings { sender: settings.sender.clone(), portal_name: settings.portal_name.clone() };
        let foundation = [
            organisation_row(&organisation),
            team_row(&team),
            Change::put(Key::owners(), &Owners::default()),
            Change::put(Key::mail_settings(), &copy),
            Change::put(Key::settings(), settings),
        ];
        for change in foundation {
            let mut transaction = Transaction::default();
            transaction.add(change.when_new());
            // A lost condition means that it stands there already.
            self.db.commit(transaction).await?;
        }
        Ok(())
    }

    /// Invites the first API Owner, unless the address is known. Returns whether an invitation was queued.
    ///
    /// One transaction, that of every invitation.
    pub async fn invite_first_owner(&self, owner: FirstOwner, origin: &Origin) -> Result<bool, StoreError> {
        let life = self.settings().await?.invitation_life();
        let new = NewUser {
            email: owner.email,
            first_name: owner.first_name,
            last_name: owner.last_name,
            role: Role::ApiOwner,
            placement: None,
            source: Source::ApiOwner,
            start: Start::As(Status::Invited),
        };
        let inviting = Inviting { by: None, places: &Places::default(), life };
        match self.invite(new, &inviting, origin).await? {
            Invited::Done(_) => Ok(true),
            Invited::Taken(_) | Invited::NoSuchTeam => Ok(false),
        }
    }
}
