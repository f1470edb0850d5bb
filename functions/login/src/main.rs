//! The Lambda `login`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = login::App::from_env().await?;
    lambda_http::run(login::router(app)).await
}
