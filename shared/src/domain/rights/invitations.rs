//! Who may invite whom into what, and see which invitations.

use super::{Refusal, Why, makes_visible};
use crate::domain::{
    ids::TeamId,
    invitation::Invitation,
    settings::Settings,
    user::{Role, User},
};

pub(super) fn see_invitation(caller: &User, invitation: &Invitation) -> Result<(), Refusal> {
    match caller.role {
        Role::TeamMember => Err(Refusal::Forbidden(Why::AdminsOnly)),
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{
        super::{
            Action, decide,
            tests::{person, team},
        },
        *,
    };
    use crate::domain::{
        email::Email,
        ids::{InvitationId, MailId, OrganisationId, UserId},
        invitation::InvitationStatus,
        name::Name,
    };

    fn invitation(team_ids: Vec<TeamId>, elsewhere: bool) -> Invitation {
        let at = Timestamp::UNIX_EPOCH;
        Invitation {
            id: InvitationId::new(at, 1),
            user_id: UserId::new(at, 9),
            elsewhere,
            holder_id: None,
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
        assert_eq!(decide(&stranger, Action::Invite), Err(Refusal::Forbidden(Why::AdminsOnly)));
        assert_eq!(
            decide(&person(1, Role::TeamMember, vec![team(1)]), Action::Invite),
            Err(Refusal::Forbidden(Why::AdminsOnly))
        );
    }

    #[test]
    fn an_admin_sees_invitations_into_a_team_of_theirs_and_manages_those_wholly_theirs() {
        let admin = person(1, Role::ConsumerAdmin, vec![team(1), team(2), TeamId::default_team()]);
        let cases = [
            (vec![team(1)], Ok(()), Ok(())),
            (vec![team(2), team(1)], Ok(()), Ok(())),
            (vec![team(1), team(3)], Ok(()), Err(Refusal::Forbidden(Why::NotAllTeamsYours))),
            (vec![team(3)], Err(Refusal::Unseen), Err(Refusal::Unseen)),
            (vec![TeamId::default_team()], Err(Refusal::Unseen), Err(Refusal::Unseen)),
            (vec![], Err(Refusal::Unseen), Err(Refusal::Unseen)),
        ];
        for (teams, read, manage) in cases {
            let invitation = invitation(teams, false);
            assert_eq!(decide(&admin, Action::ReadInvitation(&invitation)), read);
            assert_eq!(decide(&admin, Action::ManageInvitation(&invitation)), manage);
            let member = person(1, Role::TeamMember, invitation.team_ids.clone());
            assert_eq!(decide(&member, Action::ReadInvitation(&invitation)), Err(Refusal::Forbidden(Why::AdminsOnly)));
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
}
