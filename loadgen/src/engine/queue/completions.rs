//! Messages that wait to be completed, and the task that reads completions for as long as the run lasts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use super::broker::Receiver;
use super::marker::Completion;
use crate::engine::rules::{Found, Rules};
use crate::engine::worker::Worker;
use crate::plan::QueueTarget;

/// How long until completions are tried to be read again, when they cannot be.
const PAUSE: Duration = Duration::from_millis(500);

/// Messages that are not completed, by position.
#[derive(Default)]
pub(super) struct Waiting {
    messages: RefCell<BTreeMap<u64, oneshot::Sender<Completed>>>,
    /// There is a message again.
    some: Notify,
    /// Why completions cannot be read, if they cannot be.
    fault: RefCell<Option<String>>,
    /// Nothing is to be read any more.
    is_over: Cell<bool>,
    over: Notify,
}

/// A completion, and when it was read.
pub(super) struct Completed {
    pub(super) at: Duration,
    pub(super) bytes: u64,
    pub(super) found: Found,
}

/// Forgets a message when nobody waits for it any more.
pub(super) struct Forgets<'a> {
    waiting: &'a Waiting,
    position: u64,
}

impl Waiting {
    /// What comes when the message of a position is completed. It is forgotten with the second value.
    pub(super) fn wait_for(&self, position: u64) -> (oneshot::Receiver<Completed>, Forgets<'_>) {
        let (complete, completed) = oneshot::channel();
        self.messages.borrow_mut().insert(position, complete);
        self.some.notify_one();
        let waiting = self;
        (completed, Forgets { waiting, position })
    }

    /// Why completions cannot be read, if they cannot be.
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.borrow().clone()
    }

    /// Ends the reading of completions.
    pub(super) fn end(&self) {
        self.is_over.set(true);
        self.over.notify_one();
    }

    /// Waits until there is a message that is not completed.
    async fn some(&self) {
        while self.messages.borrow().is_empty() {
            self.some.notified().await;
        }
    }

    async fn over(&self) {
        while !self.is_over.get() {
            self.over.notified().await;
        }
    }
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        let forgotten = self.waiting.messages.borrow_mut().remove(&self.position);
        drop(forgotten);
    }
}

/// What is needed to read completions.
pub(super) struct Reading {
    pub(super) run: u64,
    pub(super) target: QueueTarget,
    pub(super) worker: Weak<Worker>,
    pub(super) waiting: Rc<Waiting>,
    pub(super) position: usize,
}

/// Reads completions until that is [ended](Waiting::end). When they cannot be read it connects again.
pub(super) async fn read(reading: Reading, mut receiver: Receiver) {
    while let Some(read) = reading.unless_over(reading.next(&mut receiver)).await {
        let fault = match read {
            Ok(texts) => {
                reading.completed(&texts);
                receiver.settle().await.err()
            }
            Err(fault) => Some(fault),
        };
        let is_broken = fault.is_some();
        reading.say(fault);
        if is_broken
            && let reopened = reading.unless_over(reading.reopen(&mut receiver)).await
            && reopened.is_none()
        {
            break;
        }
    }
    receiver.close().await;
}

impl Reading {
    async fn unless_over<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = future => Some(result),
            () = self.waiting.over() => None,
        }
    }

    async fn next(&self, receiver: &mut Receiver) -> Result<Vec<Vec<u8>>, String> {
        if receiver.asks() {
            self.waiting.some().await;
        }
        receiver.next().await
    }

    async fn reopen(&self, receiver: &mut Receiver) {
        loop {
            sleep(PAUSE).await;
            match receiver.reopen(&self.target).await {
                Ok(()) => return,
                Err(fault) => self.say(Some(fault)),
            }
        }
    }

    fn say(&self, fault: Option<String>) {
        *self.waiting.fault.borrow_mut() = fault;
    }

    /// Takes what workers gave back. What is of no message of this run is left over from another.
    fn completed(&self, texts: &[Vec<u8>]) {
        let Some(worker) = self.worker.upgrade() else {
            return;
        };
        let at = worker.now();
        let rules = Rules::default();
        for text in texts {
            let Some(completion) = std::str::from_utf8(text).ok().and_then(Completion::parse)
            else {
                continue;
            };
            if completion.marker.run != self.run {
                continue;
            }
            let position = completion.marker.position;
            let waiting = self.waiting.messages.borrow_mut().remove(&position);
            let Some(waiting) = waiting else {
                worker.recorder.borrow_mut().completed_again(self.position);
                continue;
            };
            let mut found = Found::default();
            found.clear(&rules);
            let named = [
                ("x-revision", completion.revision),
                ("x-replica", completion.replica),
            ];
            for (name, value) in named {
                if let Some(value) = value {
                    found.header(&rules, name, value.as_bytes());
                }
            }
            // It may have been given up just now.
            let _ = waiting.send(Completed {
                at,
                bytes: text.len() as u64,
                found,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_asks_for_completions_waits_until_there_is_a_message() {
        let waiting = Waiting::default();
        assert!(waiting.some().now_or_never().is_none());
        let (mut completed, forgets) = waiting.wait_for(7);
        assert!(waiting.some().now_or_never().is_some());
        // As often as it asks.
        assert!(waiting.some().now_or_never().is_some());
        drop(forgets);
        assert!(completed.try_recv().is_err());
        assert!(waiting.some().now_or_never().is_none());
    }

    #[tokio::test]
    async fn reading_ends_whenever_it_is_ended() {
        let waiting = Waiting::default();
        assert!(waiting.over().now_or_never().is_none());
        waiting.end();
        assert!(waiting.over().now_or_never().is_some());
        assert!(waiting.over().now_or_never().is_some());
    }
}
