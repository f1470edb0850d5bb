//! Who may change whom.

use super::{Refusal, Why, sees, shares_team};
use crate::domain::user::{Role, User};

/// API Owners change everybody, Consumer Admins those with whom they share a team that makes people visible.
pub(super) fn change_person(caller: &User, person: &User) -> Result<(), Refusal> {
    match caller.role {
        Role::ApiOwner => Ok(()),
        Role::TeamMember => Err(Refusal::Forbidden(Why::AdminsOnly)),
        Role::ConsumerAdmin if !sees(caller, person) => Err(Refusal::Unseen),
        // An admin who is only among strangers sees themselves, and manages nobody.
        Role::ConsumerAdmin if shares_team(caller, person) => Ok(()),
        Role::ConsumerAdmin => Err(Refusal::Forbidden(Why::AdminsOnly)),
    }
}

/// Whether `caller` moves people from one organisation to another.
#[must_use]
pub fn moves_people(caller: &User) -> bool {
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
    use crate::domain::{ids::TeamId, user::Status};

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
    fn only_owners_move_people() {
        assert!(moves_people(&person(1, Role::ApiOwner, vec![])));
        assert!(!moves_people(&person(1, Role::ConsumerAdmin, vec![team(1)])));
    }
}
