//! The Lambda `organisations`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = organisations::App::from_env().await?;
    lambda_http::run(organisations::router(app)).await
}
