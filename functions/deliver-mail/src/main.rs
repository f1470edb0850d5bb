//! The Lambda `deliver-mail`: wiring only.

use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::telemetry::start();
    let app = deliver_mail::App::from_env().await?;
    let app = &app;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| deliver_mail::handle(app, event.payload).await)).await
}
