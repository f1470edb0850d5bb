//! How people leave a team whose row is gone: one transaction each, over the version in which they were read.

use serde::Deserialize;

use super::DeletedTeam;
use crate::{
    domain::{
        audit::{AuditEvent, Origin},
        ids::{InvitationId, UserId},
        invitation::Invitation,
        leaving::{Destination, leave},
        organisation::{Organisation, Placement},
        user::{Status, User},
    },
    store::{
        Store, StoreError,
        change::Change,
        db::read,
        keys::{self, Key, Table},
        query::text,
        transaction::Transaction,
    },
};

/// How many of those who have to leave a team are read at once: with their organisation one batch.
const AT_ONCE: i32 = 99;

/// Somebody or something that a deleted team still holds.
#[derive(Clone, Debug)]
pub enum Left {
    /// A person, as they were read; `None` where they are gone or have left, and their membership has not.
    Person(UserId, Option<Box<User>>),
    /// An invitation of an address with an account elsewhere.
    Invitation(InvitationId),
}

/// Some of those whom a deleted team still holds, and where to go on.
#[derive(Debug)]
pub struct LeftPage {
    /// Who and what.
    pub left: Vec<Left>,
    /// Their organisation, if it stays.
    pub organisation: Option<Organisation>,
    /// The position after which the next page starts; `None` at the end.
    pub next: Option<String>,
}

/// An item of a team's partition: a membership, or what stands for an invitation elsewhere.
#[derive(Debug, Deserialize)]
struct Held {
    sk: String,
    user_id: Option<UserId>,
    invitation_id: Option<InvitationId>,
}

impl Store {
    /// A page over those whom a deleted team still holds, in the order of their keys. Nobody comes in any more: whoever
    /// is not found has left.
    ///
    /// One query, strongly consistent, and one batch.
    pub async fn left_in(&self, team: &DeletedTeam, after: Option<&str>) -> Result<LeftPage, StoreError> {
        let query = self
            .db
            .partition(Table::Portal, &keys::team_partition(&team.team_id))
            .key_condition_expression("pk = :pk AND sk > :after")
            .expression_attribute_values(":after", text(after.unwrap_or(" ")));
        let output = self.db.query(query.limit(AT_ONCE)).await?;
        let held: Vec<Held> = output.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        let last: Option<Held> = output.last_evaluated_key.map(read).transpose()?;
        let mut page = LeftPage { left: Vec::new(), organisation: None, next: last.map(|last| last.sk) };
        if held.is_empty() {
            return Ok(page);
        }
        let people = held.iter().filter_map(|held| held.user_id.as_ref()).map(Key::user);
        let organisation = Key::organisation(&team.organisation_id);
        let fetched = self.db.fetch(people.chain([organisation.clone()])).await?;
        for held in held {
            match (held.user_id, held.invitation_id) {
                (Some(id), None) if held.sk.starts_with(keys::MEMBERSHIP_PREFIX) => {
                    let person: Option<User> = fetched.get(&Key::user(&id))?;
                    let person = person.filter(|person| person.team_ids.contains(&team.team_id));
                    page.left.push(Left::Person(id, person.map(Box::new)));
                }
                (None, Some(invitation)) => page.left.push(Left::Invitation(invitation)),
                _ => {}
            }
        }
        let organisation: Option<Organisation> = fetched.get(&organisation)?;
        page.organisation = organisation.filter(|organisation| !organisation.is_being_deleted());
        Ok(page)
    }

    /// Lets somebody or something leave a deleted team of `organisation`, if that stays. Who is overtaken by another step
    /// is found again later.
    pub async fn leave(
        &self,
        team: &DeletedTeam,
        left: &Left,
        organisation: Option<&Organisation>,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        match left {
            Left::Person(_, Some(person)) => self.person_leaves(team, person, organisation, origin).await,
            Left::Person(id, None) => self.drop_membership(team, id).await,
            Left::Invitation(invitation) => self.invitation_ends(team, invitation, origin).await,
        }
    }

    /// Moves a person to where they go from the team. Who is invited and came in by that invitation alone goes with it,
    /// as if it had been revoked: it stopped with the team. Who was created by hand stays, without a link.
    ///
    /// One transaction: person (as they were read), memberships with a check of the team that they join, audit; for an
    /// invited person that of revoking, after two batches.
    async fn person_leaves(
        &self,
        team: &DeletedTeam,
        person: &User,
        organisation: Option<&Organisation>,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        if let Some(invitation) = person.invitation_id.as_ref().filter(|_| person.status == Status::Invited)
            && self.revoke_with_team(invitation, origin).await?
        {
            return Ok(());
        }
        let goes = leave(person, &team.team_id, organisation);
        let mut transaction = Transaction::default();
        let change = Change::update(
            Key::user(&person.id),
            "SET #organisation_id = :organisation_id, #team_ids = :team_ids, #role = :role, #updated_at = :now, #version \
             = #version + :one",
        )
        .when("#version = :version")
        .with("organisation_id", &goes.placement.organisation_id)
        .with("team_ids", &goes.placement.team_ids)
        .with("role", goes.role)
        .with("now", origin.now.as_millisecond())
        .with("one", 1)
        .with("version", person.version);
        transaction.add(change);
        transaction.move_memberships(person, &goes.placement);
        transaction.audit(&moved(self.event(origin, "user.moved", Some(person.id.as_str())), person, &goes));
        self.db.commit(transaction).await.map(drop)
    }

    /// Takes away a membership whose person is gone or has left: as they were read, nobody needs it.
    async fn drop_membership(&self, team: &DeletedTeam, id: &UserId) -> Result<(), StoreError> {
        let mut transaction = Transaction::default();
        let check = Change::check(Key::user(id), "attribute_not_exists(#pk) OR NOT contains(#team_ids, :team_id)");
        transaction.add(check.with("team_id", &team.team_id));
        transaction.add(Change::delete(Key::membership(&team.team_id, id)));
        self.db.commit(transaction).await.map(drop)
    }

    /// Ends an invitation that stopped with its team. `false` where there is none to end.
    async fn revoke_with_team(&self, id: &InvitationId, origin: &Origin) -> Result<bool, StoreError> {
        let key = Key::invitation(id);
        let invitation: Option<Invitation> = self.db.fetch([key.clone()]).await?.get(&key)?;
        let Some(invitation) = invitation.filter(|invitation| invitation.status.can_be_sent_again()) else {
            return Ok(false);
        };
        let invitee = self.invitee(&invitation).await?;
        // Who is overtaken finds out anew.
        self.revoke_invitation(&invitation, &invitee, origin).await?;
        Ok(true)
    }

    /// Ends an invitation of an address elsewhere, or takes away what stands for one that has ended.
    async fn invitation_ends(&self, team: &DeletedTeam, id: &InvitationId, origin: &Origin) -> Result<(), StoreError> {
        if self.revoke_with_team(id, origin).await? {
            return Ok(());
        }
        let key = Key::invitation(id);
        let Some(invitation) = self.db.fetch([key.clone()]).await?.get::<Invitation>(&key)? else { return Ok(()) };
        let mut transaction = Transaction::default();
        let item = Change::delete(Key::elsewhere(&team.team_id, &invitation.email));
        transaction.add(item.when("#invitation_id = :own").with("own", id));
        self.db.commit(transaction).await.map(drop)
    }
}

/// What the move changes of a person, with both values.
fn moved(event: AuditEvent, person: &User, goes: &Destination) -> AuditEvent {
    let Placement { organisation_id, team_ids } = &goes.placement;
    let mut event = event.change("team_ids", &person.team_ids, team_ids);
    if person.organisation_id.as_ref() != Some(organisation_id) {
        event = event.change("organisation_id", &person.organisation_id, organisation_id);
    }
    if person.role != goes.role {
        event = event.change("role", person.role, goes.role);
    }
    event
}
