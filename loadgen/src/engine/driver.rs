//! What carries the requests of one target. It is told when a request begins, and tells the worker what became of it.

use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::flights::FlightId;
use super::http1::Pool;
use super::tasks::Tasks;
use super::worker::Worker;
use crate::record::outcome::FailureKind;

/// The longest that a driver with nothing outstanding does not look for something to give up.
const LOOK: Duration = Duration::from_millis(100);

/// A request that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// In the run, from 0: what random parts are made from.
    pub(crate) position: u64,
    /// When it was to start.
    pub(crate) intended: Duration,
    /// Now.
    pub(crate) begun: Duration,
}

/// A driver.
#[derive(Clone)]
pub(super) enum Driver {
    /// HTTP/1.1, by our own client.
    Http1(Rc<Pool>),
    /// A task for each request: all else.
    Tasks(Rc<Tasks>),
}

impl Driver {
    /// Begins a request. It does not end before this returns.
    pub(super) fn begin(&self, start: Start) {
        match self {
            Self::Http1(pool) => pool.begin(start),
            Self::Tasks(tasks) => tasks.begin(start),
        }
    }

    /// Opens the connections that are to be open before the first request. Fails with the reason, in words.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        match self {
            Self::Http1(pool) => pool.prepare().await,
            Self::Tasks(tasks) => tasks.prepare().await,
        }
    }

    /// Closes what is open, once nothing is outstanding, if its protocol has a word for that.
    pub(super) async fn close(&self) {
        match self {
            Self::Http1(_) => {}
            Self::Tasks(tasks) => tasks.close().await,
        }
    }

    /// Gives up every request whose time is over, for as long as the run lasts.
    pub(super) async fn expire(self, worker: Weak<Worker>) {
        loop {
            let Some(now) = worker.upgrade().map(|worker| worker.now()) else {
                return;
            };
            match self.oldest() {
                Some((id, intended)) if intended + self.timeout() <= now => {
                    self.give_up(id, FailureKind::Timeout, &self.late());
                }
                Some((_, intended)) => sleep((intended + self.timeout()).saturating_sub(now)).await,
                None => sleep(self.timeout().min(LOOK)).await,
            }
        }
    }

    /// Gives up everything that is outstanding.
    pub(super) fn give_up_all(&self, kind: FailureKind, detail: &str) {
        while let Some((id, _)) = self.oldest() {
            self.give_up(id, kind, detail);
        }
    }

    fn oldest(&self) -> Option<(FlightId, Duration)> {
        match self {
            Self::Http1(pool) => pool.oldest(),
            Self::Tasks(tasks) => tasks.oldest(),
        }
    }

    /// What is said of a request that took too long.
    fn late(&self) -> String {
        match self {
            Self::Http1(pool) => no_answer(pool.timeout()),
            Self::Tasks(tasks) => tasks.late(),
        }
    }

    fn timeout(&self) -> Duration {
        match self {
            Self::Http1(pool) => pool.timeout(),
            Self::Tasks(tasks) => tasks.timeout(),
        }
    }

    fn give_up(&self, id: FlightId, kind: FailureKind, detail: &str) {
        match self {
            Self::Http1(pool) => pool.give_up(id, kind, detail),
            Self::Tasks(tasks) => tasks.give_up(id, kind, detail),
        }
    }
}

/// What is said of a request whose answer took too long.
pub(super) fn no_answer(timeout: Duration) -> String {
    format!("no complete answer within {timeout:?}")
}
