//! The Lambda `users`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = users::App::from_env().await?;
    lambda_http::run(users::router(app)).await
}
