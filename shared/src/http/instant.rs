//! Instants as they are shown and read.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::text;
use crate::domain::Fault;

/// RFC 3339 in UTC, always with three decimals, so that it also sorts as text.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// An instant of RFC 3339, with any offset, in whole milliseconds: what is finer is cut off.
///
/// # Errors
/// `invalid_instant` for anything else, and for years that have no four digits.
pub fn instant(value: &Value) -> Result<Timestamp, Fault> {
    let fault = || Fault::new("invalid_instant", "This is no instant such as 2026-01-31T09:30:00Z.");
    text(|text| {
        let instant: Timestamp = text.parse().map_err(|_| fault())?;
        let instant = Timestamp::from_millisecond(instant.as_millisecond()).map_err(|_| fault())?;
        let in_reach = instant >= Timestamp::UNIX_EPOCH && text.starts_with(|c: char| c.is_ascii_digit());
        if in_reach { Ok(instant) } else { Err(fault()) }
    })(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_with_three_decimals() {
        let shown = |text: &str| serde_json::to_value(Instant(text.parse().unwrap())).unwrap();

        assert_eq!(shown("2026-01-15T09:30:00Z"), "2026-01-15T09:30:00.000Z");
        assert_eq!(shown("2026-01-15T09:30:00.04Z"), "2026-01-15T09:30:00.040Z");
    }

    #[test]
    fn instants_are_read_with_any_offset_and_cut_to_milliseconds() {
        let read = |text: &str| instant(&text.into()).map(|instant| instant.to_string()).map_err(|fault| fault.code);

        assert_eq!(read("2026-01-15T09:30:00Z").as_deref(), Ok("2026-01-15T09:30:00Z"));
        assert_eq!(read("2026-01-15T10:30:00.0405999+01:00").as_deref(), Ok("2026-01-15T09:30:00.04Z"));
        for text in
            ["", "tomorrow", "2026-01-15", "2026-01-15T09:30:00", "1969-12-31T23:59:59Z", "-000001-01-01T00:00Z"]
        {
            assert_eq!(read(text), Err("invalid_instant"), "{text}");
        }
        assert_eq!(instant(&7.into()).map_err(|fault| fault.code), Err("not_a_string"));
    }
}
