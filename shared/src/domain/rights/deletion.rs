//! Who may delete whom.

use super::{Refusal, Why};
use crate::domain::user::{Role, User};

/// API Owners delete others; their own account they leave as everybody does.
pub(super) fn delete_person(caller: &User, person: &User) -> Result<(), Refusal> {
    if caller.role != Role::ApiOwner {
        return Err(Refusal::Forbidden(Why::OwnersOnly));
    }
    if person.id == caller.id { Err(Refusal::Forbidden(Why::OnOneself)) } else { Ok(()) }
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
    fn api_owners_delete_everybody_but_themselves() {
        let owner = person(1, Role::ApiOwner, vec![]);

        assert_eq!(decide(&owner, Action::DeletePeople), Ok(()));
        for role in Role::ALL {
            assert_eq!(decide(&owner, Action::DeletePerson(&person(2, role, vec![]))), Ok(()));
        }
        assert_eq!(decide(&owner, Action::DeletePerson(&owner)), Err(Refusal::Forbidden(Why::OnOneself)));
    }

    #[test]
    fn consumers_delete_nobody_but_themselves() {
        for role in [Role::ConsumerAdmin, Role::TeamMember] {
            let caller = person(1, role, vec![team(1)]);
            let colleague = person(2, Role::TeamMember, vec![team(1)]);

            let refused = Err(Refusal::Forbidden(Why::OwnersOnly));
            assert_eq!(decide(&caller, Action::DeletePeople), refused);
            assert_eq!(decide(&caller, Action::DeletePerson(&colleague)), refused);
            assert_eq!(decide(&caller, Action::DeletePerson(&caller)), refused);
            assert_eq!(decide(&caller, Action::LeaveForGood), Ok(()));
        }
    }
}
