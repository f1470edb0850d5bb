//! Laying the foundation, once or again.

use shared::{
    domain::{
        audit::{Actor, Origin},
        settings::Settings,
    },
    store::{SettingsChange, StoreError},
};

use crate::{App, Parameters};

/// Lays what is missing and invites the first API Owner, unless their address is known. Sender and portal name are set
/// where nobody has set them, or where `previous`, the parameters of the last deployment, had another value: what an API
/// Owner changed since is not overwritten by a deployment that changes something else.
///
/// # Errors
/// [`StoreError`]; what was laid so far stays, and may be laid again.
pub async fn lay(app: &App, parameters: &Parameters, previous: Option<&Parameters>) -> Result<(), StoreError> {
    let origin = Origin { actor: Actor::System, request_id: "bootstrap".to_owned(), now: app.clock.now() };
    let mut first = Settings { sender: parameters.sender.clone(), ..Settings::default() };
    if let Some(name) = &parameters.portal_name {
        first.portal_name = name.clone();
    }
    app.store.lay_foundation(&first, &origin).await?;
    set_what_changed(app, parameters, previous, &origin).await?;
    if let Some(owner) = &parameters.owner {
        let invited = app.store.invite_first_owner(owner.clone(), &origin).await?;
        tracing::info!(invited, "first API Owner");
    }
    Ok(())
}

async fn set_what_changed(
    app: &App,
    parameters: &Parameters,
    previous: Option<&Parameters>,
    origin: &Origin,
) -> Result<(), StoreError> {
    let before = app.store.settings().await?;
    let mut after = before.clone();
    let sender_changed = previous.is_some_and(|previous| previous.sender != parameters.sender);
    if parameters.sender.is_some() && (sender_changed || before.sender.is_none()) {
        after.sender.clone_from(&parameters.sender);
    }
    let name_changed = previous.is_some_and(|previous| previous.portal_name != parameters.portal_name);
    if let Some(name) = parameters.portal_name.as_ref().filter(|_| name_changed) {
        after.portal_name = name.clone();
    }
    if after == before {
        return Ok(());
    }
    match app.store.change_settings(&before, after, origin).await? {
        SettingsChange::Done => Ok(()),
        SettingsChange::Overtaken => Err(StoreError::Busy),
    }
}
