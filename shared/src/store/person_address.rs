//! Another address for a person: what goes into the transaction that changes them, and what Cognito is told after it.

use super::{
    Places, Store, StoreError, UnfinishedIdentity,
    change::Change,
    invitations::Renewal,
    keys::{self, Key},
    person_change::PersonChanged,
    rows::{InvitationCopy, Sentinel, Stage},
    transaction::{Commit, Position, Transaction},
};
use crate::domain::{
    audit::Origin,
    email::Email,
    link::CONFIRM_LIFE,
    search::Field,
    settings::Settings,
    suppression::{MailStatus, Suppression},
    user::{Status, User},
};

/// What a change of an address is decided from.
#[derive(Clone, Debug)]
pub struct AddressFacts {
    /// The portal's settings.
    pub settings: Settings,
    /// What is known of mail to the new address: a person's status is that of their address.
    pub mail_status: MailStatus,
    /// What the old address knows of an invitation.
    invitation: Option<InvitationCopy>,
}

/// The part of the row's update that gives a person another address: links and a login that waits for another password end
/// with the old one, and a registration waits anew.
pub(super) const ADDRESS: &str = "#email = :email, #email_key = :email_key, #link_version = :raised_link, #status_since \
                                  = :status_since, #queue_sk = :queue_sk";

/// Gives the values of [`ADDRESS`] and of the link version that was read.
pub(super) fn at_address(change: Change, before: &User, after: &User) -> Change {
    change
        .with("email", &after.email)
        .with("email_key", keys::found_by(&Field::Email.of(after), &after.id))
        .with("raised_link", after.link_version)
        .with("link_version", before.link_version)
        .with("status_since", after.status_since.as_millisecond())
        .with("queue_sk", keys::instant_and_id(after.status_since, after.id.as_str()))
}

impl Store {
    /// Reads the settings, what the address of `person` knows of an invitation, and whether anything is sent to `new`, in
    /// one batch.
    pub async fn address_facts(&self, person: &User, new: &Email) -> Result<AddressFacts, StoreError> {
        let (address, suppression) = (Key::email(&person.email), Key::suppression(new));
        let fetched = self.db.fetch([Key::settings(), address.clone(), suppression.clone()]).await?;
        let suppression: Option<Suppression> = fetched.get(&suppression)?;
        let mail_status = suppression.map_or(MailStatus::Ok, |suppression| suppression.reason.into());
        let known: Option<Sentinel> = fetched.get(&address)?;
        let known = known.filter(|known| known.user_id == person.id);
        let invitation = known.and_then(|known| known.invitation);
        Ok(AddressFacts { settings: fetched.settings()?, mail_status, invitation })
    }

    /// Makes `after` of `before`, who gets another address by the will of `caller`, an API Owner; their place has the names in `places`.
    ///
    /// The transaction of [`Store::change_person`], and in it: the old sentinel (still theirs) goes with what is remembered
    /// of logins, the new one comes where none stands; the owners' item has the new address; both addresses are told, or
    /// whoever is not in yet is mailed their way in; a note stands until Cognito has the address too.
    pub async fn readdress_person(
        &self,
        caller: &User,
        (before, after, places): (&User, &User, &Places),
        facts: &AddressFacts,
        allow_mail: bool,
        origin: &Origin,
    ) -> Result<PersonChanged, StoreError> {
        self.rewrite_person(caller, (before, after, places), Some(facts), allow_mail, ("user.changed", origin)).await
    }

    /// Adds what belongs to the address, old and new, but for the owners' item. The position tells whether the new one
    /// was taken.
    pub(super) fn readdress(
        &self,
        transaction: &mut Transaction,
        (before, after): (&User, &User),
        places: &Places,
        facts: &AddressFacts,
        origin: &Origin,
    ) -> Position {
        let compose = self.compose(origin);
        let invitation = facts.invitation.as_ref().filter(|_| after.status == Status::Invited);
        let mut invitation = invitation.map(|copy| copy.following(after, places));
        let mut renewal = None;
        match (after.status, &mut invitation) {
            (Status::Unconfirmed, _) => {
                let until = after.status_since + CONFIRM_LIFE;
                transaction.mail(&compose.confirm_registration(&after.email, &after.id, after.link_version, until));
            }
            // It is sent to somebody new, so its time starts anew; where it had run out, or there is none, an owner sends it.
            (Status::Invited, Some(copy)) if origin.now < copy.expires_at => {
                copy.renew(origin.now + facts.settings.invitation_life());
                let mail = compose.invitation(&after.email, &after.id, after.link_version, copy, None);
                renewal = Some(Renewal { mail_id: mail.id.clone(), sent_at: origin.now, expires_at: copy.expires_at });
                transaction.mail(&mail);
            }
            (Status::Invited, _) => {}
            (Status::Pending | Status::Active | Status::Inactive | Status::Rejected, _) => {
                for address in [&before.email, &after.email] {
                    transaction.mail(&compose.email_changed(after, address));
                }
            }
        }
        transaction.rewrite_invitation(before, after, renewal.as_ref());
        let old = Change::delete(Key::email(&before.email))
            .when("#user_id = :user_id AND #link_version = :link_version")
            .with("user_id", &before.id)
            .with("link_version", before.link_version);
        transaction.add(old);
        transaction.add(Change::delete(Key::logins(&before.email)));
        transaction.note_identity(&UnfinishedIdentity::left_by(after, origin));
        transaction.create_sentinel(after, Stage::of(after), invitation)
    }

    /// Removes the note of a change of address, once Cognito has the address that `person` was read with: `false` where
    /// they have another one by now, or are gone, and the note is the sweep's.
    ///
    /// One transaction: note, check of the person.
    pub async fn settle_address(&self, note: &UnfinishedIdentity, person: &User) -> Result<bool, StoreError> {
        let mut transaction = Transaction::default();
        transaction.end_note(note);
        transaction.add(Change::check(Key::user(&person.id), "#email = :email").with("email", &person.email));
        Ok(matches!(self.db.commit(transaction).await?, Commit::Done))
    }
}
