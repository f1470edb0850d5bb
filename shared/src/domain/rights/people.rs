//! Who may change whom.

use utoipa::ToSchema;

use super::{Refusal, Why, makes_visible, may_place_in, sees, sees_everybody, shares_team};
use crate::domain::{
    ids::TeamId,
    user::{Role, Status, User},
};

/// API Owners change everybody, Consumer Admins those with whom they share a team that makes people visible.
pub(super) fn change_person(caller: &User, person: &User) -> Result<(), Refusal> {
    match caller.role {
        Role::ApiOwner => Ok(()),
        Role::ConsumerAdmin if !sees(caller, person) => Err(Refusal::Unseen),
        Role::ConsumerAdmin if shares_team(caller, person) => Ok(()),
        // An admin who is only among strangers sees themselves, and manages nobody.
        Role::ConsumerAdmin | Role::TeamMember => Err(Refusal::Forbidden(Why::AdminsOnly)),
    }
}

/// Consumer Admins with a team in which people know each other. An API Owner has no team from which to send anybody.
pub(super) fn remove_people(caller: &User) -> Result<(), Refusal> {
    match caller.role {
        Role::ApiOwner => Err(Refusal::Forbidden(Why::NotAllTeamsYours)),
        Role::ConsumerAdmin if caller.team_ids.iter().any(makes_visible) => Ok(()),
        Role::ConsumerAdmin | Role::TeamMember => Err(Refusal::Forbidden(Why::AdminsOnly)),
    }
}

/// Whoever takes somebody out of their organisation has to manage every team of theirs.
pub(super) fn remove_person(caller: &User, person: &User) -> Result<(), Refusal> {
    remove_people(caller)?;
    if caller.id == person.id {
        return Err(Refusal::Forbidden(Why::OnOneself));
    }
    change_person(caller, person)?;
    let whole = person.team_ids.iter().all(|team| may_place_in(caller, team));
    if whole { Ok(()) } else { Err(Refusal::Forbidden(Why::NotAllTeamsYours)) }
}

/// Whether what `caller` may do to others rests on the teams that they are in, which others may take from them at any
/// moment: what they write is held to these.
#[must_use]
pub fn rests_on_teams(caller: &User) -> bool {
    caller.role == Role::ConsumerAdmin
}

/// Whether somebody of `role` whom `caller` takes out of their last team may end in `default_team`, their organisation's.
/// A Consumer Admin would manage the people there, so only where the caller may place them there.
#[must_use]
pub fn may_fall_back(caller: &User, role: Role, default_team: &TeamId) -> bool {
    role != Role::ConsumerAdmin || may_place_in(caller, default_team)
}

/// Whom somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Sight {
    /// Nobody: they do not get in.
    Nobody,
    /// Themselves alone.
    Oneself,
    /// The people of those of their teams that make people visible.
    SharedTeams,
    /// Everybody.
    Everybody,
}

/// Whom `person` sees by way of `teams`, which are all of theirs or those that are shown.
#[must_use]
pub fn sight(person: &User, teams: &[TeamId]) -> Sight {
    if person.status != Status::Active || person.identity_due.is_some() {
        Sight::Nobody
    } else if sees_everybody(person) {
        Sight::Everybody
    } else if teams.iter().any(makes_visible) {
        Sight::SharedTeams
    } else {
        Sight::Oneself
    }
}

/// Whether `caller` moves people from one organisation to another.
#[must_use]
pub fn moves_people(caller: &User) -> bool {
    caller.role == Role::ApiOwner
}

/// Whether `caller` lets mail be sent again to an address to which nothing is sent.
#[must_use]
pub fn allows_mail(caller: &User) -> bool {
    caller.role == Role::ApiOwner
}

/// Whether `caller` gives people another address: who has the address gets the links that choose a password.
#[must_use]
pub fn changes_addresses(caller: &User) -> bool {
    caller.role == Role::ApiOwner
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Action, decide,
            tests::{person, team},
        },
        *,
    };

    #[test]
    fn owners_change_everybody_and_admins_whom_they_share_a_team_with() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), TeamId::default_team()]);
        let shared = person(2, Role::ConsumerAdmin, vec![team(1), team(2)]);
        let mut unconfirmed = person(3, Role::TeamMember, vec![team(1)]);
        unconfirmed.status = Status::Unconfirmed;
        let elsewhere = person(4, Role::TeamMember, vec![team(2)]);
        let stranger = person(5, Role::TeamMember, vec![TeamId::default_team()]);
        let owner = person(6, Role::ApiOwner, vec![]);

        for target in [&admin, &shared, &unconfirmed, &elsewhere, &stranger, &owner] {
            assert_eq!(decide(&owner, Action::ChangePerson(target)), Ok(()));
        }
        for target in [&admin, &shared] {
            assert_eq!(decide(&admin, Action::ChangePerson(target)), Ok(()));
        }
        for target in [&unconfirmed, &elsewhere, &stranger, &owner] {
            assert_eq!(decide(&admin, Action::ChangePerson(target)), Err(Refusal::Unseen));
        }
    }

    #[test]
    fn who_is_among_strangers_alone_changes_nobody_not_even_themselves() {
        let admin = person(1, Role::ConsumerAdmin, vec![TeamId::default_team()]);
        let member = person(2, Role::TeamMember, vec![team(1)]);

        assert_eq!(decide(&admin, Action::ChangePerson(&admin)), Err(Refusal::Forbidden(Why::AdminsOnly)));
        assert_eq!(decide(&member, Action::ChangePerson(&member)), Err(Refusal::Forbidden(Why::AdminsOnly)));
    }

    #[test]
    fn an_admin_removes_whose_teams_are_all_theirs() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), team(2), TeamId::default_team()]);
        let remove = |caller: &User, target: &User| decide(caller, Action::RemovePerson(target));
        let forbidden = |why| Err(Refusal::Forbidden(why));

        assert_eq!(remove(&admin, &person(2, Role::TeamMember, vec![team(2), team(1)])), Ok(()));
        let partly = person(2, Role::TeamMember, vec![team(1), team(3)]);
        assert_eq!(remove(&admin, &partly), forbidden(Why::NotAllTeamsYours));
        assert_eq!(remove(&admin, &person(2, Role::TeamMember, vec![team(3)])), Err(Refusal::Unseen));
        assert_eq!(remove(&admin, &person(2, Role::ApiOwner, vec![])), Err(Refusal::Unseen));
        assert_eq!(remove(&admin, &admin), forbidden(Why::OnOneself));
        let stranger = person(3, Role::ConsumerAdmin, vec![TeamId::default_team()]);
        assert_eq!(remove(&stranger, &stranger), forbidden(Why::AdminsOnly));
        assert_eq!(remove(&person(4, Role::ApiOwner, vec![]), &partly), forbidden(Why::NotAllTeamsYours));
    }

    #[test]
    fn what_somebody_sees_follows_from_state_role_and_teams() {
        let sight_of = |person: &User| sight(person, &person.team_ids);
        let member = person(1, Role::TeamMember, vec![TeamId::default_team(), team(1)]);
        let inactive = User { status: Status::Inactive, ..person(2, Role::ApiOwner, vec![]) };

        assert_eq!(sight_of(&member), Sight::SharedTeams);
        assert_eq!(sight_of(&person(3, Role::ConsumerAdmin, vec![TeamId::default_team()])), Sight::Oneself);
        assert_eq!(sight_of(&person(4, Role::ApiOwner, vec![])), Sight::Everybody);
        assert_eq!(sight_of(&inactive), Sight::Nobody);
    }

    #[test]
    fn only_owners_move_people_and_change_addresses() {
        assert!(moves_people(&person(1, Role::ApiOwner, vec![])));
        assert!(!moves_people(&person(1, Role::ConsumerAdmin, vec![team(1)])));
        assert!(changes_addresses(&person(1, Role::ApiOwner, vec![])));
        for role in [Role::ConsumerAdmin, Role::TeamMember] {
            assert!(!changes_addresses(&person(1, role, vec![team(1)])));
        }
    }

    #[test]
    fn only_owners_allow_mail_again() {
        let all = [Role::ApiOwner, Role::ConsumerAdmin, Role::TeamMember];
        assert_eq!(all.map(|role| allows_mail(&person(1, role, vec![team(1)]))), [true, false, false]);
    }
}
