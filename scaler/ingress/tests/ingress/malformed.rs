//! Requests that are malformed, or that two parsers could read in two ways, each through a socket as
//! the bytes that it is: `malformed/requests.txt` has them, with what becomes of each.

mod answers;
mod case;
mod strict;

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::bed::{Bed, replica};
use crate::client::Client;
use case::Case;
use strict::StrictApp;

/// Patience for what ought to happen at once.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_and_no_app_sees_it() {
    let cases = case::read(include_str!("malformed/requests.txt"));
    assert!(cases.len() >= 100, "{}", cases.len());
    let app = StrictApp::start().await;
    let bed = Bed::new();
    bed.serve(&[replica(app.address())]);
    let mut wrong = Vec::new();
    for case in &cases {
        if let Err(how) = check(&bed, &app, case).await {
            wrong.push(format!("{}: {how}", case.what));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

async fn check(bed: &Bed, app: &StrictApp, case: &Case<'_>) -> Result<(), String> {
    let mut client = Client::connect(bed.address).await;
    // The ingress may end the connection before it has read everything.
    let _refused = client.0.write_all(&case.sent).await;
    let reply = timeout(SOON, client.reply())
        .await
        .map_err(|_| "no answer".to_owned())?;
    let after = timeout(SOON, follow_up(&mut client, case))
        .await
        .map_err(|_| "the connection neither ends nor answers".to_owned())?;
    // Whatever the app was to see it has seen before this.
    let sentinel = Client::connect(bed.address).await.get("hello").await;
    let seen = app.take();
    if sentinel.status != 200 || seen.last().map(String::as_str) != Some("GET /path?query") {
        return Err(format!(
            "the next client got {sentinel:?}, and the app {seen:?}"
        ));
    }
    let mut expected = case.seen.clone();
    expected.extend((!case.closes).then_some("GET /after"));
    if reply.status != case.status {
        return Err(format!("answered {} {}", reply.status, reply.body));
    }
    if after != case.closes {
        return Err(format!("the connection ends: {after}"));
    }
    if seen[..seen.len() - 1] != expected[..] {
        return Err(format!("the app saw {seen:?}"));
    }
    Ok(())
}

/// Whether the connection ends: a request is sent after it only where it should go on.
async fn follow_up(client: &mut Client, case: &Case<'_>) -> bool {
    if case.closes {
        // A reset says as much as an end, where bytes were left unread.
        return client.rest().await.map_or(true, |rest| rest.is_empty());
    }
    for _ in 1..case.seen.len() {
        assert_eq!(client.reply().await.status, 200, "{}", case.what);
    }
    let next = b"GET /after HTTP/1.1\r\nHost: hello\r\n\r\n";
    if client.0.write_all(next).await.is_err() {
        return true;
    }
    client.reply().await.status != 200
}
