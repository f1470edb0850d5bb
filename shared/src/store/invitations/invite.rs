//! Inviting an address that has no account, and people who were created without a password.

use super::{Elsewhere, Inviting};
use crate::{
    domain::{
        audit::Origin,
        email::Email,
        idempotency::Repeatable,
        ids::{InvitationId, OrganisationId, TeamId, UserId},
        invitation::{Invitation, InvitationStatus},
        organisation::Organisation,
        rights,
        settings::Settings,
        user::{NewUser, Role, Status, User},
    },
    mail::OutboxEntry,
    store::{
        Places, Placing, Record, Store, StoreError,
        change::Change,
        creation::placing_in,
        fetch::Fetched,
        keys::Key,
        rows::{InvitationCopy, Sentinel, Stage},
        transaction::{Commit, Transaction},
    },
};

/// Whom an invitation asks for, and where.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The address.
    pub email: Email,
    /// The organisation, where one is named.
    pub organisation_id: Option<OrganisationId>,
    /// The teams that are named.
    pub team_ids: Vec<TeamId>,
}

/// What an invitation is decided from.
#[derive(Debug)]
pub struct InviteFacts {
    /// Who calls.
    pub caller: Option<User>,
    /// The portal's settings.
    pub settings: Settings,
    /// The account behind the address, if there is one.
    pub known: Option<Sentinel>,
    /// The record of the request, where it is a repeat.
    pub record: Option<Record>,
    fetched: Fetched,
}

/// What a Consumer Admin's invitation is decided from beside that: their organisation, and what they may know of the
/// address.
#[derive(Debug)]
pub struct Surroundings {
    /// The organisation's default team.
    pub default_team_id: TeamId,
    /// The names of the organisation and of the caller's teams.
    pub places: Places,
    /// The person behind the address.
    pub person: Option<User>,
    /// An invitation of the address into a team of the caller's that stands although the address has an account
    /// elsewhere.
    pub elsewhere: Option<Elsewhere>,
}

/// What sending an invitation to somebody who is there already is decided from.
#[derive(Debug)]
pub struct SendFacts {
    /// Who calls.
    pub caller: Option<User>,
    /// The person, if there is one of this id.
    pub person: Option<User>,
    /// The portal's settings.
    pub settings: Settings,
    /// The record of the request, where it is a repeat.
    pub record: Option<Record>,
}

/// The invitation that somebody created without a password has already, if one was sent to them.
#[derive(Debug, Default)]
pub struct Earlier {
    /// What their address knows of it.
    pub copy: Option<InvitationCopy>,
    /// The invitation itself.
    pub row: Option<Invitation>,
}

/// What became of an invitation.
#[derive(Debug)]
pub enum Invited {
    /// The person is written, the mail queued.
    Done(Box<Invitation>),
    /// The address is taken.
    Taken(Sentinel),
    /// A named team is not there any more.
    NoSuchTeam,
    /// A request with the same key was there first.
    Repeated(Record),
}

/// What became of sending an invitation to somebody who was created without a password.
#[derive(Debug)]
pub enum Sent {
    /// The mail is queued.
    Done(Box<Invitation>),
    /// One waits already.
    Pending(InvitationId),
    /// They are in a status in which nobody is invited.
    WrongStatus(Status),
    /// Their place is gone, or is just going.
    NoSuchTeam,
    /// Somebody else sent or revoked one at the same moment.
    Overtaken,
    /// They were deleted a moment ago.
    Gone,
    /// A request with the same key was there first.
    Repeated(Record),
}

impl Store {
    /// Reads the caller and all that an invitation needs of what the request names, in one batch. Without `asked` (the
    /// request cannot be understood) the caller and the settings alone.
    pub async fn invite_facts(
        &self,
        caller: &UserId,
        asked: Option<&Asked>,
        sought: Option<&Repeatable>,
    ) -> Result<InviteFacts, StoreError> {
        let mut keys = vec![Key::user(caller), Key::settings()];
        keys.extend(sought.map(Repeatable::key));
        if let Some(asked) = asked {
            let organisation = asked.organisation_id.clone().unwrap_or_else(OrganisationId::default_organisation);
            keys.extend([
                Key::email(&asked.email),
                Key::organisation(&organisation),
                Key::team(&TeamId::default_team()),
            ]);
            keys.extend(asked.team_ids.iter().map(Key::team));
        }
        let fetched = self.db.fetch(keys).await?;
        let known = asked.map(|asked| fetched.get(&Key::email(&asked.email))).transpose()?.flatten();
        let record = fetched.record(sought)?;
        Ok(InviteFacts {
            caller: fetched.get(&Key::user(caller))?,
            settings: fetched.settings()?,
            known,
            record,
            fetched,
        })
    }

    /// Where an API Owner's invitation leads, with the names of the place: one batch more where the default team of a
    /// named organisation is meant, whose name is not known yet.
    pub async fn invited_place(&self, facts: &InviteFacts, asked: &Asked) -> Result<(Placing, Places), StoreError> {
        let (placing, mut places) = placed_in(&facts.fetched, asked)?;
        if let Placing::At(placement) = &placing {
            self.look_up_places(&mut places, [&placement.organisation_id], &placement.team_ids).await?;
        }
        Ok((placing, places))
    }

    /// Reads a Consumer Admin's surroundings in one batch, whatever is known of the address.
    pub async fn surroundings(
        &self,
        caller: &User,
        facts: &InviteFacts,
        email: &Email,
    ) -> Result<Surroundings, StoreError> {
        let fetched = self.db.fetch(around(caller, email, facts.known.as_ref())).await?;
        surroundings_in(&fetched, caller, email, facts.known.as_ref())
    }

    /// Writes an invited person and queues the mail, or changes nothing.
    ///
    /// One transaction: e-mail sentinel, person, memberships (each with a check of its team), invitation, audit,
    /// outbox, record.
    pub async fn invite(&self, new: NewUser, inviting: &Inviting<'_>, origin: &Origin) -> Result<Invited, StoreError> {
        let mut user = new.at(origin.now, self.db.random.number());
        let (invitation, copy, mail) = self.issue(&user, inviting, origin);
        user.invitation_id = Some(invitation.id.clone());
        let mut transaction = Transaction::default();
        let address = transaction.create_sentinel(&user, Stage::Invited, Some(copy));
        transaction.create_user(&user);
        transaction.create_memberships(&user);
        transaction.check_teams(&user.team_ids);
        transaction.create_invitation(&invitation);
        transaction.audit(&self.invited(origin, &invitation));
        transaction.mail(&mail);
        let record = transaction.record_invitation(origin, &invitation);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Invited::Done(Box::new(invitation))),
            Commit::Lost(lost) => Ok(match (lost.record(record)?, lost.row(address)?) {
                (Some(record), _) => Invited::Repeated(record),
                (None, Some(known)) => Invited::Taken(known),
                (None, None) => Invited::NoSuchTeam,
            }),
        }
    }

    /// Reads caller, person and settings in one batch.
    pub async fn send_facts(
        &self,
        caller: &UserId,
        person: Option<&UserId>,
        sought: Option<&Repeatable>,
    ) -> Result<SendFacts, StoreError> {
        let keys = [Key::user(caller), Key::settings()].into_iter().chain(person.map(Key::user));
        let fetched = self.db.fetch(keys.chain(sought.map(Repeatable::key))).await?;
        let record = fetched.record(sought)?;
        let person = person.map(|id| fetched.get(&Key::user(id))).transpose()?.flatten();
        Ok(SendFacts { caller: fetched.get(&Key::user(caller))?, person, settings: fetched.settings()?, record })
    }

    /// The invitation that `person` has already, and the names of their places: one batch.
    pub async fn earlier_invitation(&self, person: &User) -> Result<(Earlier, Places), StoreError> {
        let organisation = person.organisation_id.as_ref();
        let places = organisation.map(Key::organisation).into_iter().chain(person.team_ids.iter().map(Key::team));
        let row = person.invitation_id.as_ref().map(Key::invitation);
        let fetched = self.db.fetch(places.chain([Key::email(&person.email)]).chain(row.clone())).await?;
        let known: Option<Sentinel> = fetched.get(&Key::email(&person.email))?;
        let known = known.filter(|known| known.user_id == person.id);
        let row = row.map(|key| fetched.get(&key)).transpose()?.flatten();
        let earlier = Earlier { copy: known.and_then(|known| known.invitation), row };
        Ok((earlier, Places::of(&fetched, organisation, &person.team_ids)?))
    }

    /// Sends an invitation to a person who was created without a password.
    ///
    /// One transaction: person (invited, at this link version), e-mail sentinel, their teams, invitation, the one that it
    /// replaces (as it was read), audit, outbox, record. Every earlier link is void.
    pub async fn send_invitation(
        &self,
        person: &User,
        earlier: &Earlier,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> Result<Sent, StoreError> {
        if person.status != Status::Invited {
            return Ok(Sent::WrongStatus(person.status));
        }
        if let Some(pending) = earlier.copy.as_ref().filter(|pending| origin.now < pending.expires_at) {
            return Ok(Sent::Pending(pending.id.clone()));
        }
        let raised = User { link_version: person.link_version + 1, ..person.clone() };
        let (invitation, copy, mail) = self.issue(&raised, inviting, origin);
        let mut transaction = Transaction::default();
        let user = Change::update(
            Key::user(&person.id),
            "SET #invitation_id = :invitation_id, #link_version = :raised, #updated_at = :now, #version = #version + :one",
        )
        .when("#status = :invited AND #link_version = :link_version AND #version = :version")
        .with("version", person.version)
        .with("invitation_id", &invitation.id)
        .with("raised", raised.link_version)
        .with("now", origin.now.as_millisecond())
        .with("one", 1)
        .with("invited", Status::Invited)
        .with("link_version", person.link_version);
        let user = transaction.add(user);
        transaction.add(invited_sentinel(person, raised.link_version, &copy));
        transaction.check_teams(&person.team_ids);
        transaction.create_invitation(&invitation);
        let replaced = earlier.row.as_ref().map(|earlier| transaction.replace_invitation(earlier, origin));
        transaction.audit(&self.invited(origin, &invitation));
        transaction.mail(&mail);
        let record = transaction.record_invitation(origin, &invitation);
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(Sent::Done(Box::new(invitation))),
            Commit::Lost(lost) => lost,
        };
        if let Some(record) = lost.record(record)? {
            return Ok(Sent::Repeated(record));
        }
        if !lost.at(user) {
            let overtaken = replaced.is_some_and(|replaced| lost.at(replaced));
            return Ok(if overtaken { Sent::Overtaken } else { Sent::NoSuchTeam });
        }
        Ok(match lost.row::<User>(user)? {
            Some(now) if now.status != Status::Invited => Sent::WrongStatus(now.status),
            // Somebody else sent or revoked one a moment ago: the same request finds out anew.
            Some(_) => Sent::Overtaken,
            None => Sent::Gone,
        })
    }

    /// A new invitation of `person`, what the sentinel has to know of it, and its mail.
    pub(super) fn issue(
        &self,
        person: &User,
        inviting: &Inviting<'_>,
        origin: &Origin,
    ) -> (Invitation, InvitationCopy, OutboxEntry) {
        let id = InvitationId::new(origin.now, self.db.random.number());
        let copy = inviting.copy(&id, person, origin.now);
        let mail = self.compose(origin).invitation(&person.email, &person.id, person.link_version, &copy, inviting.by);
        let invitation = Invitation {
            id,
            user_id: person.id.clone(),
            elsewhere: false,
            holder_id: None,
            email: person.email.clone(),
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            role: person.role,
            organisation_id: person.organisation_id.clone(),
            team_ids: person.team_ids.clone(),
            invited_by: inviting.by.map(|by| by.id.clone()),
            status: InvitationStatus::Pending,
            sent_at: origin.now,
            expires_at: copy.expires_at,
            mail_id: mail.id.clone(),
            version: 1,
        };
        (invitation, copy, mail)
    }

    /// The event of a new invitation: of whom, as what and where, nothing of who they are.
    pub(super) fn invited(&self, origin: &Origin, invitation: &Invitation) -> crate::domain::audit::AuditEvent {
        self.event(origin, "invitation.created", Some(invitation.id.as_str()))
            .change("user_id", (), &invitation.user_id)
            .change("role", (), invitation.role)
            .change("organisation_id", (), &invitation.organisation_id)
            .change("team_ids", (), &invitation.team_ids)
    }
}

/// Where an API Owner's invitation leads, as far as the rows at hand tell, with the names among them.
pub(super) fn placed_in(fetched: &Fetched, asked: &Asked) -> Result<(Placing, Places), StoreError> {
    let organisation = asked.organisation_id.clone().unwrap_or_else(OrganisationId::default_organisation);
    let placing = placing_in(fetched, organisation.clone(), &asked.team_ids)?;
    let mut known: Vec<_> = asked.team_ids.iter().chain([&TeamId::default_team()]).cloned().collect();
    if let Placing::At(placement) = &placing {
        known.extend(placement.team_ids.iter().filter(|team| fetched.has(&Key::team(team))).cloned());
    }
    let places = Places::of(fetched, [&organisation], &known)?;
    Ok((placing, places))
}

/// Where a Consumer Admin and their teams are.
fn home(caller: &User) -> (OrganisationId, impl Iterator<Item = &TeamId> + Clone) {
    let organisation = caller.organisation_id.clone().unwrap_or_else(OrganisationId::default_organisation);
    (organisation, caller.team_ids.iter().filter(|team| rights::makes_visible(team)))
}

/// The keys of a Consumer Admin's surroundings, for an address of which `known` is known.
pub(super) fn around(caller: &User, email: &Email, known: Option<&Sentinel>) -> Vec<Key> {
    let (organisation, teams) = home(caller);
    let mut keys = vec![Key::organisation(&organisation)];
    keys.extend(teams.flat_map(|team| [Key::team(team), Key::elsewhere(team, email)]));
    keys.extend(known.map(|known| Key::user(&known.user_id)));
    keys
}

/// A Consumer Admin's surroundings, from the rows at the keys of [`around`].
pub(super) fn surroundings_in(
    fetched: &Fetched,
    caller: &User,
    email: &Email,
    known: Option<&Sentinel>,
) -> Result<Surroundings, StoreError> {
    let (organisation_id, teams) = home(caller);
    let organisation: Option<Organisation> = fetched.get(&Key::organisation(&organisation_id))?;
    let organisation = organisation.ok_or(StoreError::Missing("the caller's organisation"))?;
    let mut elsewhere = None;
    for team in teams.clone() {
        elsewhere = elsewhere.or(fetched.get(&Key::elsewhere(team, email))?);
    }
    let person = known.map(|known| fetched.get(&Key::user(&known.user_id))).transpose()?.flatten();
    let places = Places::of(fetched, [&organisation_id], teams)?;
    Ok(Surroundings { default_team_id: organisation.default_team_id, places, person, elsewhere })
}

/// The sentinel of an invited person's address, with the newest invitation.
pub(super) fn invited_sentinel(person: &User, raised: u64, copy: &InvitationCopy) -> Change {
    Change::update(Key::email(&person.email), "SET #link_version = :raised, #invitation = :copy")
        .when("#user_id = :user_id AND #stage = :invited")
        .with("raised", raised)
        .with("copy", copy)
        .with("user_id", &person.id)
        .with("invited", Stage::Invited)
}

/// Whether an invited person came in by an invitation alone, and so goes with it: who was created by hand stays.
pub(super) fn goes_with_invitation(person: &User) -> bool {
    person.source == crate::domain::user::Source::Invitation
}

/// Whether accepting makes `person` one of the owners that are counted.
pub(super) fn becomes_owner(person: &User) -> bool {
    person.role == Role::ApiOwner
}
