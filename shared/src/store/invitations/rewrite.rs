//! A person is changed while their invitation waits: it shows them as they now are, and so does its mail when it is sent
//! again.

use serde_json::json;

use crate::{
    domain::user::{Status, User},
    store::{
        Places,
        change::Change,
        keys::{self, Key},
        transaction::Transaction,
    },
};

impl Transaction {
    /// Adds that the invitation of an invited person, and what their address knows of it, follow them. The link and its
    /// time stay as they are: what counts when it is used is the person's row.
    pub(in crate::store) fn rewrite_invitation(&mut self, before: &User, after: &User, places: &Places) {
        let Some(id) = before.invitation_id.as_ref().filter(|_| before.status == Status::Invited) else { return };
        let (set, remove) = match after.organisation_id {
            Some(_) => (", #organisation_id = :organisation_id, #group_pk = :group_pk, #group_sk = :group_sk", ""),
            None => ("", " REMOVE #organisation_id, #group_pk, #group_sk"),
        };
        let expression = format!(
            "SET #first_name = :first_name, #last_name = :last_name, #role = :role, #team_ids = :team_ids, #version = \
             #version + :one{set}{remove}"
        );
        let invitation = Change::update(Key::invitation(id), &expression)
            .when("#user_id = :user_id")
            .with("user_id", &before.id)
            .with("first_name", &after.first_name)
            .with("last_name", &after.last_name)
            .with("role", after.role)
            .with("team_ids", &after.team_ids)
            .with("one", 1);
        self.add(match &after.organisation_id {
            Some(organisation) => invitation
                .with("organisation_id", organisation)
                .with("group_pk", keys::invitations_of(organisation))
                .with("group_sk", id),
            None => invitation,
        });
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
