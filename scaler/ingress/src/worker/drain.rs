//! How a worker tells its connections to end after their next answer.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::sleep;

use super::slots::Slots;

/// Whether the worker is draining, and whom to wake when it begins to.
pub(crate) struct Drain {
    draining: Cell<bool>,
    linger: Duration,
    connections: RefCell<Slots<Waker>>,
}

impl Drain {
    /// Connections stay for `linger` after draining has begun.
    pub(crate) const fn new(linger: Duration) -> Self {
        Self {
            draining: Cell::new(false),
            linger,
            connections: RefCell::new(Slots::new()),
        }
    }

    /// Tells all connections.
    pub(crate) fn begin(&self) {
        self.draining.set(true);
        for waker in self.connections.borrow_mut().iter_mut() {
            waker.wake_by_ref();
        }
    }

    /// Runs the future of a connection to its end, and calls `end_soon` on it once, some time
    /// after draining has begun.
    pub(crate) async fn run<C: Future>(
        &self,
        mut connection: Pin<&mut C>,
        end_soon: impl Fn(Pin<&mut C>),
    ) -> C::Output {
        let mut begun = pin!(self.begun());
        let mut told = false;
        poll_fn(|cx| {
            let polled = connection.as_mut().poll(cx);
            if polled.is_ready() || told || begun.as_mut().poll(cx).is_pending() {
                return polled;
            }
            told = true;
            end_soon(connection.as_mut());
            connection.as_mut().poll(cx)
        })
        .await
    }

    /// Runs a future to its end or until some time after draining has begun.
    pub(crate) async fn cancel<F: Future>(&self, future: F) -> Option<F::Output> {
        let (mut future, mut begun) = (pin!(future), pin!(self.begun()));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Pending => begun.as_mut().poll(cx).map(|()| None),
            Poll::Ready(output) => Poll::Ready(Some(output)),
        })
        .await
    }

    /// Whether draining has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.draining.get()
    }

    /// Returns when draining has begun and clients have had time for a request that was on its way.
    async fn begun(&self) {
        let mut registration = None;
        poll_fn(|cx| {
            registration.get_or_insert_with(|| self.register(cx));
            if self.draining.get() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        sleep(self.linger).await;
    }

    /// Has a task woken when draining begins, until the result is dropped.
    fn register(&self, cx: &Context<'_>) -> Registration<'_> {
        Registration {
            drain: self,
            number: self.connections.borrow_mut().insert(cx.waker().clone()),
        }
    }
}

/// A connection that will be woken.
struct Registration<'a> {
    drain: &'a Drain,
    number: usize,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.drain.connections.borrow_mut().remove(self.number);
    }
}
