//! Mail on its way: retries, and what a process left behind.

use local_services::Fault;

use super::Site;
use crate::{Options, OwnerOptions};

/// What the SDK does not try again by itself.
fn refused() -> Fault {
    Fault::refused("AccountSuspendedException", "No.")
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_is_tried_again() {
    let site = Site::new().await;
    site.mail("owner@example.com").await;
    site.portal.services().calls().fail_next("SES.SendEmail", refused().times(2));

    site.register("ada@example.com").await;

    assert_eq!(site.mail("ada@example.com").await.len(), 1);
    assert_eq!(site.portal.services().calls().outstanding(), 0);
}

#[tokio::test]
async fn a_mail_that_was_given_up_is_sent_by_the_sweep() {
    let site = Site::new().await;
    site.mail("owner@example.com").await;
    let calls = site.portal.services().calls();
    // Once, and as often as the template says that a batch is tried again.
    calls.fail_next("SES.SendEmail", refused().times(4));
    site.register("ada@example.com").await;
    super::until(async || calls.outstanding() == 0).await;
    assert_eq!(site.mail("ada@example.com").await.len(), 0);

    // Four failures put it back for eight minutes, and the sweep leaves it to the stream for two more.
    site.advance(900).await;

    super::until(async || !site.mail("ada@example.com").await.is_empty()).await;
}

#[tokio::test]
async fn mail_that_a_killed_process_left_is_sent_by_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let options = || Options {
        data: Some(place.path().to_owned()),
        owner: Some(OwnerOptions { password: Some("correct horse battery".to_owned()), ..OwnerOptions::default() }),
        ..Options::in_memory()
    };
    let site = Site::start(options()).await;
    site.mail("owner@example.com").await;
    // As long as the first process lives, nothing goes out.
    site.portal.services().calls().fail_next("SES.SendEmail", refused().times(1_000));
    site.register("ada@example.com").await;
    drop(site);

    let site = restarted(options).await;

    assert_eq!(site.mail("ada@example.com").await.len(), 1);
}

/// Starts as soon as the process before, in this test another portal, has let go of the folder.
async fn restarted(options: impl Fn() -> Options) -> Site {
    loop {
        match crate::Portal::start(options()).await {
            Ok(portal) => return Site { portal, client: reqwest::Client::new() },
            Err(crate::StartError::Folder(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
