//! Items that only the store knows: the sentinel of an address, the active owners, and a person's index keys.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    change::Change,
    keys::{self, Key},
    transaction::{Position, Transaction},
};
use crate::domain::{
    email::Email,
    ids::{InvitationId, OrganisationId, TeamId, UserId},
    link::CONFIRM_LIFE,
    mail_limit::MailWindow,
    name::Name,
    organisation::Placement,
    search::{Field, fold},
    user::{Status, User},
};

/// How far the account behind an address has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Registered, address not confirmed.
    Unconfirmed,
    /// Invited, invitation not accepted.
    Invited,
    /// Created with a password that Cognito may not have yet.
    Unfinished,
    /// The address is the person's own and a password was chosen.
    Settled,
}

impl Stage {
    /// The stage of a person whose Cognito user is not due.
    pub(super) fn of(person: &User) -> Self {
        match person.status {
            Status::Unconfirmed => Self::Unconfirmed,
            Status::Invited => Self::Invited,
            Status::Pending | Status::Active | Status::Inactive | Status::Rejected => Self::Settled,
        }
    }
}

/// What makes an address unique, with as much of its account as a public request may act on without reading more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentinel {
    /// Whose address it is.
    pub user_id: UserId,
    /// How far that account has come.
    pub stage: Stage,
    /// A copy of the person's `link_version`, changed with it.
    pub link_version: u64,
    /// Until when the registration waits to be confirmed; only while unconfirmed.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub confirm_until: Option<Timestamp>,
    /// What the invitation's mail says, to send it again; only while invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationCopy>,
    /// The mails that strangers caused lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mails: Option<MailWindow>,
}

impl Sentinel {
    /// The sentinel of an account that has come all the way.
    #[must_use]
    pub fn settled(user_id: UserId, link_version: u64) -> Self {
        Self { user_id, stage: Stage::Settled, link_version, confirm_until: None, invitation: None, mails: None }
    }
}

/// What an invitation's mail says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationCopy {
    /// Which invitation.
    pub id: InvitationId,
    /// Until when the invitation works.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// The variables of the mail's template.
    pub variables: Map<String, Value>,
}

/// The active API Owners: the guard of the last one, and whom to tell of what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owners {
    /// Their addresses.
    pub members: BTreeMap<UserId, Email>,
    /// How many they are.
    pub active: u64,
}

/// A person's place in a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the item's attributes")]
pub(super) struct Membership {
    pub user_id: UserId,
    pub team_id: TeamId,
    pub organisation_id: OrganisationId,
}

impl Transaction {
    /// Adds a person's row with its index keys.
    pub(super) fn create_user(&mut self, user: &User) -> Position {
        let queue = keys::people_in(user.status);
        let waiting = keys::instant_and_id(user.status_since, user.id.as_str());
        let code = user.redemption.as_ref().map(|redemption| keys::people_of_code(&redemption.code_id));
        let found_by = |field: Field| keys::found_by(&field.of(user), &user.id);
        let (email, first_name, last_name) =
            (found_by(Field::Email), found_by(Field::FirstName), found_by(Field::LastName));
        let mut index = vec![
            ("email_key", email.as_str()),
            ("first_name_key", &first_name),
            ("last_name_key", &last_name),
            ("list_pk", keys::ALL_PEOPLE),
            ("list_sk", user.id.as_str()),
            ("queue_pk", &queue),
            ("queue_sk", &waiting),
        ];
        if let Some(code) = &code {
            index.extend([("group_pk", code.as_str()), ("group_sk", user.id.as_str())]);
        }
        self.create(Key::user(&user.id), user, &index)
    }

    /// Adds the sentinel of a new account's address: the position tells whether the address was taken.
    pub(super) fn create_sentinel(
        &mut self,
        user: &User,
        stage: Stage,
        invitation: Option<InvitationCopy>,
    ) -> Position {
        let confirm_until = (stage == Stage::Unconfirmed).then(|| user.status_since + CONFIRM_LIFE);
        let (user_id, link_version) = (user.id.clone(), user.link_version);
        let sentinel = Sentinel { user_id, stage, link_version, confirm_until, invitation, mails: None };
        self.create(Key::email(&user.email), &sentinel, &[])
    }

    /// Adds a person's memberships.
    pub(super) fn create_memberships(&mut self, user: &User) {
        if let Some(organisation) = &user.organisation_id {
            self.create_memberships_in(&user.id, organisation, &user.team_ids);
        }
    }

    /// Adds a person's memberships in `teams` of an organisation.
    pub(super) fn create_memberships_in(&mut self, user: &UserId, organisation: &OrganisationId, teams: &[TeamId]) {
        for team in teams {
            let (user_id, organisation_id) = (user.clone(), organisation.clone());
            let membership = Membership { user_id, team_id: team.clone(), organisation_id };
            self.create(Key::membership(team, user), &membership, &[]);
        }
    }

    /// Moves a person's memberships to `place`: takes those of teams that are not in it, adds those of teams that they
    /// join, with a check of each. Whoever stands in the way at one of the positions has lost the team.
    ///
    /// The person's row is the caller's to write, in the same transaction, over the version that `user` has.
    pub(super) fn move_memberships(&mut self, user: &User, place: &Placement) -> Vec<Position> {
        self.end_memberships(&user.id, user.team_ids.iter().filter(|team| !place.team_ids.contains(team)));
        let joined = place.team_ids.iter().filter(|team| !user.team_ids.contains(team));
        let joined: Vec<TeamId> = joined.cloned().collect();
        self.create_memberships_in(&user.id, &place.organisation_id, &joined);
        self.check_teams(&joined)
    }

    /// Takes a person's memberships in `teams`.
    pub(super) fn end_memberships<'a>(&mut self, user: &UserId, teams: impl IntoIterator<Item = &'a TeamId>) {
        for team in teams {
            self.add(Change::delete(Key::membership(team, user)));
        }
    }

    /// Adds a check of each of these teams: everything that puts somebody into a team holds to its being there. The
    /// Default Organisation's default team is never deleted.
    pub(super) fn check_teams(&mut self, teams: &[TeamId]) -> Vec<Position> {
        let deletable = teams.iter().filter(|team| **team != TeamId::default_team());
        deletable.map(|team| self.add(Change::check(Key::team(team), "attribute_exists(#pk)"))).collect()
    }

    /// Adds an active API Owner to those who are counted.
    pub(super) fn add_owner(&mut self, user: &User) {
        let change = Change::update(Key::owners(), "SET #members.#id = :email ADD #active :one")
            .when("attribute_not_exists(#members.#id)")
            .named("id", user.id.as_str())
            .with("email", &user.email)
            .with("one", 1);
        self.add(change);
    }

    /// Adds that an active API Owner is counted at another address.
    pub(super) fn readdress_owner(&mut self, user: &User) {
        let change = Change::update(Key::owners(), "SET #members.#id = :email")
            .when("attribute_exists(#members.#id)")
            .named("id", user.id.as_str())
            .with("email", &user.email);
        self.add(change);
    }

    /// Takes an active API Owner from those who are counted; the position stands in the way when it is the last.
    pub(super) fn remove_owner(&mut self, user: &UserId) -> Position {
        let change = Change::update(Key::owners(), "REMOVE #members.#id ADD #active :minus_one")
            .when("attribute_exists(#members.#id) AND #active > :one")
            .named("id", user.as_str())
            .with("one", 1)
            .with("minus_one", -1);
        self.add(change)
    }
}

/// The part of an update that gives a person their names: what they are found by follows.
pub(super) const NAMES: &str = "#first_name = :first_name, #last_name = :last_name, #first_name_key = :first_name_key, \
                                #last_name_key = :last_name_key";

/// Gives the values of [`NAMES`].
pub(super) fn named(change: Change, user: &UserId, first_name: &Name, last_name: &Name) -> Change {
    change
        .with("first_name", first_name)
        .with("last_name", last_name)
        .with("first_name_key", keys::found_by(&fold(first_name.as_str()), user))
        .with("last_name_key", keys::found_by(&fold(last_name.as_str()), user))
}

/// The part of an update that puts a person into `status`, with its values: index keys, dates and version follow.
pub(super) const INTO_STATUS: &str = "#status = :status, #status_since = :now, #updated_at = :now, #queue_pk = \
                                      :queue_pk, #queue_sk = :queue_sk, #version = #version + :one";

/// The part of an update, beside [`INTO_STATUS`], that notes in a redemption that its registration has its password.
pub(super) fn confirmed(user: &User) -> &'static str {
    if user.redemption.is_some() { ", #redemption.#confirmed_at = :now" } else { "" }
}

/// Gives the values of [`INTO_STATUS`].
pub(super) fn into_status(change: Change, user: &UserId, status: Status, now: Timestamp) -> Change {
    change
        .with("status", status)
        .with("now", now.as_millisecond())
        .with("one", 1)
        .with("queue_pk", keys::people_in(status))
        .with("queue_sk", keys::instant_and_id(now, user.as_str()))
}
