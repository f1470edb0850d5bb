//! The Lambda `register`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = register::App::from_env().await?;
    lambda_http::run(register::router(app)).await
}
