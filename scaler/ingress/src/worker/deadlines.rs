//! Deadlines without a timer each: the worker looks through them at every tick, so they are late by
//! up to a tick, and cost a request a place in a list.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ebbtide_core::time::Timestamp;

use super::Worker;
use super::slots::Slots;
use crate::stream::ClientWatch;

/// What requests of one worker wait for no longer than.
pub(crate) struct Deadlines(RefCell<Slots<Entry>>);

struct Entry {
    due: Timestamp,
    client: Option<ClientWatch>,
    passed: Option<Passed>,
    waker: Option<Waker>,
}

/// Why to wait no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// The time is over.
    TimedOut,
    /// The client has gone.
    ClientGone,
}

impl Deadlines {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Slots::new()))
    }

    /// A deadline at `due`, or when `client` goes away. Only a connection that hyper does not read
    /// at the time has to be given: those it reads it watches itself.
    pub(crate) fn add(&self, due: Timestamp, client: Option<ClientWatch>) -> Deadline<'_> {
        Deadline {
            deadlines: self,
            number: self.insert(due, client),
        }
    }

    fn insert(&self, due: Timestamp, client: Option<ClientWatch>) -> usize {
        self.0.borrow_mut().insert(Entry {
            due,
            client,
            passed: None,
            waker: None,
        })
    }

    fn poll_passed(&self, number: usize, cx: &Context<'_>) -> Poll<Passed> {
        let mut entries = self.0.borrow_mut();
        let Some(entry) = entries.get_mut(number) else {
            return Poll::Pending;
        };
        if let Some(passed) = entry.passed {
            return Poll::Ready(passed);
        }
        match &mut entry.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Wakes those whose deadline has passed by `now`.
    pub(crate) fn sweep(&self, now: Timestamp) {
        for entry in self.0.borrow_mut().iter_mut() {
            if entry.passed.is_some() {
                continue;
            }
            entry.passed = entry.passed_by(now);
            if entry.passed.is_some()
                && let Some(waker) = entry.waker.take()
            {
                waker.wake();
            }
        }
    }
}

impl Entry {
    fn passed_by(&self, now: Timestamp) -> Option<Passed> {
        if self.client.as_ref().is_some_and(ClientWatch::is_closed) {
            return Some(Passed::ClientGone);
        }
        (self.due <= now).then_some(Passed::TimedOut)
    }
}

/// One deadline; forgotten when it is dropped.
pub(crate) struct Deadline<'a> {
    deadlines: &'a Deadlines,
    number: usize,
}

impl Deadline<'_> {
    /// Waits for `future` until the deadline has passed. It is pinned by the caller, as it would be there
    /// twice otherwise.
    pub(crate) async fn limit<F: Future + Unpin>(
        &self,
        mut future: F,
    ) -> Result<F::Output, Passed> {
        poll_fn(|cx| {
            if let Poll::Ready(output) = Pin::new(&mut future).poll(cx) {
                return Poll::Ready(Ok(output));
            }
            self.deadlines.poll_passed(self.number, cx).map(Err)
        })
        .await
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        self.deadlines.0.borrow_mut().remove(self.number);
    }
}

/// One deadline of what goes from task to task of a worker; forgotten when it is dropped.
pub(crate) struct OwnedDeadline {
    worker: Rc<Worker>,
    number: usize,
}

impl OwnedDeadline {
    /// A deadline at `due`.
    pub(crate) fn new(worker: Rc<Worker>, due: Timestamp) -> Self {
        let number = worker.deadlines.insert(due, None);
        Self { worker, number }
    }

    /// Whether the deadline has passed. The task that asked last is woken when it does.
    pub(crate) fn poll_passed(&self, cx: &Context<'_>) -> Poll<Passed> {
        self.worker.deadlines.poll_passed(self.number, cx)
    }
}

impl Drop for OwnedDeadline {
    fn drop(&mut self) {
        self.worker.deadlines.0.borrow_mut().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::pin::pin;

    #[tokio::test]
    async fn what_is_in_time_is_not_limited() {
        let deadlines = Deadlines::new();
        let deadline = deadlines.add(Timestamp::from_secs(1), None);
        assert_eq!(deadline.limit(ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_sweep_wakes_what_is_late_and_only_that() {
        let deadlines = Deadlines::new();
        let late = deadlines.add(Timestamp::from_secs(3), None);
        let mut context = Context::from_waker(Waker::noop());
        {
            let early = deadlines.add(Timestamp::from_secs(1), None);
            let mut waits = pin!(early.limit(pending::<()>()));
            assert!(waits.as_mut().poll(&mut context).is_pending());
            deadlines.sweep(Timestamp::from_secs(2));
            assert_eq!(waits.await, Err(Passed::TimedOut));
        }
        let mut waits = pin!(late.limit(pending::<()>()));
        assert!(waits.as_mut().poll(&mut context).is_pending());
        assert_eq!(deadlines.0.borrow_mut().iter_mut().count(), 1);
    }
}
