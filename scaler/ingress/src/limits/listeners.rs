//! Connections by the listener that they came to.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::scheme::Scheme;

/// Connections of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerReading {
    /// Which one: `http` or `https`.
    pub listener: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Connections that were taken since the start.
    pub accepted: u64,
    /// Connections that were closed at once, as there were too many.
    pub refused: u64,
}

/// The counters of both listeners.
#[derive(Default)]
pub(super) struct Listeners {
    plain: Listener,
    tls: Listener,
}

#[derive(Default)]
struct Listener {
    open: AtomicU32,
    accepted: AtomicU64,
    refused: AtomicU64,
}

impl Listeners {
    pub(super) fn accepted(&self, scheme: Scheme) {
        let listener = self.of(scheme);
        listener.open.fetch_add(1, Ordering::Relaxed);
        listener.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, scheme: Scheme) {
        self.of(scheme).refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self, scheme: Scheme) {
        self.of(scheme).open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Vec<ListenerReading> {
        let read = |scheme: Scheme| {
            let listener = self.of(scheme);
            ListenerReading {
                listener: scheme.as_str(),
                open: listener.open.load(Ordering::Relaxed),
                accepted: listener.accepted.load(Ordering::Relaxed),
                refused: listener.refused.load(Ordering::Relaxed),
            }
        };
        [Scheme::Http, Scheme::Https].map(read).to_vec()
    }

    fn of(&self, scheme: Scheme) -> &Listener {
        match scheme {
            Scheme::Http => &self.plain,
            Scheme::Https => &self.tls,
        }
    }
}
