//! The Lambda `mail-feedback`: wiring only.

use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::telemetry::start();
    let app = mail_feedback::App::from_env().await?;
    let app = &app;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| mail_feedback::handle(app, event.payload).await)).await
}
