//! Who asks for an organisation of their own.

use super::{Refusal, Why};
use crate::domain::{organisation_request::fits, user::User};

/// Consumers of the Default Organisation ask; whoever is in another has one, and API Owners create theirs.
pub(super) fn request_organisation(caller: &User) -> Result<(), Refusal> {
    fits(Some(caller)).map(drop).map_err(|_| Refusal::Forbidden(Why::OutsideTheDefaultOrganisation))
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
    use crate::domain::{
        ids::{OrganisationId, TeamId},
        user::Role,
    };

    #[test]
    fn consumers_of_the_default_organisation_ask_and_nobody_else() {
        for role in [Role::TeamMember, Role::ConsumerAdmin] {
            let mut caller = person(1, role, vec![TeamId::default_team()]);
            caller.organisation_id = Some(OrganisationId::default_organisation());
            assert_eq!(decide(&caller, Action::RequestOrganisation), Ok(()));
        }
        for caller in [person(1, Role::ApiOwner, vec![]), person(1, Role::ConsumerAdmin, vec![team(1)])] {
            let refusal = Err(Refusal::Forbidden(Why::OutsideTheDefaultOrganisation));
            assert_eq!(decide(&caller, Action::RequestOrganisation), refusal);
        }
    }

    #[test]
    fn only_api_owners_decide_and_everybody_lists_what_is_theirs() {
        for role in Role::ALL {
            let caller = person(1, role, vec![]);
            let decides = decide(&caller, Action::DecideOrganisationRequests);
            assert_eq!(decides.is_ok(), role == Role::ApiOwner);
            assert_eq!(decide(&caller, Action::ListOrganisationRequests), Ok(()));
        }
    }
}
