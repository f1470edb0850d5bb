//! The Lambda `invite`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = invite::App::from_env().await?;
    lambda_http::run(invite::router(app)).await
}
