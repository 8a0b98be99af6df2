//! Why an autoscaler cannot be followed.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::stream::TooLong;

/// Why an autoscaler cannot be followed. Before the run it ends it, with what would be right; during the run it is
/// the reason of a gap. It has no source: all that is known is in its words.
#[derive(Debug, Error)]
pub(crate) enum ObserveError {
    /// What is to be followed is no URL of a status API.
    #[error(
        "cannot follow `{0}`: the status API is at http://HOST:PORT, as in http://127.0.0.1:8081"
    )]
    Url(String),
    /// No connection can be made.
    #[error(
        "cannot reach {url}: {because}; is `ebbtide up` running, and is this its --status-listen?"
    )]
    Unreachable { url: String, because: io::Error },
    /// It took too long.
    #[error("{url} did not {what} within {} s", within.as_secs())]
    TooLate {
        url: String,
        what: &'static str,
        within: Duration,
    },
    /// The connection was closed or is broken.
    #[error("the connection to {url} broke: {because}")]
    Broken { url: String, because: String },
    /// What answers is something else.
    #[error(
        "{url} is not the status API of Ebbtide: it answers {answer} to GET /api/v1/events; name the address of \
         `ebbtide up --status-listen`, not that of the ingress"
    )]
    NotEbbtide { url: String, answer: String },
    /// It said no.
    #[error("{url} refuses ({status}): {detail}")]
    Refused {
        url: String,
        status: u16,
        detail: String,
    },
    /// It sent something else than was expected.
    #[error(
        "{url} sent an event `{event}` that cannot be read: {because}; is it an Ebbtide of a version that goes with \
         this loadgen?"
    )]
    Unreadable {
        url: String,
        event: String,
        because: String,
    },
    /// It sent too much.
    #[error("{url} cannot be followed: {because}")]
    TooLong { url: String, because: TooLong },
    /// A cluster cannot be followed by a program that was built without.
    #[cfg(not(feature = "kubernetes"))]
    #[error(
        "this loadgen was built without Kubernetes: build it with `cargo build --release -p ebbtide-loadgen --features \
         kubernetes`"
    )]
    WithoutKubernetes,
    /// A cluster cannot be followed.
    #[cfg(feature = "kubernetes")]
    #[error(transparent)]
    Kubernetes(#[from] super::kubernetes::KubernetesError),
    /// The thread that follows cannot be started, or has failed.
    #[error("cannot follow the autoscaler: {0}")]
    Thread(io::Error),
}
