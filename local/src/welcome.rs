//! What a start tells: where everything is, who can log in, what to try first.

use jiff::{
    SignedDuration, SpanRound, Unit,
    fmt::friendly::{Designator, Spacing, SpanPrinter},
};
use local_services::Services;

use crate::{Owner, Portal, Standing};

/// The words for a portal that runs.
pub async fn portal(portal: &Portal) -> String {
    let address = portal.address();
    let mut lines = vec![format!("Portico is running at {address}"), String::new()];
    let mut add = |name: &str, value: &str| lines.push(format!("  {name:<11}{value}"));
    if let Some(Owner { email, standing }) = portal.owner() {
        add("API Owner", email);
        add("Password", &password(standing));
    }
    add("Mailbox", &format!("{address}/_local/mailbox"));
    match portal.folder() {
        Some(folder) => add("Data", &format!("{} (delete it to start afresh)", folder.display())),
        None => add("Data", "in memory: it is gone when the portal stops"),
    }
    let ahead = portal.time().ahead().await;
    if !ahead.is_zero() {
        add("Clock", &format!("{} ahead, as POST /_local/clock moved it", words(ahead)));
    }
    lines.push(format!(
        "
Register somebody, then look into the mailbox:

  curl {address}/v1/registrations -H 'content-type: application/json' \\
    -d '{{\"email\": \"ada@example.com\", \"first_name\": \"Ada\", \"last_name\": \"Lovelace\"}}'

Ctrl-C stops it.
"
    ));
    lines.join("\n")
}

fn password(standing: &Standing) -> String {
    match standing {
        Standing::Created { password } => password.clone(),
        Standing::There { given: true, .. } => {
            "the one that they have: an existing owner keeps it, --owner-password changes nothing".to_owned()
        }
        Standing::There { made: Some(made), given: false } => format!("{made} (unless it was changed since)"),
        Standing::There { made: None, given: false } => "the one that they have".to_owned(),
        Standing::Else { role, status } => {
            let (role, status) = (role.as_str().replace('_', " "), status.as_str());
            format!("none: this address belongs to somebody else here, a {role} who is {status}")
        }
    }
}

fn words(ahead: SignedDuration) -> String {
    let span = jiff::Span::try_from(ahead).unwrap_or_default();
    let rounding = SpanRound::new().largest(Unit::Day).days_are_24_hours();
    let span = span.round(rounding).unwrap_or(span);
    let printer = SpanPrinter::new().designator(Designator::Verbose).spacing(Spacing::BetweenUnitsAndDesignators);
    printer.span_to_string(&span)
}

/// The words for services without a portal: what functions that run elsewhere need in their environment.
pub fn services(services: &Services, portal_url: &str, owner: Option<&Owner>) -> String {
    let endpoints = services.endpoints();
    let variables = [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb.as_str()),
        ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", &endpoints.dynamodb),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &endpoints.cognito),
        ("AWS_ENDPOINT_URL_SESV2", &endpoints.ses),
        ("AWS_REGION", services.region()),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("PORTAL_TABLE", services.portal_table()),
        ("MAIL_TABLE", services.mail_table()),
        ("USER_POOL_ID", services.user_pool_id()),
        ("USER_POOL_CLIENT_ID", services.client_id()),
        ("PORTAL_URL", portal_url),
    ];
    let mut lines: Vec<String> = variables.iter().map(|(name, value)| format!("export {name}={value}")).collect();
    if let Some(Owner { email, standing }) = owner {
        lines.push(format!("# API Owner {email}, password: {}", password(standing)));
    }
    lines.push("# Ctrl-C stops it.\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use shared::domain::user::{Role, Status};

    use super::*;

    #[test]
    fn an_owner_who_is_there_keeps_their_password_and_the_welcome_says_so() {
        let said = password(&Standing::There { made: Some("secret".to_owned()), given: true });

        assert!(said.contains("keeps") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn an_address_that_is_no_owners_is_named_as_what_it_is() {
        let said = password(&Standing::Else { role: Role::TeamMember, status: Status::Pending });

        assert!(said.contains("team member") && said.contains("pending"), "{said}");
    }

    #[test]
    fn how_far_the_clock_is_ahead_is_said_in_days_and_less() {
        assert_eq!(words(SignedDuration::from_hours(8 * 24 + 2)), "8 days 2 hours");
    }
}
