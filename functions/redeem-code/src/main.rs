//! The Lambda `redeem-code`: wiring only.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::telemetry::start();
    let app = redeem_code::App::from_env().await?;
    lambda_http::run(redeem_code::router(app)).await
}
