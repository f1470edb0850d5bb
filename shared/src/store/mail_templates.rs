//! Changed templates of mails: in the table `Mail`, where the mailer finds them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    change::Change,
    keys::Key,
    transaction::{Commit, Transaction},
};
use crate::{
    domain::{audit::Origin, ids::UserId, name::Name, user::User},
    mail::{Event, MailSettings, MailTemplate},
};

/// What an API Owner made of an event's templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedTemplate {
    /// The templates.
    #[serde(flatten)]
    pub template: MailTemplate,
    /// Rises with each change, and is never the same again after the templates were reset.
    pub version: u64,
    /// When they were last changed.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

/// What is known of an event's templates, with whoever asks.
#[derive(Clone, Debug)]
pub struct TemplateFacts {
    /// Who asks.
    pub caller: Option<User>,
    /// What the templates were changed to.
    pub changed: Option<ChangedTemplate>,
    /// The portal's name, as mails say it.
    pub portal_name: Name,
}

/// What is known of the templates of many events, with whoever asks.
#[derive(Clone, Debug)]
pub struct AllTemplates {
    /// Who asks.
    pub caller: Option<User>,
    /// The events, with what their templates were changed to.
    pub changed: Vec<(Event, Option<ChangedTemplate>)>,
    /// The portal's name, as mails say it.
    pub portal_name: Name,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateChange<T> {
    /// Written.
    Done(T),
    /// Somebody else changed them since they were read: what stands there now.
    Overtaken(Option<ChangedTemplate>),
}

impl Store {
    /// Reads a caller, the changed templates of `events`, and what mails say the portal is called, in one batch.
    pub async fn changed_templates(&self, caller: &UserId, events: &[Event]) -> Result<AllTemplates, StoreError> {
        let (user, settings) = (Key::user(caller), Key::mail_settings());
        let keys = events.iter().map(|event| Key::mail_template(*event));
        let fetched = self.db.fetch(keys.chain([user.clone(), settings.clone()])).await?;
        let settings: MailSettings = fetched.get(&settings)?.ok_or(StoreError::Missing("SETTINGS of Mail"))?;
        let changed = events.iter().map(|event| Ok((*event, fetched.get(&Key::mail_template(*event))?)));
        Ok(AllTemplates {
            caller: fetched.get(&user)?,
            changed: changed.collect::<Result<_, StoreError>>()?,
            portal_name: settings.portal_name,
        })
    }

    /// Reads a caller, an event's changed templates, and what mails say the portal is called, in one batch.
    pub async fn template_facts(&self, caller: &UserId, event: Event) -> Result<TemplateFacts, StoreError> {
        let (user, template, settings) = (Key::user(caller), Key::mail_template(event), Key::mail_settings());
        let fetched = self.db.fetch([user.clone(), template.clone(), settings.clone()]).await?;
        let settings: MailSettings = fetched.get(&settings)?.ok_or(StoreError::Missing("SETTINGS of Mail"))?;
        Ok(TemplateFacts {
            caller: fetched.get(&user)?,
            changed: fetched.get(&template)?,
            portal_name: settings.portal_name,
        })
    }

    /// Writes `after` over `before`, if that is still what stands there (`None`: the built-in templates).
    ///
    /// One transaction: templates, audit with the names of the parts that change.
    pub async fn change_template(
        &self,
        event: Event,
        before: Option<&ChangedTemplate>,
        after: MailTemplate,
        origin: &Origin,
    ) -> Result<TemplateChange<ChangedTemplate>, StoreError> {
        let least = before.map_or(1, |before| before.version + 1);
        let now = u64::try_from(origin.now.as_millisecond()).unwrap_or_default();
        let after = ChangedTemplate { template: after, version: least.max(now), updated_at: origin.now };
        let put = Change::put(Key::mail_template(event), &after);
        let put = match before {
            Some(before) => put.when("#version = :version").with("version", before.version),
            None => put.when_new(),
        };
        let built_in = MailTemplate::built_in(event);
        let old = before.map_or(&built_in, |before| &before.template);
        let committed = self.write_template(event, put, "email_template.changed", old, &after.template, origin).await?;
        Ok(match committed {
            TemplateChange::Done(()) => TemplateChange::Done(after),
            TemplateChange::Overtaken(now) => TemplateChange::Overtaken(now),
        })
    }

    /// Goes back to the built-in templates, if `before` is still what stands there.
    ///
    /// One transaction: templates, audit with the names of the parts that change.
    pub async fn reset_template(
        &self,
        event: Event,
        before: &ChangedTemplate,
        origin: &Origin,
    ) -> Result<TemplateChange<()>, StoreError> {
        let delete = Change::delete(Key::mail_template(event)).when("#version = :version");
        let delete = delete.with("version", before.version);
        let built_in = MailTemplate::built_in(event);
        self.write_template(event, delete, "email_template.reset", &before.template, &built_in, origin).await
    }

    async fn write_template(
        &self,
        event: Event,
        change: Change,
        action: &str,
        old: &MailTemplate,
        new: &MailTemplate,
        origin: &Origin,
    ) -> Result<TemplateChange<()>, StoreError> {
        let parts =
            [("subject", &old.subject, &new.subject), ("text", &old.text, &new.text), ("html", &old.html, &new.html)];
        let audit = parts
            .into_iter()
            .filter(|(_, old, new)| old != new)
            .fold(self.event(origin, action, Some(event.as_str())), |audit, (part, ..)| audit.personal_change(part));
        let mut transaction = Transaction::default();
        let template = transaction.add(change);
        transaction.audit(&audit);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(TemplateChange::Done(())),
            Commit::Lost(lost) if lost.at(template) => Ok(TemplateChange::Overtaken(lost.row(template)?)),
            // The event's id is new: another try draws another.
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }
}
