//! Logs: JSON lines with ids as fields; never bodies, tokens, codes or addresses.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard output, as `RUST_LOG` says (`info` where it says nothing). Once per process.
pub fn start() {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    // A second start in one process would be a test's; the first one stands.
    let _ = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_ansi(false).try_init();
}
