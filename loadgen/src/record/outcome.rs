//! What became of one request.

use std::time::Duration;

/// One request, from its intended start to its end. Times are offsets from the start of the run.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    /// The position of its target in the plan.
    pub(crate) target: usize,
    /// When it was to start. In a closed loop, when it did.
    pub(crate) intended: Duration,
    /// Whether it had to wait because as many requests were in flight as there may be connections.
    pub(crate) waited: bool,
    /// How long it took to open a connection for it, TLS included; none on one that was open.
    pub(crate) connect: Option<Duration>,
    /// Its answer, or why there is none.
    pub(crate) result: Result<Answer<'a>, Failure>,
}

/// A complete answer, whatever it says.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// Of HTTP; 0 where there is none.
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) bytes: u64,
    /// When its first byte was handed to a connection.
    pub(crate) sent: Duration,
    /// When the first byte of the answer had come.
    pub(crate) first_byte: Duration,
    /// When the last byte had.
    pub(crate) ended: Duration,
    /// How long it waited for a replica to start: `Server-Timing: coldstart;dur=MS`.
    pub(crate) cold_start: Option<Duration>,
    /// The revision that answered, where the answer names it (`x-revision`).
    pub(crate) revision: Option<&'a str>,
    /// The replica that answered, where the answer names it (`x-replica`).
    pub(crate) replica: Option<&'a str>,
    /// The value of the header that is counted, if one is and the answer has it.
    pub(crate) counted: Option<&'a str>,
    /// Why it is not a right one; none if it is.
    pub(crate) wrong: Option<Wrong>,
}

/// Why a complete answer is not a right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Its status counts as failed.
    Status,
    /// The status of a call of gRPC does, in words.
    Call(String),
    /// The first other check that it does not pass, in words.
    Check(String),
}

/// Why a request has no complete answer.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What kind of failure.
    pub(crate) kind: FailureKind,
    /// What exactly happened, for people.
    pub(crate) detail: String,
    /// When it was noticed.
    pub(crate) at: Duration,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FailureKind {
    /// No connection could be made.
    Connect,
    /// The connection ended before the answer was complete.
    Reset,
    /// The target's timeout passed first.
    Timeout,
    /// What came back is not the protocol.
    Protocol,
    /// Given up when the run was ended for good.
    Abandoned,
}
