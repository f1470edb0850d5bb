//! A person is changed while their invitation waits: it shows them as they now are, and so does its mail when it is sent
//! again.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    domain::{
        ids::MailId,
        invitation::InvitationStatus,
        user::{Status, User},
    },
    mail::in_words,
    store::{
        InvitationCopy, Places,
        change::Change,
        keys::{self, Key},
        transaction::Transaction,
    },
};

/// That an invitation which waits is sent to another address.
#[derive(Clone, Debug)]
pub(in crate::store) struct Renewal {
    /// By which mail.
    pub mail_id: MailId,
    /// When.
    pub sent_at: Timestamp,
    /// Until when it works now.
    pub expires_at: Timestamp,
}

impl InvitationCopy {
    /// What an address knows of the invitation of `person`, as they now are.
    pub(in crate::store) fn following(&self, person: &User, places: &Places) -> Self {
        let mut variables = self.variables.clone();
        let organisation = person.organisation_id.as_ref().and_then(|id| places.organisation(id));
        let teams: Vec<_> = person.team_ids.iter().filter_map(|id| places.team(id)).collect();
        variables.insert("first_name".to_owned(), json!(person.first_name));
        variables.insert("organisation".to_owned(), json!(organisation));
        variables.insert("teams".to_owned(), json!(teams));
        Self { variables, ..self.clone() }
    }

    /// Makes it work until `expires_at`, and say so.
    pub(in crate::store) fn renew(&mut self, expires_at: Timestamp) {
        self.expires_at = expires_at;
        self.variables.insert("expires_at".to_owned(), json!(in_words(expires_at)));
    }
}

impl Transaction {
    /// Adds that the invitation of an invited person follows them; with a `renewal` it is sent and starts anew, otherwise
    /// link and time stay as they are: what counts when it is used is the person's row.
    pub(in crate::store) fn rewrite_invitation(&mut self, before: &User, after: &User, renewal: Option<&Renewal>) {
        let Some(id) = before.invitation_id.as_ref().filter(|_| before.status == Status::Invited) else { return };
        let (set, remove) = match after.organisation_id {
            Some(_) => (", #organisation_id = :organisation_id, #group_pk = :group_pk, #group_sk = :group_sk", ""),
            None => ("", " REMOVE #organisation_id, #group_pk, #group_sk"),
        };
        let (renewed, waits) = match renewal {
            Some(_) => (
                ", #mail_id = :mail_id, #sent_at = :sent_at, #expires_at = :expires_at, #queue_sk = :queue_sk",
                " AND #status = :pending",
            ),
            None => ("", ""),
        };
        let expression = format!(
            "SET #email = :email, #first_name = :first_name, #last_name = :last_name, #role = :role, #team_ids = :team_ids, \
             #version = #version + :one{renewed}{set}{remove}"
        );
        let invitation = Change::update(Key::invitation(id), &expression)
            .when(&format!("#user_id = :user_id{waits}"))
            .with("email", &after.email)
            .with("user_id", &before.id)
            .with("first_name", &after.first_name)
            .with("last_name", &after.last_name)
            .with("role", after.role)
            .with("team_ids", &after.team_ids)
            .with("one", 1);
        let invitation = match renewal {
            Some(renewal) => invitation
                .with("mail_id", &renewal.mail_id)
                .with("sent_at", renewal.sent_at.as_millisecond())
                .with("expires_at", renewal.expires_at.as_millisecond())
                .with("queue_sk", keys::instant_and_id(renewal.expires_at, id.as_str()))
                .with("pending", InvitationStatus::Pending),
            None => invitation,
        };
        self.add(match &after.organisation_id {
            Some(organisation) => invitation
                .with("organisation_id", organisation)
                .with("group_pk", keys::invitations_of(organisation))
                .with("group_sk", id),
            None => invitation,
        });
    }

    /// Adds that what the address of an invited person knows of their invitation follows them.
    pub(in crate::store) fn rewrite_invitation_copy(&mut self, before: &User, after: &User, places: &Places) {
        let Some(id) = before.invitation_id.as_ref().filter(|_| before.status == Status::Invited) else { return };
        let organisation = after.organisation_id.as_ref().and_then(|id| places.organisation(id));
        let teams: Vec<_> = after.team_ids.iter().filter_map(|id| places.team(id)).collect();
        let expression = "SET #invitation.#variables.#first_name = :first_name, #invitation.#variables.#organisation = \
                          :organisation, #invitation.#variables.#teams = :teams";
        let address = Change::update(Key::email(&before.email), expression)
            .when("#user_id = :user_id AND #invitation.#id = :invitation_id")
            .with("user_id", &before.id)
            .with("invitation_id", id)
            .with("first_name", &after.first_name)
            .with("organisation", json!(organisation))
            .with("teams", json!(teams));
        self.add(address);
    }
}
