//! Who may see and do what: the one place that decides it.
//!
//! Every handler asks [`decide`]; what follows from a caller's role beside that is asked here too, and nothing else looks
//! at it. Source of the rules: `docs/architecture.md`, section 5, and the levels in `docs/api.md`.

use super::{
    ids::TeamId,
    invitation::Invitation,
    settings::Settings,
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
    /// Approve, reject or reopen registrations, switch people on and off; asked before anybody is looked up.
    ChangeStates,
    /// The same for this person.
    ChangeState(&'a User),
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
    /// Create, read, change and delete invite codes, and see who redeemed them.
    ManageInviteCodes,
}

/// Why a caller may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller may know that it exists, and may not do this.
    Forbidden,
    /// The caller may not even know that it exists.
    Unseen,
}

/// Whether `caller`, an active person, may do `action`.
///
/// # Errors
/// [`Refusal`] says which of the two answers the caller gets.
pub fn decide(caller: &User, action: Action<'_>) -> Result<(), Refusal> {
    let owner = caller.role == Role::ApiOwner;
    let allowed = |is: bool| if is { Ok(()) } else { Err(Refusal::Forbidden) };
    match action {
        Action::ListPeople => Ok(()),
        Action::CreatePerson
        | Action::ChangeStates
        | Action::ManageSettings
        | Action::ManageInviteCodes
        | Action::ManageOrganisations
        | Action::SendInvitation => allowed(owner),
        Action::ChangeState(person) => allowed(owner && person.id != caller.id),
        Action::ReadPerson(person) => match caller.role {
            Role::ApiOwner => Ok(()),
            Role::TeamMember => Err(Refusal::Forbidden),
            Role::ConsumerAdmin if sees(caller, person) => Ok(()),
            Role::ConsumerAdmin => Err(Refusal::Unseen),
        },
        Action::Invite => allowed(owner || (is_admin(caller) && caller.team_ids.iter().any(makes_visible))),
        Action::ListInvitations => allowed(owner || is_admin(caller)),
        Action::ReadInvitation(invitation) => see_invitation(caller, invitation),
        // Whoever takes part of an invitation away takes all of it: every team has to be the caller's.
        Action::ManageInvitation(invitation) => see_invitation(caller, invitation)
            .and_then(|()| allowed(owner || invitation.team_ids.iter().all(|team| may_place_in(caller, team)))),
    }
}

fn is_admin(caller: &User) -> bool {
    caller.role == Role::ConsumerAdmin
}

fn see_invitation(caller: &User, invitation: &Invitation) -> Result<(), Refusal> {
    match caller.role {
        Role::TeamMember => Err(Refusal::Forbidden),
        Role::ApiOwner | Role::ConsumerAdmin if sees_invitation(caller, invitation) => Ok(()),
        Role::ApiOwner | Role::ConsumerAdmin => Err(Refusal::Unseen),
    }
}

/// Whether `caller` finds `invitation` in lists: API Owners find all but those that tell a Consumer Admin nothing
/// (`elsewhere`), Consumer Admins those into a team of their own.
#[must_use]
pub fn sees_invitation(caller: &User, invitation: &Invitation) -> bool {
    match caller.role {
        Role::ApiOwner => !invitation.elsewhere,
        Role::ConsumerAdmin => invitation.team_ids.iter().any(|team| may_place_in(caller, team)),
        Role::TeamMember => false,
    }
}

/// Whether `caller` may put somebody into `team`: API Owners into any, Consumer Admins into their own, but not into the
/// team in which strangers meet.
#[must_use]
pub fn may_place_in(caller: &User, team: &TeamId) -> bool {
    match caller.role {
        Role::ApiOwner => true,
        Role::ConsumerAdmin => caller.team_ids.contains(team) && makes_visible(team),
        Role::TeamMember => false,
    }
}

/// Whether `caller` may make somebody whom they invite a `role`: only API Owners make API Owners.
#[must_use]
pub fn may_give(caller: &User, role: Role) -> bool {
    match caller.role {
        Role::ApiOwner => true,
        Role::ConsumerAdmin => role != Role::ApiOwner,
        Role::TeamMember => false,
    }
}

/// What becomes of somebody whom `caller` invites and says nothing about.
#[must_use]
pub fn role_of_invited(caller: &User) -> Role {
    if caller.role == Role::ApiOwner { Role::ConsumerAdmin } else { Role::TeamMember }
}

/// Whether `caller` may invite while the settings stand so: Consumer Admins' invitations can be switched off.
#[must_use]
pub fn may_invite_now(caller: &User, settings: &Settings) -> bool {
    invites_without_bounds(caller) || settings.consumer_admin_invitations
}

/// Why a Consumer Admin's invitation leads into no team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotYourTeams {
    /// One of them is where strangers meet: nobody is invited there by one of them.
    OfStrangers,
    /// One of them is not the caller's.
    NotYours,
    /// None is named, and the caller is not in the organisation's default team.
    Unnamed,
}

/// The teams into which a Consumer Admin's invitation leads: those `named`, all of them the caller's, or the
/// organisation's default team where none is named and the caller is in it.
///
/// # Errors
/// [`NotYourTeams`].
pub fn teams_to_invite_into(
    caller: &User,
    named: &[TeamId],
    default_team: &TeamId,
) -> Result<Vec<TeamId>, NotYourTeams> {
    let may = |team: &TeamId| may_place_in(caller, team);
    if named.iter().any(|team| !makes_visible(team) && caller.team_ids.contains(team)) {
        return Err(NotYourTeams::OfStrangers);
    }
    match named {
        [] if may(default_team) => Ok(vec![default_team.clone()]),
        [] => Err(NotYourTeams::Unnamed),
        named if named.iter().all(may) => Ok(named.to_vec()),
        _ => Err(NotYourTeams::NotYours),
    }
}

/// Whether `caller` places invited people in any organisation, and invites while Consumer Admins may not.
#[must_use]
pub fn invites_without_bounds(caller: &User) -> bool {
    caller.role == Role::ApiOwner
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
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{
        email::Email,
        ids::{InvitationId, MailId, OrganisationId, UserId},
        invitation::InvitationStatus,
        name::Name,
        organisation::Placement,
        user::{NewUser, Source, Start},
    };

    fn team(number: u128) -> TeamId {
        TeamId::new(Timestamp::UNIX_EPOCH, number + 1)
    }

    fn person(number: u128, role: Role, team_ids: Vec<TeamId>) -> User {
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
            Action::ManageOrganisations,
            Action::SendInvitation,
        ];
        for action in actions {
            assert_eq!(decide(&person(1, Role::ApiOwner, vec![]), action), Ok(()));
            assert_eq!(decide(&person(1, Role::ConsumerAdmin, vec![team(1)]), action), Err(Refusal::Forbidden));
            assert_eq!(decide(&person(1, Role::TeamMember, vec![team(1)]), action), Err(Refusal::Forbidden));
        }
    }

    #[test]
    fn nobody_changes_their_own_state() {
        let owner = person(1, Role::ApiOwner, vec![]);

        assert_eq!(decide(&owner, Action::ChangeState(&owner)), Err(Refusal::Forbidden));
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

    fn invitation(team_ids: Vec<TeamId>, elsewhere: bool) -> Invitation {
        let at = Timestamp::UNIX_EPOCH;
        Invitation {
            id: InvitationId::new(at, 1),
            user_id: UserId::new(at, 9),
            elsewhere,
            email: Email::parse("grace@example.com").unwrap(),
            first_name: Name::given("Grace"),
            last_name: Name::given("Hopper"),
            role: Role::TeamMember,
            organisation_id: Some(OrganisationId::new(at, 1)),
            team_ids,
            invited_by: None,
            status: InvitationStatus::Pending,
            sent_at: at,
            expires_at: at,
            mail_id: MailId::new(at, 1),
            version: 1,
        }
    }

    #[test]
    fn owners_and_admins_of_a_team_invite_and_strangers_do_not() {
        assert_eq!(decide(&person(1, Role::ApiOwner, vec![]), Action::Invite), Ok(()));
        assert_eq!(decide(&person(1, Role::ConsumerAdmin, vec![team(1)]), Action::Invite), Ok(()));
        let stranger = person(1, Role::ConsumerAdmin, vec![TeamId::default_team()]);
        assert_eq!(decide(&stranger, Action::Invite), Err(Refusal::Forbidden));
        assert_eq!(decide(&person(1, Role::TeamMember, vec![team(1)]), Action::Invite), Err(Refusal::Forbidden));
    }

    #[test]
    fn an_admin_sees_invitations_into_a_team_of_theirs_and_manages_those_wholly_theirs() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), team(2), TeamId::default_team()]);
        let cases = [
            (vec![team(1)], Ok(()), Ok(())),
            (vec![team(2), team(1)], Ok(()), Ok(())),
            (vec![team(1), team(3)], Ok(()), Err(Refusal::Forbidden)),
            (vec![team(3)], Err(Refusal::Unseen), Err(Refusal::Unseen)),
            (vec![TeamId::default_team()], Err(Refusal::Unseen), Err(Refusal::Unseen)),
            (vec![], Err(Refusal::Unseen), Err(Refusal::Unseen)),
        ];
        for (teams, read, manage) in cases {
            let invitation = invitation(teams, false);
            assert_eq!(decide(&admin, Action::ReadInvitation(&invitation)), read);
            assert_eq!(decide(&admin, Action::ManageInvitation(&invitation)), manage);
            let member = person(1, Role::TeamMember, invitation.team_ids.clone());
            assert_eq!(decide(&member, Action::ReadInvitation(&invitation)), Err(Refusal::Forbidden));
            let owner = person(1, Role::ApiOwner, vec![]);
            assert_eq!(decide(&owner, Action::ManageInvitation(&invitation)), Ok(()));
        }
    }

    #[test]
    fn what_only_veils_that_an_address_is_known_is_shown_to_its_team_alone() {
        let veil = invitation(vec![team(1)], true);

        assert!(sees_invitation(&person(1, Role::ConsumerAdmin, vec![team(1)]), &veil));
        assert!(!sees_invitation(&person(1, Role::ApiOwner, vec![]), &veil));
    }

    #[test]
    fn an_admins_invitation_leads_into_teams_of_theirs_alone() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), team(2), TeamId::default_team()]);
        let into = |named: &[TeamId], default: &TeamId| teams_to_invite_into(&admin, named, default);

        assert_eq!(into(&[team(2), team(1)], &team(9)), Ok(vec![team(2), team(1)]));
        assert_eq!(into(&[], &team(1)), Ok(vec![team(1)]));
        assert_eq!(into(&[], &team(9)), Err(NotYourTeams::Unnamed));
        assert_eq!(into(&[], &TeamId::default_team()), Err(NotYourTeams::Unnamed));
        assert_eq!(into(&[team(1), team(3)], &team(1)), Err(NotYourTeams::NotYours));
        assert_eq!(into(&[team(1), TeamId::default_team()], &team(1)), Err(NotYourTeams::OfStrangers));
    }

    #[test]
    fn the_switch_of_invitations_concerns_consumer_admins_alone() {
        let off = Settings { consumer_admin_invitations: false, ..Settings::default() };
        let (owner, admin) = (person(1, Role::ApiOwner, vec![]), person(1, Role::ConsumerAdmin, vec![team(1)]));

        assert!(may_invite_now(&owner, &off) && !may_invite_now(&admin, &off));
        assert!(may_invite_now(&admin, &Settings::default()));
    }

    #[test]
    fn only_api_owners_make_api_owners_and_place_people_anywhere() {
        let owner = person(1, Role::ApiOwner, vec![]);
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), TeamId::default_team()]);
        let member = person(1, Role::TeamMember, vec![team(1)]);

        assert_eq!([&owner, &admin, &member].map(|it| may_give(it, Role::ApiOwner)), [true, false, false]);
        assert_eq!([&owner, &admin, &member].map(|it| may_give(it, Role::ConsumerAdmin)), [true, true, false]);
        assert_eq!([&owner, &admin, &member].map(|it| may_place_in(it, &team(1))), [true, true, false]);
        assert_eq!([&owner, &admin, &member].map(|it| may_place_in(it, &team(2))), [true, false, false]);
        assert_eq!([&owner, &admin].map(|it| may_place_in(it, &TeamId::default_team())), [true, false]);
        assert_eq!([&owner, &admin].map(role_of_invited), [Role::ConsumerAdmin, Role::TeamMember]);
        assert_eq!([&owner, &admin].map(invites_without_bounds), [true, false]);
    }

    #[test]
    fn a_team_member_reads_nobodys_details() {
        let member = person(1, Role::TeamMember, vec![team(1)]);

        assert_eq!(decide(&member, Action::ReadPerson(&member)), Err(Refusal::Forbidden));
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
