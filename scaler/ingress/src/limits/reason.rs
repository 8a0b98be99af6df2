//! Why the ingress has answered a request itself, in words for metrics and the access log.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request was not answered by a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    BadHost,
    Malformed,
    LargeHead,
    SlowHead,
    LongTarget,
    LargeBody,
    SlowBody,
    ConnectMethod,
    Redirect,
    UnknownHost,
    NoRevision,
    AppDeleted,
    ActivationFailed,
    WaitingRoomFull,
    WaitedTooLong,
    Unreachable,
    BrokenOff,
    UnexpectedUpgrade,
    NoAnswerInTime,
    ClientGone,
    ForbiddenAddress,
    Preflight,
    ForeignOrigin,
    ColdAnswer,
    NoRoute,
    NoTarget,
    NoSuchRevision,
    ReplicasBusy,
    NoWebSocket,
    NoCertificate,
    Misdirected,
    AnswerPaused,
    AnswerLate,
    Compression,
    Challenge,
}

impl Reason {
    /// All of them, each at its place in the counters, with its name.
    const ALL: [(Self, &'static str); 35] = [
        (Self::BadHost, "bad-host"),
        (Self::Malformed, "malformed"),
        (Self::LargeHead, "large-head"),
        (Self::SlowHead, "slow-head"),
        (Self::LongTarget, "long-target"),
        (Self::LargeBody, "large-body"),
        (Self::SlowBody, "slow-body"),
        (Self::ConnectMethod, "connect-method"),
        (Self::Redirect, "redirect"),
        (Self::UnknownHost, "unknown-host"),
        (Self::NoRevision, "no-revision"),
        (Self::AppDeleted, "app-deleted"),
        (Self::ActivationFailed, "activation-failed"),
        (Self::WaitingRoomFull, "waiting-room-full"),
        (Self::WaitedTooLong, "waited-too-long"),
        (Self::Unreachable, "replica-unreachable"),
        (Self::BrokenOff, "replica-broke-off"),
        (Self::UnexpectedUpgrade, "unexpected-upgrade"),
        (Self::NoAnswerInTime, "no-answer-in-time"),
        (Self::ClientGone, "client-gone"),
        (Self::ForbiddenAddress, "forbidden-address"),
        (Self::Preflight, "preflight"),
        (Self::ForeignOrigin, "foreign-origin"),
        (Self::ColdAnswer, "cold-answer"),
        (Self::NoRoute, "no-route"),
        (Self::NoTarget, "no-target"),
        (Self::NoSuchRevision, "no-such-revision"),
        (Self::ReplicasBusy, "replicas-busy"),
        (Self::NoWebSocket, "no-websocket"),
        (Self::NoCertificate, "no-certificate"),
        (Self::Misdirected, "misdirected"),
        (Self::AnswerPaused, "answer-paused"),
        (Self::AnswerLate, "answer-late"),
        (Self::Compression, "compression-failed"),
        (Self::Challenge, "challenge"),
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.place().map_or("", |place| Self::ALL[place].1)
    }

    fn place(self) -> Option<usize> {
        Self::ALL.iter().position(|(one, _)| *one == self)
    }
}

/// How often each was the reason.
pub(super) struct Reasons([AtomicU64; Reason::ALL.len()]);

impl Reasons {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; Reason::ALL.len()])
    }

    pub(super) fn count(&self, reason: Reason) {
        if let Some(counter) = reason.place().and_then(|place| self.0.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> Vec<(&'static str, u64)> {
        let counters = Reason::ALL.iter().zip(&self.0);
        counters
            .map(|((_, name), counter)| (*name, counter.load(Ordering::Relaxed)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let reasons = Reasons::new();
        for (reason, _) in Reason::ALL {
            reasons.count(reason);
        }
        assert!(reasons.read().iter().all(|(_, count)| *count == 1));
    }
}
