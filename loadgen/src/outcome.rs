//! What became of one request.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;

/// One request of the schedule, from its intended start to its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// When the schedule wanted it to start.
    pub(crate) intended: Duration,
    /// When the generator turned to it: later than intended if the generator lagged.
    pub(crate) begun: Duration,
    /// Whether it had to wait because `--connections` requests were in flight.
    pub(crate) waited: bool,
    /// Its answer, or why there is none.
    pub(crate) result: Result<Answer, Failure>,
}

/// A complete answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Bytes of the body.
    pub(crate) bytes: u64,
    /// The value of the header that is counted, if one is and the answer had it.
    pub(crate) header: Option<String>,
    /// When it was handed to a connection.
    pub(crate) sent: Duration,
    /// When the last byte of the body had come.
    pub(crate) ended: Duration,
}

/// Why a request has no complete answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// What exactly happened, for people.
    pub(crate) detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FailureKind {
    /// No connection could be made.
    Connect,
    /// The connection ended before the answer was complete.
    Reset,
    /// `--timeout` passed first.
    Timeout,
    /// What came back is not HTTP.
    Protocol,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |&error| error.source());
        let causes: Vec<_> = causes.map(ToString::to_string).collect();
        Self {
            kind,
            detail: causes.join(": "),
        }
    }
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        let kind = if error.is_parse() {
            FailureKind::Protocol
        } else {
            FailureKind::Reset
        };
        Self::new(kind, &error)
    }
}
