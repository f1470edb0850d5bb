//! The only source of randomness of this crate.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{self, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// `N` random bytes as unpadded base64url.
pub fn text<const N: usize>() -> Result<String, Unspecified> {
    bytes::<N>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// A random UUID (version 4) in its usual spelling.
pub fn uuid() -> Result<String, Unspecified> {
    let random = u128::from_be_bytes(bytes::<16>()?);
    let versioned = (random & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{versioned:032x}");
    Ok([0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default()).join("-"))
}

/// What the library's signing functions ask for.
pub fn source() -> SystemRandom {
    SystemRandom::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let uuid = uuid().unwrap();

        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]));
    }
}
