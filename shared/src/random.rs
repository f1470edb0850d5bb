//! The one place where randomness is drawn.
//!
//! Ids, link tokens and the jitter of retries come from here; `domain` gets what it needs as arguments.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

/// Draws random numbers: from the operating system, or from a seed where a test wants the same ones again.
#[derive(Clone, Debug, Default)]
pub struct Random {
    seed: Option<Arc<AtomicU64>>,
}

impl Random {
    /// The operating system's generator, fit for secrets.
    #[must_use]
    pub fn system() -> Self {
        Self { seed: None }
    }

    /// A repeatable sequence. Never for secrets.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed: Some(Arc::new(AtomicU64::new(seed))) }
    }

    /// 32 random bytes: the strength of a link's token.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        match &self.seed {
            Some(counter) => Sha256::digest(counter.fetch_add(1, Ordering::SeqCst).to_be_bytes()).into(),
            None => from_system(),
        }
    }

    /// 128 random bits: the random part of an id.
    #[must_use]
    pub fn number(&self) -> u128 {
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.bytes();
        u128::from_be_bytes(first)
    }

    /// A fraction from 0 up to, but not, 1: the jitter of a retry.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        let thirty_two_bits = u32::try_from(self.number() >> 96).unwrap_or_default();
        f64::from(thirty_two_bits) / (f64::from(u32::MAX) + 1.0)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one home of randomness")]
fn from_system() -> [u8; 32] {
    let mut bytes = [0; 32];
    if getrandom::fill(&mut bytes).is_err() {
        // Going on with predictable tokens would let strangers in; a Lambda that dies here is simply started again.
        std::process::abort();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_sequence_and_does_not_repeat_within_it() {
        let (one, other) = (Random::seeded(7), Random::seeded(7));

        let first = one.number();

        assert_eq!(first, other.number());
        assert_ne!(first, one.number());
    }

    #[test]
    fn fractions_stay_below_one() {
        let random = Random::system();

        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.fraction())));
    }
}
