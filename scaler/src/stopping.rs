//! Waiting to be told to stop.

use tokio::sync::watch;

/// Waits until `stopping` is true. Cancel safe.
pub(crate) async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that nobody is left to say so, and what was to be stopped is at its end.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
