//! The Lambda `bootstrap`: wiring only.

use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::telemetry::start();
    let app = bootstrap::App::from_env().await?;
    let app = &app;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| {
        let answer = bootstrap::answer(app, event.payload).await;
        bootstrap::send(&answer).await
    }))
    .await
}
