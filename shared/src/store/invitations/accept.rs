//! Accepting an invitation: link, claim, Cognito, consume (`docs/architecture.md`, section 3.6).

use jiff::Timestamp;

use super::invite::becomes_owner;
use crate::{
    domain::{
        audit::Origin,
        invitation::InvitationStatus,
        link::{HashedToken, Link, Purpose},
        user::{Status, User},
    },
    store::{
        Places, Store, StoreError,
        change::Change,
        claim::CLAIM,
        keys::Key,
        rows::{INTO_STATUS, NAMES, Stage, into_status, named},
        transaction::{Commit, Transaction},
    },
};

/// What became of an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// The person is active.
    Done,
    /// The claim had lapsed and somebody else has the person now, or their role or place changed: the link may still
    /// work.
    Overtaken,
    /// The invitation was revoked or sent again, or its team is gone.
    Void,
}

/// An invitation as its link shows it to the invitee.
#[derive(Debug)]
pub struct OpenedInvitation {
    /// Who is invited.
    pub person: User,
    /// The names of their places.
    pub places: Places,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

impl Store {
    /// Shows the invitation behind a link that works at `now`; changes nothing. `None` for every link that does not.
    pub async fn opened_invitation(
        &self,
        token: &HashedToken,
        now: Timestamp,
    ) -> Result<Option<OpenedInvitation>, StoreError> {
        let link: Option<Link> = self.db.fetch([Key::link(token)]).await?.get(&Key::link(token))?;
        let Some(link) = link.filter(|link| link.is_usable(Purpose::Accept, now)) else { return Ok(None) };
        let person = self.person(&link.user_id).await?;
        let fits = |person: &User| person.status == Status::Invited && person.link_version == link.link_version;
        let Some(person) = person.filter(fits) else { return Ok(None) };
        let mut places = Places::default();
        self.complete_places(&mut places, std::slice::from_ref(&person)).await?;
        // A team that is gone has stopped its invitations.
        let stand = person.team_ids.iter().all(|team| places.team(team).is_some());
        Ok(stand.then_some(OpenedInvitation { person, places, expires_at: link.expires_at }))
    }

    /// Consumes the link and lets the invited person in, with the names and attributes that `as_named` has; `claimed` is the
    /// person as the claim returned them.
    ///
    /// One transaction: link, person, sentinel, invitation, a check of each team, audit, outbox; for an API Owner the
    /// owners' item.
    pub async fn accept_invitation(
        &self,
        token: &HashedToken,
        claimed: &User,
        as_named: &User,
        origin: &Origin,
    ) -> Result<Acceptance, StoreError> {
        let raised = claimed.link_version + 1;
        let (first_name, last_name) = (&as_named.first_name, &as_named.last_name);
        let attributes = as_named.attributes.clone();
        let accepted =
            User { first_name: first_name.clone(), last_name: last_name.clone(), attributes, ..claimed.clone() };
        let mut transaction = Transaction::default();
        transaction.add(Change::delete(Key::link(token)));
        let expression = format!(
            "SET {INTO_STATUS}, #link_version = :raised, {NAMES}, #attributes = :attributes REMOVE \
             {CLAIM}"
        );
        let user = Change::update(Key::user(&claimed.id), &expression)
            .when(
                "#status = :before AND #link_version = :link_version AND #claimed_until = :mine AND #version = :version",
            )
            .with("version", claimed.version)
            .with("before", Status::Invited)
            .with("link_version", claimed.link_version)
            .with("mine", claimed.claimed_until.map(Timestamp::as_millisecond))
            .with("raised", raised)
            .with("attributes", &accepted.attributes);
        let user = named(user, &claimed.id, first_name, last_name);
        let person = transaction.add(into_status(user, &claimed.id, Status::Active, origin.now));
        let sentinel = Change::update(
            Key::email(&claimed.email),
            "SET #stage = :settled, #link_version = :raised REMOVE #invitation",
        )
        .when("#user_id = :user_id")
        .with("settled", Stage::Settled)
        .with("raised", raised)
        .with("user_id", &claimed.id);
        transaction.add(sentinel);
        if let Some(id) = &claimed.invitation_id {
            let invitation = Change::update(
                Key::invitation(id),
                "SET #status = :accepted, #version = #version + :one REMOVE #queue_pk, #queue_sk",
            )
            .when("attribute_exists(#pk) AND #status <> :revoked")
            .with("accepted", InvitationStatus::Accepted)
            .with("revoked", InvitationStatus::Revoked)
            .with("one", 1);
            transaction.add(invitation);
        }
        transaction.check_teams(&claimed.team_ids);
        if becomes_owner(claimed) {
            transaction.add_owner(&accepted);
        }
        let target = claimed.invitation_id.as_ref().map_or(claimed.id.as_str(), |id| id.as_str());
        let mut event = self.event(origin, "invitation.accepted", Some(target)).change("user_id", (), &claimed.id);
        for (field, before, after) in
            [("first_name", &claimed.first_name, first_name), ("last_name", &claimed.last_name, last_name)]
        {
            if before != after {
                event = event.personal_change(field);
            }
        }
        if accepted.attributes != claimed.attributes {
            event = event.personal_change("attributes");
        }
        transaction.audit(&event.change("status", claimed.status, Status::Active));
        transaction.mail(&self.compose(origin).welcome(&accepted, Status::Active));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Acceptance::Done),
            Commit::Lost(lost) => Ok(match lost.row::<User>(person)? {
                Some(now) if now.link_version == claimed.link_version && now.status == claimed.status => {
                    Acceptance::Overtaken
                }
                _ => Acceptance::Void,
            }),
        }
    }
}
