//! The portal's settings, and the copy that the mailer reads.

use serde_json::Value;

use super::{
    Store, StoreError,
    change::Change,
    keys::Key,
    transaction::{Commit, Position, Transaction},
};
use crate::{
    domain::{attribute::Definitions, audit::Origin, email::Email, settings::Settings},
    mail::MailSettings,
};

/// What became of a change of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsChange {
    /// Written.
    Done,
    /// Somebody else changed them since they were read.
    Overtaken,
}

/// Settings whose values are addresses: the audit names them and keeps no value.
const PERSONAL: [&str; 2] = ["sender", "owner_notification_addresses"];

impl Store {
    /// Reads the settings.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        self.db.fetch([Key::settings()]).await?.settings()
    }

    /// Reads settings and custom attributes in one batch.
    pub async fn settings_and_attributes(&self) -> Result<(Settings, Definitions), StoreError> {
        let fetched = self.db.fetch([Key::settings(), Key::attributes()]).await?;
        Ok((fetched.settings()?, fetched.attributes()?))
    }

    /// Writes `after` over `before`, if that is still what stands there.
    ///
    /// One transaction: settings, the mailer's copy, audit with the former and new value of all that is not an address.
    /// Mail is sent again to addresses that are newly to be notified and are nobody's, which is checked in it: naming one
    /// is the way to allow it for such an address. What is somebody's, who need not have confirmed it, is allowed with their
    /// row, which would else go on saying that nothing is sent; one transaction more tells which those are.
    pub async fn change_settings(
        &self,
        before: &Settings,
        after: Settings,
        origin: &Origin,
    ) -> Result<SettingsChange, StoreError> {
        let after = Settings { version: before.version + 1, ..after };
        let copy = MailSettings { sender: after.sender.clone(), portal_name: after.portal_name.clone() };
        let mut event = self.event(origin, "settings.changed", None);
        for (field, old, new) in differences(before, &after) {
            event = if PERSONAL.contains(&field.as_str()) {
                event.personal_change(&field)
            } else {
                event.change(&field, old, new)
            };
        }
        let already = &before.owner_notification_addresses;
        let mut named: Vec<_> = after.owner_notification_addresses.iter().filter(|it| !already.contains(*it)).collect();
        let all = named.len();
        loop {
            let mut transaction = Transaction::default();
            let change = Change::put(Key::settings(), &after).when("#version = :version");
            let settings = transaction.add(change.with("version", before.version));
            transaction.add(Change::put(Key::mail_settings(), &copy));
            let allowed: Vec<_> = named.iter().map(|it| (*it, transaction.allow_mail_of_nobody(it))).collect();
            transaction.audit(&event);
            let lost = match self.db.commit(transaction).await? {
                Commit::Done => {
                    let people = all.saturating_sub(allowed.len());
                    if people > 0 {
                        tracing::info!(people, "addresses to be notified are people's: mail to them stays as it is");
                    }
                    return Ok(SettingsChange::Done);
                }
                Commit::Lost(lost) => lost,
            };
            if lost.at(settings) {
                return Ok(SettingsChange::Overtaken);
            }
            let tried = allowed.len();
            named = allowed.into_iter().filter(|(_, nobodys)| !lost.at(*nobodys)).map(|(address, _)| address).collect();
            if named.len() == tried {
                return Err(StoreError::Busy);
            }
        }
    }
}

impl Transaction {
    /// Adds that mail is sent again to an address that is nobody's. The position tells whether it is somebody's.
    fn allow_mail_of_nobody(&mut self, email: &Email) -> Position {
        self.allow_mail(email);
        self.add(Change::check(Key::email(email), "attribute_not_exists(#pk)"))
    }
}

/// The fields in which two settings differ, with both values.
fn differences(before: &Settings, after: &Settings) -> Vec<(String, Value, Value)> {
    let fields = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let mut old = fields(before);
    let changed = fields(after).into_iter().filter(|(field, _)| field != "version");
    let pairs = changed.map(|(field, new)| {
        let old = old.remove(&field).unwrap_or_default();
        (field, old, new)
    });
    pairs.filter(|(_, old, new)| old != new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = Settings::default();
        let after = Settings { sign_in: false, version: 7, ..before.clone() };

        assert_eq!(differences(&before, &after), [("sign_in".to_owned(), true.into(), false.into())]);
    }
}
