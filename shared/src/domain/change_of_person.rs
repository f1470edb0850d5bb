//! What a change of a person makes of them: names, address, role and place, by an API Owner or an API Consumer Admin.
//!
//! Source of the rules: `docs/architecture.md`, section 5.

use jiff::Timestamp;

use super::{
    each_once,
    email::Email,
    ids::{OrganisationId, TeamId},
    name::Name,
    organisation::{MAX_TEAMS, Placement},
    rights,
    suppression::MailStatus,
    user::{Role, Status, User},
};

/// What is named; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct ChangeOfPerson {
    /// First name.
    pub first_name: Option<Name>,
    /// Last name.
    pub last_name: Option<Name>,
    /// Their address.
    pub email: Option<Email>,
    /// What they may do.
    pub role: Option<Role>,
    /// The organisation to move to; inner `None` where the caller says: none.
    pub organisation_id: Option<Option<OrganisationId>>,
    /// The teams to be in: all of them, or those within a Consumer Admin's own.
    pub team_ids: Option<Vec<TeamId>>,
    /// Whether mail is to be sent to their address again, whatever became of it before.
    pub allow_mail: bool,
}

/// Why a change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotChanged {
    /// Nobody changes their own role.
    OwnRole,
    /// Only an API Owner lets mail be sent again.
    MailStatusNotYours,
    /// Only an API Owner gives people another address.
    EmailNotYours,
    /// Only an API Owner gives this role.
    RoleNotYours,
    /// Only an API Owner moves people to another organisation.
    OrganisationNotYours,
    /// One of the teams is not the caller's, or strangers meet in it.
    TeamNotYours,
    /// Somebody who is or becomes a Consumer Admin would be left without a team, and the organisation's default team is
    /// not the caller's.
    TeamsMissing,
    /// They would be in more than [`MAX_TEAMS`] teams, those included that the caller is not shown.
    TooManyTeams,
    /// An API Owner is in no organisation.
    OwnerHasNoOrganisation,
    /// An API Owner is in no team.
    OwnerHasNoTeams,
    /// Everybody else is in one.
    OrganisationMissing,
}

/// The place that a change leads to: teams that are new to a person still have to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedPlace {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The teams in which they stay.
    pub kept: Vec<TeamId>,
    /// The teams that they join.
    pub joined: Vec<TeamId>,
}

impl WantedPlace {
    /// The place, where nothing is left to look up.
    #[must_use]
    pub fn known(&self) -> Option<Placement> {
        let known = self.joined.is_empty() && !self.kept.is_empty();
        known.then(|| Placement { organisation_id: self.organisation_id.clone(), team_ids: self.kept.clone() })
    }

    /// The place of somebody of `role`, with the teams that `found` names: those that are joined, or the default team where
    /// none is left.
    ///
    /// # Errors
    /// [`NotChanged::TeamsMissing`].
    pub fn with(self, caller: &User, role: Role, found: Placement) -> Result<Placement, NotChanged> {
        let falls_back = self.kept.is_empty() && self.joined.is_empty();
        if falls_back && !found.team_ids.iter().all(|team| rights::may_fall_back(caller, role, team)) {
            return Err(NotChanged::TeamsMissing);
        }
        let team_ids = self.kept.into_iter().chain(found.team_ids).collect();
        Ok(Placement { organisation_id: found.organisation_id, team_ids })
    }
}

impl ChangeOfPerson {
    /// What the change makes of `before` by the will of `caller`, who may change them: the person as they will be, but
    /// for their place, and that place (`None` for API Owners).
    ///
    /// Whoever is moved to the Default Organisation becomes a Team Member, unless the change names a role.
    ///
    /// # Errors
    /// Every [`NotChanged`] that stands in the way.
    pub fn over(&self, caller: &User, before: &User) -> Result<(User, Option<WantedPlace>), Vec<NotChanged>> {
        let mut faults = Vec::new();
        let role = self.role.unwrap_or(before.role);
        if role != before.role {
            if caller.id == before.id {
                faults.push(NotChanged::OwnRole);
            } else if !rights::may_give(caller, role) {
                faults.push(NotChanged::RoleNotYours);
            }
        }
        let email = self.email.as_ref().filter(|email| **email != before.email);
        if email.is_some() && !rights::changes_addresses(caller) {
            faults.push(NotChanged::EmailNotYours);
        }
        let place = if role == Role::ApiOwner {
            faults.extend(self.faults_of_owner());
            None
        } else {
            self.place(caller, before).map_err(|fault| faults.push(fault)).ok()
        };
        if self.allow_mail && !rights::allows_mail(caller) {
            faults.push(NotChanged::MailStatusNotYours);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let after = User {
            first_name: self.first_name.clone().unwrap_or_else(|| before.first_name.clone()),
            last_name: self.last_name.clone().unwrap_or_else(|| before.last_name.clone()),
            mail_status: if self.allow_mail { MailStatus::Ok } else { before.mail_status },
            role: place.as_ref().map_or(role, |place| before.role_in(&place.organisation_id, self.role)),
            ..before.clone()
        };
        let after = match email {
            Some(email) => after.at_address(email.clone()),
            None => after,
        };
        Ok((after, place))
    }

    fn faults_of_owner(&self) -> impl Iterator<Item = NotChanged> + use<> {
        let organisation = matches!(self.organisation_id, Some(Some(_))).then_some(NotChanged::OwnerHasNoOrganisation);
        let teams = self.team_ids.as_ref().is_some_and(|teams| !teams.is_empty());
        organisation.into_iter().chain(teams.then_some(NotChanged::OwnerHasNoTeams))
    }

    fn place(&self, caller: &User, before: &User) -> Result<WantedPlace, NotChanged> {
        let organisation_id = match &self.organisation_id {
            Some(None) => return Err(NotChanged::OrganisationMissing),
            Some(Some(id)) => id.clone(),
            None => before.organisation_id.clone().unwrap_or_else(OrganisationId::default_organisation),
        };
        if before.organisation_id.as_ref() != Some(&organisation_id) {
            if !rights::moves_people(caller) {
                return Err(NotChanged::OrganisationNotYours);
            }
            let joined = each_once(self.team_ids.clone().unwrap_or_default());
            return Ok(WantedPlace { organisation_id, kept: Vec::new(), joined });
        }
        let Some(named) = &self.team_ids else {
            return Ok(WantedPlace { organisation_id, kept: before.team_ids.clone(), joined: Vec::new() });
        };
        if !named.iter().all(|team| rights::may_place_in(caller, team)) {
            return Err(NotChanged::TeamNotYours);
        }
        let stays = |team: &&TeamId| named.contains(*team) || !rights::may_place_in(caller, team);
        let kept: Vec<_> = before.team_ids.iter().filter(stays).cloned().collect();
        let joined: Vec<_> = each_once(named.iter().cloned()).into_iter().filter(|team| !kept.contains(team)).collect();
        if !joined.is_empty() && kept.len() + joined.len() > MAX_TEAMS {
            return Err(NotChanged::TooManyTeams);
        }
        Ok(WantedPlace { organisation_id, kept, joined })
    }
}

impl User {
    /// What the person is in `organisation`, with `named` where somebody says so: who is moved to the Default Organisation
    /// is a Team Member.
    #[must_use]
    pub fn role_in(&self, organisation: &OrganisationId, named: Option<Role>) -> Role {
        let moved = self.organisation_id.as_ref() != Some(organisation);
        let sent_home = moved && *organisation == OrganisationId::default_organisation();
        named.unwrap_or(if sent_home { Role::TeamMember } else { self.role })
    }

    /// The person at another address. Whatever was begun at the old one ends: every link, and a login that waits for another
    /// password. Sessions stay, they are the person's.
    fn at_address(self, email: Email) -> Self {
        Self { email, link_version: self.link_version + 1, challenge: None, ..self }
    }

    /// The person in the version that follows `before`, written at `now`; the same where nothing changed. Who has yet to
    /// confirm another address has as long for it as whoever registers.
    #[must_use]
    pub fn following(self, before: &Self, now: Timestamp) -> Self {
        if self == *before {
            return self;
        }
        let to_confirm = self.status == Status::Unconfirmed && self.email != before.email;
        let status_since = if to_confirm { now } else { self.status_since };
        Self { updated_at: now, version: before.version + 1, status_since, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rights::tests::{person, team};

    fn admin() -> User {
        person(1, Role::ConsumerAdmin, vec![team(1), team(2), TeamId::default_team()])
    }

    fn owner() -> User {
        person(9, Role::ApiOwner, vec![])
    }

    fn into(team_ids: Vec<TeamId>) -> ChangeOfPerson {
        ChangeOfPerson { team_ids: Some(team_ids), ..ChangeOfPerson::default() }
    }

    fn to(role: Role) -> ChangeOfPerson {
        ChangeOfPerson { role: Some(role), ..ChangeOfPerson::default() }
    }

    #[test]
    fn an_admin_replaces_the_part_within_their_own_teams_alone() {
        let ada = person(2, Role::TeamMember, vec![team(3), team(1)]);
        let place = |named| into(named).over(&admin(), &ada).map(|(_, place)| place.unwrap());

        let moved = place(vec![team(2)]).unwrap();
        assert_eq!((moved.kept, moved.joined), (vec![team(3)], vec![team(2)]));
        let left = place(vec![]).unwrap();
        assert_eq!((left.known().unwrap().team_ids, left.joined), (vec![team(3)], vec![]));
        for not_theirs in [team(3), team(4), TeamId::default_team()] {
            assert_eq!(place(vec![team(1), not_theirs]).unwrap_err(), [NotChanged::TeamNotYours]);
        }
    }

    #[test]
    fn the_default_team_is_looked_up_where_none_is_left() {
        let ada = person(2, Role::TeamMember, vec![team(1)]);

        let (_, place) = into(vec![]).over(&admin(), &ada).unwrap();

        assert_eq!(place.unwrap().known(), None);
    }

    #[test]
    fn who_is_left_without_a_team_falls_back_unless_they_would_be_admin_of_a_team_that_is_not_the_callers() {
        let found = |default_team: TeamId| Placement {
            organisation_id: OrganisationId::default_organisation(),
            team_ids: vec![default_team],
        };
        let nowhere = |caller: &User| into(vec![]).over(caller, &person(2, Role::TeamMember, vec![team(1)])).unwrap().1;
        let left = |caller: User, role, default_team: TeamId| {
            nowhere(&caller).unwrap().with(&caller, role, found(default_team)).map(|place| place.team_ids)
        };

        assert_eq!(left(admin(), Role::TeamMember, team(5)), Ok(vec![team(5)]));
        assert_eq!(left(admin(), Role::ConsumerAdmin, team(2)), Ok(vec![team(2)]));
        for default_team in [team(5), TeamId::default_team()] {
            assert_eq!(left(admin(), Role::ConsumerAdmin, default_team.clone()), Err(NotChanged::TeamsMissing));
            assert_eq!(left(owner(), Role::ConsumerAdmin, default_team.clone()), Ok(vec![default_team]));
        }
    }

    #[test]
    fn teams_elsewhere_count_and_who_is_in_too_many_may_still_leave_some() {
        let of = |number: u128| (10..10 + number).map(team).collect::<Vec<_>>();
        let full = person(2, Role::TeamMember, [of(19), vec![team(1)]].concat());
        let over = |caller: &User, teams: Vec<TeamId>| into(teams).over(caller, &full).map(drop);

        assert_eq!(over(&admin(), vec![team(1), team(2)]), Err(vec![NotChanged::TooManyTeams]));
        assert_eq!(over(&admin(), vec![team(2)]), Ok(()));
        assert_eq!(over(&owner(), of(20)), Ok(()));
        let beyond = person(2, Role::TeamMember, [of(30), vec![team(1)]].concat());
        assert!(into(vec![]).over(&admin(), &beyond).is_ok());
    }

    #[test]
    fn a_team_named_twice_is_joined_once_and_one_that_stays_is_not_joined() {
        let ada = person(2, Role::TeamMember, vec![team(1), team(4)]);

        let (_, place) = into(vec![team(2), team(1), team(2)]).over(&owner(), &ada).unwrap();

        let place = place.unwrap();
        assert_eq!((place.kept, place.joined), (vec![team(1)], vec![team(2)]));
    }

    #[test]
    fn nobody_changes_their_own_role_and_repeating_it_is_no_change() {
        for (caller, other) in [(owner(), Role::TeamMember), (admin(), Role::TeamMember)] {
            assert_eq!(to(other).over(&caller, &caller).unwrap_err(), [NotChanged::OwnRole]);
            assert_eq!(to(caller.role).over(&caller, &caller).unwrap().0, caller);
        }
    }

    #[test]
    fn only_owners_make_owners_and_move_people() {
        let ada = person(2, Role::TeamMember, vec![team(1)]);
        let elsewhere = Some(Some(OrganisationId::default_organisation()));
        let change = ChangeOfPerson { organisation_id: elsewhere, ..to(Role::ApiOwner) };

        assert_eq!(to(Role::ConsumerAdmin).over(&admin(), &ada).unwrap().0.role, Role::ConsumerAdmin);
        assert_eq!(to(Role::ApiOwner).over(&admin(), &ada).unwrap_err(), [NotChanged::RoleNotYours]);
        let moving = ChangeOfPerson { role: None, ..change };
        assert_eq!(moving.over(&admin(), &ada).unwrap_err(), [NotChanged::OrganisationNotYours]);
        assert_eq!(to(Role::ApiOwner).over(&owner(), &ada).unwrap().1, None);
    }

    #[test]
    fn only_owners_allow_mail_again() {
        let ada = User { mail_status: MailStatus::Bounced, ..person(2, Role::TeamMember, vec![team(1)]) };
        let allowing = ChangeOfPerson { allow_mail: true, ..ChangeOfPerson::default() };

        assert_eq!(allowing.over(&owner(), &ada).unwrap().0.mail_status, MailStatus::Ok);
        assert_eq!(allowing.over(&admin(), &ada).unwrap_err(), [NotChanged::MailStatusNotYours]);
        assert_eq!(ChangeOfPerson::default().over(&owner(), &ada).unwrap().0, ada);
    }

    #[test]
    fn an_owner_has_no_place_and_everybody_else_has_one() {
        let ada = person(2, Role::TeamMember, vec![team(1)]);
        let placed = ChangeOfPerson {
            organisation_id: Some(ada.organisation_id.clone()),
            team_ids: Some(vec![team(1)]),
            ..to(Role::ApiOwner)
        };
        let nowhere = ChangeOfPerson { organisation_id: Some(None), ..to(Role::ConsumerAdmin) };
        let of_owner = ChangeOfPerson { organisation_id: Some(None), team_ids: Some(vec![]), ..to(Role::ApiOwner) };

        let both = [NotChanged::OwnerHasNoOrganisation, NotChanged::OwnerHasNoTeams];
        assert_eq!(placed.over(&owner(), &ada).unwrap_err(), both);
        assert_eq!(nowhere.over(&owner(), &ada).unwrap_err(), [NotChanged::OrganisationMissing]);
        assert_eq!(of_owner.over(&owner(), &ada).unwrap().0.role, Role::ApiOwner);
    }

    #[test]
    fn who_is_moved_to_the_default_organisation_is_a_team_member_unless_a_role_is_named() {
        let ada = person(2, Role::ConsumerAdmin, vec![team(1)]);
        let home = Some(Some(OrganisationId::default_organisation()));
        let moved = ChangeOfPerson { organisation_id: home.clone(), ..ChangeOfPerson::default() };
        let as_admin = ChangeOfPerson { organisation_id: home, ..to(Role::ConsumerAdmin) };

        assert_eq!(moved.over(&owner(), &ada).unwrap().0.role, Role::TeamMember);
        assert_eq!(as_admin.over(&owner(), &ada).unwrap().0.role, Role::ConsumerAdmin);
        let there = User { organisation_id: Some(OrganisationId::default_organisation()), ..ada };
        assert_eq!(moved.over(&owner(), &there).unwrap().0.role, Role::ConsumerAdmin);
    }

    #[test]
    fn only_owners_change_addresses_and_repeating_one_is_no_change() {
        let ada = person(2, Role::TeamMember, vec![team(1)]);
        let at = |address: &str| ChangeOfPerson { email: Email::parse(address).ok(), ..ChangeOfPerson::default() };

        let (after, _) = at("augusta@example.org").over(&owner(), &ada).unwrap();

        assert_eq!((after.email.as_str(), after.link_version), ("augusta@example.org", ada.link_version + 1));
        assert_eq!(at("augusta@example.org").over(&admin(), &ada).unwrap_err(), [NotChanged::EmailNotYours]);
        assert_eq!(at(ada.email.as_str()).over(&admin(), &ada).unwrap().0, ada);
    }

    #[test]
    fn who_has_yet_to_confirm_another_address_waits_anew_and_nobody_else_does() {
        let now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1);
        for status in Status::ALL {
            let before = User { status, ..person(2, Role::TeamMember, vec![team(1)]) };
            let moved = before.clone().at_address(Email::parse("augusta@example.org").unwrap());
            let renamed = User { first_name: Name::given("Augusta"), ..before.clone() };

            let waits_since = moved.following(&before, now).status_since;

            assert_eq!(waits_since == now, status == Status::Unconfirmed, "{status:?}");
            assert_eq!(renamed.following(&before, now).status_since, before.status_since);
        }
    }
}
