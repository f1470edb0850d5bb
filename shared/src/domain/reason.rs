//! The reason that an API Owner gives for a refusal, in words for whoever is refused.

use super::Fault;

/// The longest reason, in characters.
pub const MAX_REASON: usize = 1000;

/// Reads a reason as a person types it.
///
/// # Errors
/// `invalid_reason` when nothing is left after trimming, when it is too long, or holds a control character that is no
/// line break or tabulator.
pub fn parse(text: &str) -> Result<String, Fault> {
    let reason = text.trim();
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if reason.is_empty() || reason.chars().count() > MAX_REASON || reason.contains(odd) {
        let detail = format!("A reason has 1 to {MAX_REASON} characters and no control characters but line breaks.");
        return Err(Fault::new("invalid_reason", detail));
    }
    Ok(reason.to_owned())
}
