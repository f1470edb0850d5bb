//! The Lambda `settings`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = settings::App::from_env().await?;
    lambda_http::run(settings::router(app)).await
}
