//! Who may see and do what: the one place that decides it.
//!
//! Every handler asks [`decide`]; what follows from a caller's role beside that is asked here too, and nothing else looks
//! at it. Source of the rules: `docs/architecture.md`, section 5, and the levels in `docs/api.md`.

mod attributes;
mod deletion;
mod invitations;
mod organisations;
mod people;

pub use attributes::{changes_attributes, visible_attributes};
use deletion::delete_person;
use invitations::see_invitation;
pub use invitations::{
    NotYourTeams, invites_without_bounds, may_give, may_invite_now, may_place_in, role_of_invited, sees_invitation,
    teams_to_invite_into,
};
use organisations::request_organisation;
pub use people::{Sight, allows_mail, changes_addresses, may_fall_back, moves_people, rests_on_teams, sight};
use people::{change_person, remove_people, remove_person};

use super::{
    ids::TeamId,
    invitation::Invitation,
    user::{Role, Status, User},
};

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// List people, within what the caller sees.
    ListPeople,
    /// Read one person's details.
    ReadPerson(&'a User),
    /// Create a person by hand.
    CreatePerson,
    /// Change a person, to what is judged apart ([`may_place_in`], [`may_give`], [`moves_people`], [`changes_addresses`],
    /// [`allows_mail`]).
    ChangePerson(&'a User),
    /// Send people from one's own teams to the Default Organisation; asked before anybody is looked up.
    RemovePeople,
    /// The same for this person.
    RemovePerson(&'a User),
    /// Approve, reject or reopen registrations, switch people on and off; asked before anybody is looked up.
    ChangeStates,
    /// The same for this person.
    ChangeState(&'a User),
    /// Delete people; asked before anybody is looked up.
    DeletePeople,
    /// Delete this person.
    DeletePerson(&'a User),
    /// See, change or export one's own account.
    OwnAccount,
    /// Delete one's own account.
    LeaveForGood,
    /// Read or change the portal's settings.
    ManageSettings,
    /// Invite somebody, into which team and as what is asked for apart ([`may_place_in`], [`may_give`]).
    Invite,
    /// List invitations, within what the caller sees.
    ListInvitations,
    /// Read an invitation.
    ReadInvitation(&'a Invitation),
    /// Send an invitation again, or revoke it.
    ManageInvitation(&'a Invitation),
    /// Send an invitation to a person who was created without a password.
    SendInvitation,
    /// Create, list, read or change organisations and their teams.
    ManageOrganisations,
    /// Read and change the templates of mails.
    ManageMailTemplates,
    /// Ask for an organisation of one's own.
    RequestOrganisation,
    /// List requests for an organisation, within what the caller sees: their own, or all.
    ListOrganisationRequests,
    /// Approve or reject requests for an organisation.
    DecideOrganisationRequests,
    /// Read the audit trail.
    ReadAudit,
    /// Create, read, change and delete invite codes, and see who redeemed them.
    ManageInviteCodes,
}

/// Why a caller may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller may know that it exists, and may not do this.
    Forbidden(Why),
    /// The caller may not even know that it exists, nor why.
    Unseen,
}

/// The rule that stands in the way of what a caller may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It takes an API Owner.
    OwnersOnly,
    /// It takes an API Owner, or a Consumer Admin of a team in which people know each other.
    AdminsOnly,
    /// Nobody does this to themselves.
    OnOneself,
    /// A Consumer Admin does this only where every team concerned is their own.
    NotAllTeamsYours,
    /// A Consumer Admin does nothing in the team in which strangers meet.
    TeamOfStrangers,
    /// It takes a consumer who is in no organisation but the default one.
    OutsideTheDefaultOrganisation,
}

impl Why {
    /// The rule in a sentence for the caller.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::OwnersOnly => "Only API Owners may do this.",
            Self::AdminsOnly => {
                "Only API Owners and API Consumer Admins may do this, and these only in teams of their own."
            }
            Self::OnOneself => "Nobody may do this to themselves.",
            Self::NotAllTeamsYours => "This concerns a team that is not yours.",
            Self::OutsideTheDefaultOrganisation => "Only who is in the Default Organisation may do this.",
            Self::TeamOfStrangers => "Strangers meet in this team: only API Owners may do this there.",
        }
    }
}

/// Whether `caller`, an active person, may do `action`.
///
/// # Errors
/// [`Refusal`] says which of the two answers the caller gets.
pub fn decide(caller: &User, action: Action<'_>) -> Result<(), Refusal> {
    let owner = caller.role == Role::ApiOwner;
    let unless = |why: Why, is: bool| if is { Ok(()) } else { Err(Refusal::Forbidden(why)) };
    match action {
        Action::ListPeople | Action::ListOrganisationRequests | Action::OwnAccount | Action::LeaveForGood => Ok(()),
        Action::CreatePerson
        | Action::ChangeStates
        | Action::DeletePeople
        | Action::ManageSettings
        | Action::ManageInviteCodes
        | Action::ManageMailTemplates
        | Action::ReadAudit
        | Action::ManageOrganisations
        | Action::DecideOrganisationRequests
        | Action::SendInvitation => unless(Why::OwnersOnly, owner),
        Action::ChangeState(person) => {
            unless(Why::OwnersOnly, owner).and_then(|()| unless(Why::OnOneself, person.id != caller.id))
        }
        Action::RequestOrganisation => request_organisation(caller),
        Action::DeletePerson(person) => delete_person(caller, person),
        Action::ReadPerson(person) => match caller.role {
            Role::ApiOwner => Ok(()),
            Role::TeamMember => Err(Refusal::Forbidden(Why::AdminsOnly)),
            Role::ConsumerAdmin if sees(caller, person) => Ok(()),
            Role::ConsumerAdmin => Err(Refusal::Unseen),
        },
        Action::ChangePerson(person) => change_person(caller, person),
        Action::RemovePeople => remove_people(caller),
        Action::RemovePerson(person) => remove_person(caller, person),
        Action::Invite => {
            unless(Why::AdminsOnly, owner || (is_admin(caller) && caller.team_ids.iter().any(makes_visible)))
        }
        Action::ListInvitations => unless(Why::AdminsOnly, owner || is_admin(caller)),
        Action::ReadInvitation(invitation) => see_invitation(caller, invitation),
        // Whoever takes part of an invitation away takes all of it: every team has to be the caller's.
        Action::ManageInvitation(invitation) => {
            let whole = owner || invitation.team_ids.iter().all(|team| may_place_in(caller, team));
            see_invitation(caller, invitation).and_then(|()| unless(Why::NotAllTeamsYours, whole))
        }
    }
}

fn is_admin(caller: &User) -> bool {
    caller.role == Role::ConsumerAdmin
}

/// Whether nobody is hidden from `caller`, and no team.
#[must_use]
pub fn sees_everybody(caller: &User) -> bool {
    caller.role == Role::ApiOwner
}

/// Whether lists show `caller` all that is known of the people in them, and not only what concerns everybody.
#[must_use]
pub fn sees_details_in_lists(caller: &User) -> bool {
    caller.role != Role::TeamMember
}

/// Whether `person` can log in, and stay logged in, while sign-in is switched off.
#[must_use]
pub fn gets_in_while_closed(person: &User) -> bool {
    person.role == Role::ApiOwner
}

/// Whether `caller` finds `person` in lists: API Owners find everybody, everybody finds themselves, consumers those
/// with whom they share a team and who have confirmed their address.
#[must_use]
pub fn sees(caller: &User, person: &User) -> bool {
    sees_everybody(caller)
        || caller.id == person.id
        || (person.status != Status::Unconfirmed && shares_team(caller, person))
}

fn shares_team(caller: &User, person: &User) -> bool {
    person.team_ids.iter().any(|team| caller.team_ids.contains(team) && makes_visible(team))
}

/// Whether sharing `team` makes people visible to each other: not in the default team of the Default Organisation,
/// where strangers meet.
#[must_use]
pub fn makes_visible(team: &TeamId) -> bool {
    *team != TeamId::default_team()
}

/// The teams of `person` that `caller` is shown: all for API Owners and for oneself, else the shared ones.
#[must_use]
pub fn visible_teams(caller: &User, person: &User) -> Vec<TeamId> {
    if caller.id == person.id { person.team_ids.clone() } else { shown_teams(caller, &person.team_ids) }
}

/// Those of `teams` that `caller` is shown: all for API Owners, else their own.
#[must_use]
pub fn shown_teams(caller: &User, teams: &[TeamId]) -> Vec<TeamId> {
    teams.iter().filter(|team| sees_everybody(caller) || caller.team_ids.contains(team)).cloned().collect()
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{
        email::Email,
        ids::OrganisationId,
        name::Name,
        organisation::Placement,
        user::{NewUser, Source, Start},
    };

    pub(in crate::domain) fn team(number: u128) -> TeamId {
        TeamId::new(Timestamp::UNIX_EPOCH, number + 1)
    }

    pub(in crate::domain) fn person(number: u128, role: Role, team_ids: Vec<TeamId>) -> User {
        let organisation_id = OrganisationId::new(Timestamp::UNIX_EPOCH, 1);
        let new = NewUser {
            email: Email::parse("ada@example.com").unwrap(),
            first_name: Name::parse("Ada").unwrap(),
            last_name: Name::parse("Lovelace").unwrap(),
            role,
            placement: (role != Role::ApiOwner).then_some(Placement { organisation_id, team_ids }),
            source: Source::SelfRegistration,
            start: Start::As(Status::Active),
        };
        new.at(Timestamp::UNIX_EPOCH, number)
    }

    #[test]
    fn only_api_owners_create_people_change_states_and_manage_the_portal() {
        let actions = [
            Action::CreatePerson,
            Action::ChangeStates,
            Action::ManageSettings,
            Action::ManageInviteCodes,
            Action::ManageMailTemplates,
            Action::ReadAudit,
            Action::ManageOrganisations,
            Action::DecideOrganisationRequests,
            Action::SendInvitation,
        ];
        for action in actions {
            assert_eq!(decide(&person(1, Role::ApiOwner, vec![]), action), Ok(()));
            for role in [Role::ConsumerAdmin, Role::TeamMember] {
                let refused = Err(Refusal::Forbidden(Why::OwnersOnly));
                assert_eq!(decide(&person(1, role, vec![team(1)]), action), refused);
            }
        }
    }

    #[test]
    fn nobody_changes_their_own_state() {
        let owner = person(1, Role::ApiOwner, vec![]);

        assert_eq!(decide(&owner, Action::ChangeState(&owner)), Err(Refusal::Forbidden(Why::OnOneself)));
        assert_eq!(decide(&owner, Action::ChangeState(&person(2, Role::ApiOwner, vec![]))), Ok(()));
    }

    #[test]
    fn a_consumer_admin_reads_people_of_shared_teams_and_does_not_learn_of_others() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), team(2)]);

        assert_eq!(decide(&admin, Action::ReadPerson(&person(2, Role::TeamMember, vec![team(2)]))), Ok(()));
        assert_eq!(
            decide(&admin, Action::ReadPerson(&person(2, Role::TeamMember, vec![team(3)]))),
            Err(Refusal::Unseen)
        );
        let owner = person(3, Role::ApiOwner, vec![]);
        assert_eq!(decide(&admin, Action::ReadPerson(&owner)), Err(Refusal::Unseen));
    }

    #[test]
    fn a_team_member_reads_nobodys_details() {
        let member = person(1, Role::TeamMember, vec![team(1)]);

        assert_eq!(decide(&member, Action::ReadPerson(&member)), Err(Refusal::Forbidden(Why::AdminsOnly)));
    }

    #[test]
    fn everybody_has_an_account_of_their_own_and_lists_people() {
        for role in [Role::ApiOwner, Role::ConsumerAdmin, Role::TeamMember] {
            let caller = person(1, role, vec![team(1)]);
            assert_eq!([Action::OwnAccount, Action::ListPeople].map(|action| decide(&caller, action)), [Ok(()); 2]);
        }
    }

    #[test]
    fn only_api_owners_see_everybody_and_get_in_while_the_portal_is_closed() {
        for role in [Role::ApiOwner, Role::ConsumerAdmin, Role::TeamMember] {
            let caller = person(1, role, vec![team(1)]);
            assert_eq!(sees_everybody(&caller), role == Role::ApiOwner);
            assert_eq!(gets_in_while_closed(&caller), role == Role::ApiOwner);
        }
    }

    #[test]
    fn team_members_see_no_details_in_lists() {
        for role in [Role::ApiOwner, Role::ConsumerAdmin, Role::TeamMember] {
            let caller = person(1, role, vec![team(1)]);
            assert_eq!(sees_details_in_lists(&caller), role != Role::TeamMember);
        }
    }

    #[test]
    fn the_default_team_makes_nobody_visible() {
        let admin = person(1, Role::ConsumerAdmin, vec![TeamId::default_team()]);
        let stranger = person(2, Role::TeamMember, vec![TeamId::default_team()]);

        assert!(!sees(&admin, &stranger));
        assert!(sees(&admin, &admin));
    }

    #[test]
    fn consumers_do_not_see_unconfirmed_registrations() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1)]);
        let mut applicant = person(2, Role::TeamMember, vec![team(1)]);
        applicant.status = Status::Unconfirmed;

        assert!(!sees(&admin, &applicant));
        assert!(sees(&person(3, Role::ApiOwner, vec![]), &applicant));
    }

    #[test]
    fn only_shared_teams_are_shown() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1)]);
        let other = person(2, Role::TeamMember, vec![team(1), team(2)]);

        assert_eq!(visible_teams(&admin, &other), [team(1)]);
        assert_eq!(visible_teams(&other, &other), [team(1), team(2)]);
    }
}
