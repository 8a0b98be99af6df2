//! Queues: a request is a message, and it is answered when a worker says that it has completed it.
//!
//! Each message carries a [marker](marker). A worker that is done with one gives the marker back through a second queue
//! of the same broker, which is read here: a message can so make no worker connect anywhere. What is never given back
//! within the target's timeout is lost.

mod azure;
mod broker;
mod completions;
mod connect;
mod enqueue;
mod kafka;
mod marker;
mod mysql;
mod nats;
mod pool;
mod postgresql;
mod rabbitmq;
mod redis;
mod rows;

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use self::broker::Receiver;
use self::completions::{Completed, Reading, Waiting, read};
use self::enqueue::Enqueue;
use self::marker::Marker;
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

/// How long the end of the run waits until completions that were read are deleted.
const PATIENCE: Duration = Duration::from_secs(5);

/// A queue that is loaded, and what comes back from its workers.
pub(super) struct Queue {
    position: usize,
    seed: u64,
    /// Marks the messages of this run.
    run: u64,
    target: QueueTarget,
    rules: Rules,
    worker: Weak<Worker>,
    enqueue: RefCell<Option<Rc<Enqueue>>>,
    waiting: Rc<Waiting>,
    reader: RefCell<Option<JoinHandle<()>>>,
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
            enqueue: RefCell::default(),
            waiting: Rc::default(),
            reader: RefCell::default(),
        }
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What is said of a message that took too long.
    pub(super) fn late(&self, timeout: Duration) -> String {
        let late = format!("not completed within {timeout:?}");
        match self.waiting.fault() {
            Some(fault) => format!("{late}; completions cannot be read: {fault}"),
            None => late,
        }
    }

    /// Connects, and begins to read completions.
    pub(super) async fn prepare(&self, clock: RunClock) -> Result<Vec<Duration>, String> {
        let started = clock.elapsed();
        let enqueue = Enqueue::open(&self.target).await?;
        let receiver = Receiver::open(&self.target).await?;
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
        );
        *self.reader.borrow_mut() = Some(spawn_local(reading));
        *self.enqueue.borrow_mut() = Some(enqueue);
        Ok(vec![took])
    }

    /// Ends the reading of completions; those that were read are deleted.
    pub(super) async fn close(&self) {
        let reader = self.reader.borrow_mut().take();
        if let Some(mut reader) = reader {
            self.waiting.end();
            if timeout(PATIENCE, &mut reader).await.is_err() {
                reader.abort();
            }
        }
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
        let enqueue = self.enqueue.borrow().clone();
        let enqueue = enqueue.ok_or((FailureKind::Connect, "there is no connection".to_owned()))?;
        // A worker may be done with it before the broker says that it has it.
        let (completed, _forgets) = self.waiting.wait_for(start.position);
        let sent = clock.elapsed();
        enqueue.send(&marker.to_string(), body).await?;
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
}

impl Drop for Queue {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.borrow_mut().take() {
            reader.abort();
        }
    }
}

/// Another one for every run, whatever its seed.
fn name_of_run() -> u64 {
    let nanos = clock::now().as_nanosecond().unsigned_abs();
    let process = u128::from(std::process::id()) << 40;
    // The low bits of the time differ from run to run.
    u64::try_from((nanos ^ process) & u128::from(u64::MAX)).unwrap_or_default()
}
