//! What an error of the AWS SDK says, in words for a log.
//!
//! Its own `Display` is hardly more than "unhandled error" or "dispatch failure": the cause stands in its sources. Its
//! `Debug` prints whole answers and never gets into a log.

use std::error::Error;

/// The error and what it comes from, the outermost first.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut causes = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let cause = source.to_string();
        // An operation's error prints the exception that it is, and then names it as its source.
        if !causes.ends_with(&cause) {
            causes.push_str(": ");
            causes.push_str(&cause);
        }
        next = source.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn every_layer_is_named_once_from_the_outermost_to_the_innermost() {
        let layer = |text, source: Option<Layer>| Layer { text, source: source.map(Box::new) };
        let error = layer("dispatch failure", Some(layer("io error", Some(layer("io error", None)))));

        assert_eq!(causes(&error), "dispatch failure: io error");
        assert_eq!(causes(&layer("a", Some(layer("b", Some(layer("c", None)))))), "a: b: c");
    }
}
