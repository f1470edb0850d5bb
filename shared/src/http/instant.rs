//! Instants as they are shown.

use jiff::Timestamp;
use serde::Serialize;

/// RFC 3339 in UTC, always with three decimals, so that it also sorts as text.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
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
}
