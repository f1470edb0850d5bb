//! The Lambda `expire`: wiring only.

use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::telemetry::start();
    let app = expire::App::from_env().await?;
    let app = &app;
    let sweep = async |event: LambdaEvent<serde_json::Value>| {
        expire::handle(app, Some(expire::last_call(event.context.deadline))).await
    };
    lambda_runtime::run(service_fn(sweep)).await
}
