//! The Lambda `invite-codes`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = invite_codes::App::from_env().await?;
    lambda_http::run(invite_codes::router(app)).await
}
