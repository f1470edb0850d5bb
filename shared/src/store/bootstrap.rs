//! What every portal starts with: the Default Organisation, its team, settings, and a way in for the first API Owner.

use super::{
    Earlier, Invited, Inviting, Places, Sent, Store, StoreError,
    change::Change,
    keys::Key,
    organisations::{organisation_row, team_row},
    rows::{Owners, Sentinel},
    transaction::Transaction,
};
use crate::{
    domain::{
        audit::Origin,
        email::Email,
        ids::{OrganisationId, TeamId},
        invitation::Invitation,
        name::Name,
        organisation::Organisation,
        settings::Settings,
        user::{NewUser, Role, Source, Start, Status, User},
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

    /// Invites the first API Owner, unless the address is known; again where that invitation has expired and nobody runs
    /// the portal yet, for then nobody else could send it. Returns whether an invitation was queued.
    ///
    /// One transaction, that of every invitation; one batch before it where the address is known.
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
            Invited::Taken(known) => self.invite_first_owner_again(&known, &inviting, origin).await,
            Invited::NoSuchTeam | Invited::Repeated(_) => Ok(false),
        }
    }

    async fn invite_first_owner_again(
        &self,
        known: &Sentinel,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let row = known.invitation.as_ref().map(|copy| Key::invitation(&copy.id));
        let fetched = self.db.fetch([Key::user(&known.user_id), Key::owners()].into_iter().chain(row.clone())).await?;
        let owners: Owners = fetched.get(&Key::owners())?.unwrap_or_default();
        let person: Option<User> = fetched.get(&Key::user(&known.user_id))?;
        let Some(person) = person.filter(|person| person.role == Role::ApiOwner && owners.active == 0) else {
            return Ok(false);
        };
        let row: Option<Invitation> = row.map(|key| fetched.get(&key)).transpose()?.flatten();
        let row = row.filter(|invitation| invitation.is_of(&person));
        let earlier = Earlier { copy: known.invitation.clone(), row };
        let sent = self.send_invitation(&person, &earlier, inviting, origin).await?;
        Ok(matches!(sent, Sent::Done(_)))
    }
}
