//! A report of an ingress: what came in, checked; and what goes out.

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::RevisionName;
use ebbtide_proto::telemetry as proto;

/// The longest name of an ingress, in bytes.
const LONGEST_NAME: usize = 253;

/// What an ingress has counted, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the ingress is called.
    pub ingress: Arc<str>,
    /// Tells its runs apart.
    pub run: u64,
    /// Grows with each report of a run.
    pub sequence: u64,
    /// How long the run has been counting.
    pub running: Duration,
    /// Whether it has every revision, so that those it leaves out are gone.
    pub whole: bool,
    /// Revisions and what was counted of them since the run began.
    pub revisions: Vec<(RevisionName, Counts)>,
    /// Revisions that the ingress no longer routes to.
    pub removed: Vec<RevisionName>,
    /// Whether the run ends here.
    pub last: bool,
}

/// What a run of an ingress has counted of a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that came.
    pub started: u64,
    /// Requests that were done.
    pub ended: u64,
    /// Request-nanoseconds, wrapping.
    pub request_nanos: u64,
    /// Requests that wait for a replica now.
    pub waiting: u32,
    /// Replicas that may get requests now.
    pub ready: u32,
}

impl Counts {
    /// Requests that came and are not done.
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }
}

impl Report {
    /// Checks a message; `whole` says whether it is the first of its stream.
    ///
    /// # Errors
    /// What is wrong with it: a name that is none, or more requests done than came.
    pub(super) fn read(message: proto::Counts, whole: bool) -> Result<Self, String> {
        let length = message.ingress.len();
        if length == 0 || length > LONGEST_NAME {
            return Err(format!(
                "ingress: has {length} bytes; give a name of 1 to {LONGEST_NAME}"
            ));
        }
        let revisions = message.revisions.iter().map(revision);
        let removed = message.removed.iter().map(|text| name("removed", text));
        Ok(Self {
            ingress: Arc::from(message.ingress),
            run: message.run,
            sequence: message.sequence,
            running: Duration::from_nanos(message.running_nanos),
            whole,
            revisions: revisions.collect::<Result<_, _>>()?,
            removed: removed.collect::<Result<_, _>>()?,
            last: message.last,
        })
    }
}

fn revision(message: &proto::RevisionCounts) -> Result<(RevisionName, Counts), String> {
    let name = name("revision", &message.revision)?;
    if message.ended > message.started {
        return Err(format!(
            "{name}: {} requests ended, but only {} started",
            message.ended, message.started
        ));
    }
    let counts = Counts {
        started: message.started,
        ended: message.ended,
        request_nanos: message.request_nanos,
        waiting: message.waiting,
        ready: message.ready_replicas,
    };
    Ok((name, counts))
}

fn name(field: &str, text: &str) -> Result<RevisionName, String> {
    RevisionName::parse(text).map_err(|error| format!("{field}: {error}"))
}

/// As a message says it.
pub(super) fn message(revision: &str, counts: &Counts) -> proto::RevisionCounts {
    proto::RevisionCounts {
        revision: revision.to_owned(),
        started: counts.started,
        ended: counts.ended,
        request_nanos: counts.request_nanos,
        waiting: counts.waiting,
        ready_replicas: counts.ready,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(ingress: &str, revision: &str, started: u64, ended: u64) -> proto::Counts {
        proto::Counts {
            ingress: ingress.to_owned(),
            revisions: vec![proto::RevisionCounts {
                revision: revision.to_owned(),
                started,
                ended,
                ..proto::RevisionCounts::default()
            }],
            ..proto::Counts::default()
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_what_would_be_right() {
        let long = "x".repeat(254);
        for (message, expected) in [
            (counts("", "a--v1", 0, 0), "ingress: has 0 bytes"),
            (counts(&long, "a--v1", 0, 0), "ingress: has 254 bytes"),
            (
                counts("pod", "a", 0, 0),
                "revision: \"a\" is not a revision name",
            ),
            (counts("pod", "a--v1", 1, 2), "2 requests ended, but only 1"),
        ] {
            let error = Report::read(message, true).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_is_read(started: u64, ended: u64, request_nanos: u64, waiting: u32, ready: u32) {
            let counts = Counts { started, ended: ended.min(started), request_nanos, waiting, ready };
            let read = revision(&message("hello--v1", &counts)).unwrap();
            prop_assert_eq!((read.0.as_str(), read.1), ("hello--v1", counts));
        }
    }
}
