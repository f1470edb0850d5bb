//! Where a request comes from, as far as limits per source tell sources apart.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use serde::{Deserialize, Serialize};

/// A source address. Of an IPv6 address the first 64 bits count: one subscriber has all that follow them, and could
/// otherwise be a new source with every request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceAddress(String);

impl SourceAddress {
    /// The source that `address` belongs to.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_string()),
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Self(format!("{}/64", Ipv6Addr::from_bits(network)))
            }
        }
    }

    /// The source as text: part of a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints no address: it is personal.
impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> String {
        SourceAddress::of(address.parse().unwrap()).as_str().to_owned()
    }

    #[test]
    fn every_ipv4_address_is_a_source_of_its_own_however_it_is_written() {
        assert_eq!(source("203.0.113.7"), "203.0.113.7");
        assert_eq!(source("::ffff:203.0.113.7"), "203.0.113.7");
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_source() {
        assert_eq!(source("2001:db8:0:1:aaaa::1"), source("2001:db8:0:1:bbbb::2"));
        assert_ne!(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
    }
}
