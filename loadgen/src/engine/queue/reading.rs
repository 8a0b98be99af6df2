//! Reading what workers give back.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::select;
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
    pub(super) messages: BTreeMap<u64, oneshot::Sender<Completed>>,
    /// Why completions cannot be read, if they cannot be.
    pub(super) fault: Option<String>,
}

/// A completion, and when it was read.
pub(super) struct Completed {
    pub(super) at: Duration,
    pub(super) bytes: u64,
    pub(super) found: Found,
}

/// What is needed to read completions.
pub(super) struct Reading {
    pub(super) run: u64,
    pub(super) target: QueueTarget,
    pub(super) worker: Weak<Worker>,
    pub(super) waiting: Rc<RefCell<Waiting>>,
    pub(super) position: usize,
}

/// Reads completions until it is told to stop. When they cannot be read it connects again.
pub(super) async fn read(reading: Reading, mut receiver: Receiver, stop: Rc<Notify>) {
    loop {
        let texts = select! {
            texts = receiver.next() => texts,
            () = stop.notified() => return,
        };
        let fault = match texts {
            Ok(texts) => {
                reading.completed(&texts);
                receiver.settle().await.err()
            }
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            reading.waiting.borrow_mut().fault = Some(fault);
            receiver = select! {
                receiver = reading.reopened(receiver) => receiver,
                () = stop.notified() => return,
            };
        }
    }
}

impl Reading {
    /// Another receiver in place of one that is of no use, as soon as there can be one.
    async fn reopened(&self, mut receiver: Receiver) -> Receiver {
        let unsettled = receiver.unsettled().map(std::mem::take).unwrap_or_default();
        drop(receiver);
        let QueueTarget {
            broker, completed, ..
        } = &self.target;
        loop {
            sleep(PAUSE).await;
            match Receiver::open(broker, completed).await {
                Ok(mut receiver) => {
                    if let Some(rows) = receiver.unsettled() {
                        *rows = unsettled;
                    }
                    self.waiting.borrow_mut().fault = None;
                    return receiver;
                }
                Err(fault) => self.waiting.borrow_mut().fault = Some(fault),
            }
        }
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
            let waiting = self.waiting.borrow_mut().messages.remove(&position);
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
