//! What redeeming leaves in the log. A process of its own: the log of one is kept by one subscriber.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use harness::{Bench, Sample};
use redeem_code::{App, router};
use serde_json::json;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// Log lines, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The status that a code is answered with.
async fn guess(bench: &Bench, code: &str) -> u16 {
    let body = json!({"code": code, "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});
    let app = App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() };
    Sample::of("redeem-code-redeem").from_source("203.0.113.99").body(&body).send(router(app)).await.status
}

#[tokio::test]
async fn no_log_line_holds_a_code_an_address_or_a_source() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(LevelFilter::INFO).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let bench = Bench::new().await;
    bench.set(|settings| settings.throttles.unknown_codes = 1).await;
    bench.invite_code("CANARY-OF-MINE", |_| {}).await;
    bench.invite_code("CANARY-INACTIVE", |code| code.active = false).await;

    for (code, status) in
        [("CANARY-OF-MINE", 202), ("CANARY-INACTIVE", 409), ("CANARY-UNKNOWN", 404), ("CANARY-UNKNOWN", 429)]
    {
        assert_eq!(guess(&bench, code).await, status);
    }
    bench.overwrite_code("CANARY-OF-MINE", "used", &"many".into()).await;
    assert_eq!(guess(&bench, "CANARY-OF-MINE").await, 500);

    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap().to_lowercase();
    for told in ["invite-code-inactive", "invite-code-unknown", "rate-limited", "cannot be read"] {
        assert!(lines.contains(told), "{lines}");
    }
    for secret in ["canary", "ada@", "203.0.113.99"] {
        assert!(!lines.contains(secret), "{lines}");
    }
}
