//! Queues: a request is a message, and it is answered when a worker says that it has completed it.
//!
//! Each message carries a [marker](marker). A worker that is done with one gives the marker back through a second queue
//! of the same broker, which is read here: a message can so make no worker connect anywhere. What is never given back
//! within the target's timeout is lost.

mod broker;
mod marker;
mod mysql;
mod nats;
mod pool;
mod postgresql;
mod rabbitmq;
mod reading;
mod redis;
mod rows;

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use self::broker::{Receiver, Sender};
use self::marker::Marker;
use self::reading::{Completed, Reading, Waiting, read};
use super::Target;
use super::driver::Start;
use super::rules::{Rules, Times};
use super::tasks::{Complete, Exchange};
use super::template::Filling;
use super::worker::Worker;
use crate::clock::{self, RunClock};
use crate::plan::QueueTarget;
use crate::record::outcome::FailureKind;

/// Why a message was not enqueued, in words.
pub(super) type Failed = (FailureKind, String);

/// How long to wait at the end of a run until the completions that were read last are taken away.
const SETTLE: Duration = Duration::from_secs(5);

/// A queue that is loaded, and what comes back from its workers.
pub(super) struct Queue {
    position: usize,
    seed: u64,
    /// Marks the messages of this run.
    run: u64,
    target: QueueTarget,
    rules: Rules,
    worker: Weak<Worker>,
    sender: RefCell<Option<Sender>>,
    waiting: Rc<RefCell<Waiting>>,
    reader: RefCell<Option<JoinHandle<()>>>,
    stop: Rc<Notify>,
}

impl Queue {
    pub(super) fn new(target: &Target<'_>, queue: &QueueTarget, worker: Weak<Worker>) -> Self {
        Self {
            position: target.position,
            seed: target.seed,
            run: name_of_run(),
            target: queue.clone(),
            rules: Rules::of(target.plan),
            worker,
            sender: RefCell::default(),
            waiting: Rc::default(),
            reader: RefCell::default(),
            stop: Rc::default(),
        }
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What is said of a message that took too long.
    pub(super) fn late(&self, timeout: Duration) -> String {
        let late = format!("not completed within {timeout:?}");
        match &self.waiting.borrow().fault {
            Some(fault) => format!("{late}; completions cannot be read: {fault}"),
            None => late,
        }
    }

    /// Connects, and begins to read completions.
    pub(super) async fn prepare(&self, clock: RunClock) -> Result<Vec<Duration>, String> {
        let started = clock.elapsed();
        let sender = Sender::open(&self.target.broker).await?;
        let receiver = self.receiver().await?;
        let took = clock.elapsed().saturating_sub(started);
        let reading = read(
            Reading {
                run: self.run,
                target: self.target.clone(),
                worker: Weak::clone(&self.worker),
                waiting: Rc::clone(&self.waiting),
                position: self.position,
            },
            receiver,
            Rc::clone(&self.stop),
        );
        *self.reader.borrow_mut() = Some(spawn_local(reading));
        *self.sender.borrow_mut() = Some(sender);
        Ok(vec![took])
    }

    /// Reads no more completions, once those that were read are taken away.
    pub(super) async fn close(&self) {
        let reader = self.reader.borrow_mut().take();
        if let Some(mut reader) = reader {
            self.stop.notify_one();
            if timeout(SETTLE, &mut reader).await.is_err() {
                reader.abort();
            }
        }
    }

    async fn receiver(&self) -> Result<Receiver, String> {
        Receiver::open(&self.target.broker, &self.target.completed).await
    }

    /// Enqueues the message of this position, and waits until it is completed.
    pub(super) async fn exchange(&self, clock: RunClock, start: &Start) -> Exchange {
        let result = self.complete(clock, start).await;
        let connect = None;
        Exchange { connect, result }
    }

    async fn complete(&self, clock: RunClock, start: &Start) -> Result<Complete, Failed> {
        let marker = Marker {
            run: self.run,
            position: start.position,
            intended: start.intended,
        };
        let mut body = Vec::new();
        let mut filling = Filling::new(self.seed, start.position);
        self.target.body.render(&mut filling, &mut body);
        let sender = self.sender.borrow().clone();
        let sender = sender.ok_or((FailureKind::Connect, "there is no connection".to_owned()))?;
        // A worker may be done with it before the broker says that it has it.
        let completed = self.wait_for(start.position);
        let _forgets = Forgets {
            waiting: &self.waiting,
            position: start.position,
        };
        let sent = clock.elapsed();
        sender.send(&marker.to_string(), body).await?;
        let enqueued = clock.elapsed();
        if let Some(worker) = self.worker.upgrade() {
            let took = enqueued.saturating_sub(sent);
            worker.recorder.borrow_mut().enqueued(self.position, took);
        }
        let completed = completed.await;
        let ended = |_| (FailureKind::Reset, "the run is over".to_owned());
        let Completed { at, bytes, found } = completed.map_err(ended)?;
        let times = Times {
            sent,
            first_byte: enqueued.min(at),
            ended: at,
        };
        Ok(Complete {
            status: 0,
            bytes,
            times,
            found,
        })
    }

    fn wait_for(&self, position: u64) -> oneshot::Receiver<Completed> {
        let (complete, completed) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        waiting.messages.insert(position, complete);
        completed
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.borrow_mut().take() {
            reader.abort();
        }
    }
}

/// Forgets a message when nobody waits for it any more.
struct Forgets<'a> {
    waiting: &'a RefCell<Waiting>,
    position: u64,
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        self.waiting.borrow_mut().messages.remove(&self.position);
    }
}

/// Another one for every run, whatever its seed.
fn name_of_run() -> u64 {
    let nanos = clock::now().as_nanosecond().unsigned_abs();
    let process = u128::from(std::process::id()) << 40;
    // The low bits of the time differ from run to run.
    u64::try_from((nanos ^ process) & u128::from(u64::MAX)).unwrap_or_default()
}
