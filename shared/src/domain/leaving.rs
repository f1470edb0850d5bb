//! Where people go whose team is gone. Source of the rule: `docs/architecture.md`, sections 3.14 and 5.

use super::{
    ids::TeamId,
    organisation::{Organisation, Placement},
    user::{Role, User},
};

/// Where somebody is once they have left, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The place.
    pub placement: Placement,
    /// The role.
    pub role: Role,
}

/// Where `person` goes from `team`, whose row is gone; `organisation` is theirs, if it stays.
///
/// Who has other teams keeps those and their role; who loses the last goes to the organisation's default team. Without
/// the organisation they are Team Members in the Default Organisation's default team, whatever they were.
#[must_use]
pub fn leave(person: &User, team: &TeamId, organisation: Option<&Organisation>) -> Destination {
    let Some(organisation) = organisation else {
        return Destination { placement: Placement::default_place(), role: Role::TeamMember };
    };
    let mut team_ids: Vec<TeamId> = person.team_ids.iter().filter(|id| *id != team).cloned().collect();
    if team_ids.is_empty() {
        team_ids.push(organisation.default_team_id.clone());
    }
    Destination { placement: Placement { organisation_id: organisation.id.clone(), team_ids }, role: person.role }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{
        email::Email,
        ids::OrganisationId,
        name::Name,
        user::{NewUser, Source, Start, Status},
    };

    fn team(number: u128) -> TeamId {
        TeamId::new(Timestamp::UNIX_EPOCH, number)
    }

    fn acme() -> Organisation {
        let id = OrganisationId::new(Timestamp::UNIX_EPOCH, 1);
        Organisation::founded(id, team(1), Name::given("Acme"), Timestamp::UNIX_EPOCH).0
    }

    fn admin_of(team_ids: Vec<TeamId>) -> User {
        let new = NewUser {
            email: Email::parse("ada@example.com").unwrap(),
            first_name: Name::given("Ada"),
            last_name: Name::given("Lovelace"),
            role: Role::ConsumerAdmin,
            placement: Some(Placement { organisation_id: acme().id, team_ids }),
            source: Source::ApiOwner,
            start: Start::As(Status::Active),
        };
        new.at(Timestamp::UNIX_EPOCH, 1)
    }

    #[test]
    fn other_teams_stay() {
        let left = leave(&admin_of(vec![team(2), team(3), team(4)]), &team(3), Some(&acme()));

        let placement = Placement { organisation_id: acme().id, team_ids: vec![team(2), team(4)] };
        assert_eq!(left, Destination { placement, role: Role::ConsumerAdmin });
    }

    #[test]
    fn the_default_team_stands_in_for_the_last() {
        let left = leave(&admin_of(vec![team(3)]), &team(3), Some(&acme()));

        let placement = Placement { organisation_id: acme().id, team_ids: vec![team(1)] };
        assert_eq!(left, Destination { placement, role: Role::ConsumerAdmin });
    }

    #[test]
    fn without_their_organisation_everybody_is_a_team_member_of_the_default_place() {
        let left = leave(&admin_of(vec![team(2), team(3)]), &team(3), None);

        assert_eq!(left, Destination { placement: Placement::default_place(), role: Role::TeamMember });
    }
}
