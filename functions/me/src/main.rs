//! The Lambda `me`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = me::App::from_env().await?;
    lambda_http::run(me::router(app)).await
}
