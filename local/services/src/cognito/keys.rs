//! The key that signs tokens, and its public half as a JSON web key set.

use crate::kept::Kept;
use crate::{cognito::PoolError, random};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

const KIND: &str = "key";
const ID: &str = "signing";

/// An RSA key of 2048 bits.
#[derive(Debug)]
pub struct SigningKey {
    pair: KeyPair,
    /// The digest of the public half.
    id: String,
}

impl SigningKey {
    /// The process's own key, made when it is first needed: making one takes far longer than a test.
    pub fn of_process() -> Result<Arc<Self>, PoolError> {
        static KEY: OnceLock<Option<Arc<SigningKey>>> = OnceLock::new();
        let made = || Some(Arc::new(SigningKey::new(KeyPair::generate(KeySize::Rsa2048).ok()?)));
        KEY.get_or_init(made).clone().ok_or(PoolError::Key)
    }

    /// The key kept in the data folder; made, and kept, if there is none.
    pub fn kept(kept: &Kept) -> Result<Arc<Self>, PoolError> {
        let change = kept.change()?;
        let pair = if let Some(text) = change.get::<String>(KIND, ID)? {
            let der = STANDARD_NO_PAD.decode(text).map_err(|_| PoolError::Key)?;
            KeyPair::from_pkcs8(&der).map_err(|_| PoolError::Key)?
        } else {
            let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| PoolError::Key)?;
            let der: Pkcs8V1Der = pair.as_der().map_err(|_| PoolError::Key)?;
            change.put(KIND, ID, &STANDARD_NO_PAD.encode(der.as_ref()))?;
            pair
        };
        change.commit()?;
        Ok(Arc::new(Self::new(pair)))
    }

    fn new(pair: KeyPair) -> Self {
        let digest = digest(&SHA256, pair.public_key().as_ref());
        let id = URL_SAFE_NO_PAD.encode(digest.as_ref());
        Self { pair, id }
    }

    /// What a token's `kid` says.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs as RS256 says.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &random::source(), message, &mut signature)?;
        Ok(signature)
    }

    /// Whether this key signed the message.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref());
        public.verify(message, signature).is_ok()
    }

    /// The public half as a key set.
    pub fn public_set(&self) -> Result<Value, Unspecified> {
        let (modulus, exponent) = components(self.pair.public_key().as_ref()).ok_or(Unspecified)?;
        Ok(json!({"keys": [{
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(exponent),
            "kid": self.id,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(modulus),
            "use": "sig",
        }]}))
    }
}

/// Modulus and exponent of a public key in the form of RFC 8017: a sequence of two integers, DER-encoded.
fn components(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(0x30, der)?;
    let (modulus, rest) = element(0x02, sequence)?;
    let (exponent, _) = element(0x02, rest)?;
    // A leading zero only says that the number is positive.
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent))
}

/// The content of the first element, which has to have that tag, and what follows the element.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    // Up to 127 the length itself, above it the number of bytes that spell it.
    let (length, rest) = match first.checked_sub(0x80) {
        None => (usize::from(first), rest),
        Some(count) => {
            let (spelt, rest) = rest.split_at_checked(count.into())?;
            (spelt.iter().fold(0, |length, &byte| (length << 8) | usize::from(byte)), rest)
        }
    };
    rest.split_at_checked(length)
}
