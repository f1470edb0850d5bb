//! The Lambda `approve`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = approve::App::from_env().await?;
    lambda_http::run(approve::router(app)).await
}
