//! Founding an organisation for whoever asked for it: everything in one transaction.

use super::{DecidedRequest, FITS, Requested, row, while_fit};
use crate::{
    domain::{
        audit::Origin,
        ids::OrganisationId,
        name::Name,
        organisation::Organisation,
        organisation_request::{OrganisationRequest, RequestStatus},
        user::{Role, User},
    },
    store::{
        Store, StoreError,
        change::Change,
        keys::Key,
        organisations::{organisation_row, team_row},
        transaction::{Commit, Position, Transaction},
    },
};

impl Store {
    /// Writes a request that is approved as it is made.
    ///
    /// One transaction: request, check that none of theirs waits, organisation, team, requester (as they were read, fit),
    /// memberships, audit of each, outbox to the requester, record.
    pub async fn request_and_found(
        &self,
        requester: &User,
        name: Name,
        origin: &Origin,
    ) -> Result<Requested, StoreError> {
        let asked = self.new_request(requester, name, RequestStatus::Pending, origin);
        let mut transaction = Transaction::default();
        let waiting = Change::check(Key::requester(&requester.id), "attribute_not_exists(#pk)");
        let waiting = transaction.add(waiting);
        let event = self.event(origin, "organisation_request.created", Some(asked.id.as_str()));
        transaction.audit(&event.personal_change("name").change("status", (), asked.status));
        let (request, person) = self.found_for(&mut transaction, &asked, requester, asked.name.clone(), origin);
        transaction.add(row(&request).when_new());
        self.requested(transaction, request, waiting, person, origin).await
    }

    /// Approves a request under `name`: its requester, as they were read, becomes Consumer Admin of a new organisation.
    ///
    /// One transaction: request (waiting), that the requester has one, organisation, team, requester (as they were read,
    /// fit), memberships, audit of each, outbox to the requester.
    pub async fn approve_request(
        &self,
        request: &OrganisationRequest,
        requester: &User,
        name: Name,
        origin: &Origin,
    ) -> Result<DecidedRequest, StoreError> {
        let mut transaction = Transaction::default();
        let (approved, person) = self.found_for(&mut transaction, request, requester, name, origin);
        let decided = transaction.decide_request(&approved);
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(DecidedRequest::Done(Box::new(approved))),
            Commit::Lost(lost) => lost,
        };
        if let Some(now) = lost.row::<OrganisationRequest>(decided)? {
            return Ok(DecidedRequest::Decided(now.status));
        }
        if lost.at(person) { Ok(DecidedRequest::RequesterChanged) } else { Err(StoreError::Busy) }
    }

    /// Adds the organisation, its requester in it, what the audit says of it, and the mail; the request as it then is.
    fn found_for(
        &self,
        transaction: &mut Transaction,
        request: &OrganisationRequest,
        requester: &User,
        name: Name,
        origin: &Origin,
    ) -> (OrganisationRequest, Position) {
        let id = OrganisationId::new(origin.now, self.db.random.number());
        let (organisation, team) = Organisation::founded(id, self.new_team_id(origin), name, origin.now);
        transaction.add(organisation_row(&organisation).when_new());
        transaction.add(team_row(&team).when_new());
        let event = self.event(origin, "organisation.created", Some(organisation.id.as_str()));
        transaction.audit(&event.personal_change("name").change("default_team_id", (), &organisation.default_team_id));
        let person = Change::update(
            Key::user(&requester.id),
            "SET #organisation_id = :organisation_id, #team_ids = :team_ids, #role = :role, #updated_at = :now, #version \
             = #version + :one",
        )
        .when(&format!("{FITS} AND #version = :version"))
        .with("organisation_id", &organisation.id)
        .with("team_ids", [&team.id])
        .with("role", Role::ConsumerAdmin)
        .with("now", origin.now.as_millisecond())
        .with("one", 1)
        .with("version", requester.version);
        let person = transaction.add(while_fit(person));
        transaction.end_memberships(&requester.id, &requester.team_ids);
        // The team is written in the same transaction: a check of it would be a second write of one item.
        transaction.create_memberships_in(&requester.id, &organisation.id, std::slice::from_ref(&team.id));
        let event = self.event(origin, "user.moved", Some(requester.id.as_str()));
        let event = event.change("organisation_id", &requester.organisation_id, &organisation.id).change(
            "team_ids",
            &requester.team_ids,
            [&team.id],
        );
        let promoted = requester.role != Role::ConsumerAdmin;
        transaction.audit(&if promoted { event.change("role", requester.role, Role::ConsumerAdmin) } else { event });
        let approved = OrganisationRequest {
            name: organisation.name.clone(),
            status: RequestStatus::Approved,
            organisation_id: Some(organisation.id.clone()),
            ..request.clone()
        };
        let mut event = self
            .event(origin, "organisation_request.approved", Some(request.id.as_str()))
            .change("status", request.status, approved.status)
            .change("organisation_id", (), &organisation.id);
        if approved.name != request.name {
            event = event.personal_change("name");
        }
        transaction.audit(&event);
        transaction.mail(&self.compose(origin).organisation_approved(requester, &organisation.name));
        (approved, person)
    }
}
