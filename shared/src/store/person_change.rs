//! Changing a person: names, role, place, address. One transaction over the version that was read, so that everything that is
//! written beside the row fits it.

use super::{
    AddressFacts, Places, Sentinel, Store, StoreError,
    change::Change,
    keys::Key,
    person_address::{ADDRESS, at_address},
    rows::{NAMES, named},
    transaction::{Commit, Position, Transaction},
};
use crate::domain::{
    audit::{AuditEvent, Origin},
    rights::rests_on_teams,
    user::User,
};

/// What became of a change.
#[derive(Debug)]
pub enum PersonChanged {
    /// Written.
    Done,
    /// Somebody else changed them since they were read: this is who stands there now.
    Overtaken(Box<User>),
    /// What the caller may do was changed since they were read: their role, their teams or their state.
    CallerChanged,
    /// Somebody else has the address.
    EmailTaken(Box<Sentinel>),
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// A team that they were to join is not there any more.
    NoSuchTeam,
    /// They were deleted.
    Gone,
}

impl Store {
    /// Makes `after` of `before` by the will of `caller`, their place having the names in `places`; with `allow_mail` nothing
    /// keeps mail from their address any more.
    ///
    /// One transaction: person (as they were read), for another Consumer Admin a check that role, teams and state are still
    /// those by which they may, memberships with a check of each team that is joined, audit; for an
    /// active API Owner, now or before, the owners' item, whose last one stays; for somebody invited the invitation and
    /// what their address knows of it; where mail is allowed the suppressed address.
    pub async fn change_person(
        &self,
        caller: &User,
        before: &User,
        after: &User,
        places: &Places,
        allow_mail: bool,
        origin: &Origin,
    ) -> Result<PersonChanged, StoreError> {
        let change = (before, after, places);
        self.rewrite_person(caller, change, None, allow_mail, ("user.changed", origin)).await
    }

    /// Makes `after` of `before`, whom `caller`, a Consumer Admin, sends to the Default Organisation: the same transaction under
    /// another name.
    pub async fn remove_person(
        &self,
        caller: &User,
        before: &User,
        after: &User,
        places: &Places,
        origin: &Origin,
    ) -> Result<PersonChanged, StoreError> {
        self.rewrite_person(caller, (before, after, places), None, false, ("user.removed", origin)).await
    }

    pub(super) async fn rewrite_person(
        &self,
        caller: &User,
        (before, after, places): (&User, &User, &Places),
        address: Option<&AddressFacts>,
        allow_mail: bool,
        (action, origin): (&str, &Origin),
    ) -> Result<PersonChanged, StoreError> {
        let mut transaction = Transaction::default();
        let person = transaction.add(rewriting(before, after));
        let by = transaction.hold_to(caller, before);
        let teams = transaction.move_person(before, after);
        let last_owner = transaction.count_owner(before, after);
        let address = address.map(|facts| self.readdress(&mut transaction, (before, after), places, facts, origin));
        if address.is_none() {
            transaction.rewrite_invitation(before, after, None);
            transaction.rewrite_invitation_copy(before, after, places);
        }
        let mut event = changes(self.event(origin, action, Some(before.id.as_str())), before, after);
        if allow_mail {
            // Whatever the row says: the address may have been suppressed while it was somebody else's.
            transaction.allow_mail(&after.email);
        }
        if allow_mail || before.mail_status != after.mail_status {
            event = event.change("mail_status", before.mail_status, after.mail_status);
        }
        transaction.audit(&event);
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(PersonChanged::Done),
            Commit::Lost(lost) => lost,
        };
        if lost.at(person) {
            return Ok(lost.row(person)?.map_or(PersonChanged::Gone, |now| PersonChanged::Overtaken(Box::new(now))));
        }
        if by.is_some_and(|by| lost.at(by)) {
            return Ok(PersonChanged::CallerChanged);
        }
        if let Some(known) = address.map(|address| lost.row(address)).transpose()?.flatten() {
            return Ok(PersonChanged::EmailTaken(Box::new(known)));
        }
        if teams.iter().any(|team| lost.at(*team)) {
            return Ok(PersonChanged::NoSuchTeam);
        }
        if last_owner.is_some_and(|owner| lost.at(owner)) {
            return Ok(PersonChanged::LastOwner);
        }
        Err(StoreError::Busy)
    }
}

/// The write of the row, over the version and the invitation that were read. Revoking an invitation raises no version.
fn rewriting(before: &User, after: &User) -> Change {
    let readdressed = before.email != after.email;
    let mut expression = format!(
        "SET {NAMES}, #role = :role, #team_ids = :team_ids, #attributes = :attributes, #updated_at = :updated_at, \
         #version = :raised"
    );
    if after.organisation_id.is_some() {
        expression.push_str(", #organisation_id = :organisation_id");
    }
    if readdressed {
        expression.push_str(", ");
        expression.push_str(ADDRESS);
    }
    let suppressed = readdressed && !after.mail_status.is_ok();
    if suppressed {
        expression.push_str(", #mail_status = :mail_status");
    }
    let absent = [
        ("#organisation_id", after.organisation_id.is_none()),
        ("#mail_status", after.mail_status.is_ok()),
        ("#challenge", readdressed),
    ];
    let removed: Vec<_> = absent.into_iter().filter_map(|(name, absent)| absent.then_some(name)).collect();
    if !removed.is_empty() {
        expression.push_str(" REMOVE ");
        expression.push_str(&removed.join(", "));
    }
    let invitation = if before.invitation_id.is_some() {
        "#invitation_id = :invitation_id"
    } else {
        "attribute_not_exists(#invitation_id)"
    };
    // Sending a link again, and every change of a password, raises the link version alone.
    let links = if readdressed { " AND #link_version = :link_version" } else { "" };
    let change = Change::update(Key::user(&before.id), &expression)
        .when(&format!("#version = :version AND attribute_not_exists(#identity_due) AND {invitation}{links}"))
        .with("version", before.version)
        .with("role", after.role)
        .with("team_ids", &after.team_ids)
        .with("attributes", &after.attributes)
        .with("updated_at", after.updated_at.as_millisecond())
        .with("raised", after.version);
    let change = named(change, &before.id, &after.first_name, &after.last_name);
    let change = if readdressed { at_address(change, before, after) } else { change };
    let change = if suppressed { change.with("mail_status", after.mail_status) } else { change };
    let change = match &after.organisation_id {
        Some(organisation) => change.with("organisation_id", organisation),
        None => change,
    };
    match &before.invitation_id {
        Some(invitation) => change.with("invitation_id", invitation),
        None => change,
    }
}

/// Adds to the event what changed; of names and address nothing but that they did.
fn changes(event: AuditEvent, before: &User, after: &User) -> AuditEvent {
    let mut event = event;
    for (field, changed) in [
        ("first_name", before.first_name != after.first_name),
        ("last_name", before.last_name != after.last_name),
        ("email", before.email != after.email),
    ] {
        if changed {
            event = event.personal_change(field);
        }
    }
    if before.attributes != after.attributes {
        event = event.personal_change("attributes");
    }
    standing(event, before, after)
}

/// Adds to the event what changed of role and place.
pub(super) fn standing(event: AuditEvent, before: &User, after: &User) -> AuditEvent {
    let mut event = event;
    if before.role != after.role {
        event = event.change("role", before.role, after.role);
    }
    if before.organisation_id != after.organisation_id {
        event = event.change("organisation_id", &before.organisation_id, &after.organisation_id);
    }
    if before.team_ids != after.team_ids {
        event = event.change("team_ids", &before.team_ids, &after.team_ids);
    }
    event
}

impl Transaction {
    /// Adds that `caller` still may do this to `person` by role, teams and state, where it rests on these and the write of
    /// the person does not say so already.
    fn hold_to(&mut self, caller: &User, person: &User) -> Option<Position> {
        if caller.id == person.id || !rests_on_teams(caller) {
            return None;
        }
        let check =
            Change::check(Key::user(&caller.id), "#status = :status AND #role = :role AND #team_ids = :team_ids")
                .with("status", caller.status)
                .with("role", caller.role)
                .with("team_ids", &caller.team_ids);
        Some(self.add(check))
    }

    /// Adds that a person's memberships follow their place.
    fn move_person(&mut self, before: &User, after: &User) -> Vec<Position> {
        if let Some(place) = after.placement() {
            return self.move_memberships(before, &place);
        }
        self.end_memberships(&before.id, &before.team_ids);
        Vec::new()
    }

    /// Adds that the count of active API Owners follows a person; the position stands in the way when they are the last.
    fn count_owner(&mut self, before: &User, after: &User) -> Option<Position> {
        match (before.is_active_owner(), after.is_active_owner()) {
            (false, true) => {
                self.add_owner(after);
                None
            }
            (true, false) => Some(self.remove_owner(&before.id)),
            (true, true) if before.email != after.email => {
                self.readdress_owner(after);
                None
            }
            (true, true) | (false, false) => None,
        }
    }
}
