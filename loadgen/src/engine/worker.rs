//! A thread that sends: it follows its share of the load, and keeps what becomes of its requests.
//!
//! All of it is one thread's, so nothing is locked. Requests are begun by whoever knows what time it is: the alarm
//! that rings when the next one is due, and every connection that has just read an answer. So a request is not late
//! because answers keep the thread busy.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::select;
use tokio::sync::{Notify, watch};
use tokio::task::{spawn_local, yield_now};
use tokio::time::sleep;

use super::Stop;
use super::alarm::Alarm;
use super::arrivals::{Arrivals, Due, Next};
use super::clients::Clients;
use super::driver::{Driver, Start};
use super::random::Shares;
use crate::clock::RunClock;
use crate::record::outcome::{FailureKind, Outcome};
use crate::record::recorder::Recorder;

/// How many requests are begun at once before answers are looked at.
const AT_ONCE: usize = 32;

/// How much is read of a connection at once, in bytes.
const READ: usize = 64 * 1024;

/// What starts the next request.
pub(super) enum Source {
    Open(Arrivals),
    Closed(Clients),
}

/// One worker.
pub(crate) struct Worker {
    number: usize,
    clock: Cell<RunClock>,
    pub(super) recorder: RefCell<Recorder>,
    source: RefCell<Source>,
    shares: RefCell<Shares>,
    drivers: OnceCell<Vec<Driver>>,
    /// Requests that were begun and have not ended, and how many there may be.
    outstanding: Cell<usize>,
    most: usize,
    /// None is outstanding.
    quiet: Notify,
    /// Nothing more is begun.
    pub(super) ending: Cell<bool>,
    /// What was just read of a connection. One is enough: it is used up before the next read.
    pub(super) read: RefCell<Box<[u8]>>,
}

impl Worker {
    /// `most` are the requests that may be outstanding.
    pub(super) fn new(
        number: usize,
        recorder: Recorder,
        source: Source,
        shares: Shares,
        most: usize,
    ) -> Self {
        Self {
            number,
            clock: Cell::new(RunClock::start()),
            recorder: RefCell::new(recorder),
            source: RefCell::new(source),
            shares: RefCell::new(shares),
            drivers: OnceCell::new(),
            outstanding: Cell::new(0),
            most,
            quiet: Notify::new(),
            ending: Cell::new(false),
            read: RefCell::new(vec![0; READ].into_boxed_slice()),
        }
    }

    /// Gives it what its targets are driven by, once.
    pub(super) fn drive(&self, drivers: Vec<Driver>) {
        // Only the worker's own thread does this, when it begins.
        let _ = self.drivers.set(drivers);
    }

    pub(super) fn drivers(&self) -> &[Driver] {
        self.drivers.get().map_or(&[], Vec::as_slice)
    }

    /// Among the workers, from 0.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn clock(&self) -> RunClock {
        self.clock.get()
    }

    /// The time of the run.
    pub(super) fn now(&self) -> Duration {
        self.clock.get().elapsed()
    }

    /// Sends everything and waits for the answers; says whether the run was ended early.
    pub(super) async fn run(
        self: &Rc<Self>,
        clock: RunClock,
        mut stop: watch::Receiver<Stop>,
    ) -> io::Result<bool> {
        self.clock.set(clock);
        for driver in self.drivers() {
            spawn_local(driver.clone().expire(Rc::downgrade(self)));
        }
        select! {
            followed = self.follow() => followed?,
            () = until(&mut stop, Stop::Finish) => {}
        }
        self.ending.set(true);
        match &mut *self.source.borrow_mut() {
            Source::Open(arrivals) => arrivals.end(),
            Source::Closed(clients) => clients.end(),
        }
        select! {
            () = self.until_quiet() => {}
            () = until(&mut stop, Stop::Abandon) => self.abandon(),
        }
        Ok(*stop.borrow() != Stop::No)
    }

    async fn follow(self: &Rc<Self>) -> io::Result<()> {
        let until = match &mut *self.source.borrow_mut() {
            Source::Open(_) => None,
            Source::Closed(clients) => Some((clients.until(), clients.all())),
        };
        if let Some((until, all)) = until {
            for client in all {
                self.client(client);
            }
            sleep(until.saturating_sub(self.now())).await;
            return Ok(());
        }
        let mut alarm = Alarm::new()?;
        loop {
            match self.send_due() {
                Some(Next::At(next)) => alarm.wait(next.saturating_sub(self.now())).await?,
                Some(Next::Due(_)) => yield_now().await,
                Some(Next::Ended) | None => return Ok(()),
            }
        }
    }

    /// Begins what is due, but not more than some at once; says what is next. None in a closed loop.
    pub(super) fn send_due(self: &Rc<Self>) -> Option<Next> {
        for left in (0..AT_ONCE).rev() {
            let now = self.now();
            let next = match &mut *self.source.borrow_mut() {
                Source::Open(arrivals) => arrivals.take(now),
                Source::Closed(_) => return None,
            };
            match next {
                Next::Due(due) => self.begin(due, now),
                other => return Some(other),
            }
            if left == 0 {
                return Some(next);
            }
        }
        None
    }

    fn begin(self: &Rc<Self>, due: Due, begun: Duration) {
        let Due {
            position,
            intended,
            follows,
        } = due;
        let target = self.shares.borrow_mut().target(position);
        if self.outstanding.get() >= self.most {
            self.recorder.borrow_mut().dropped(target, intended);
            return;
        }
        self.outstanding.set(self.outstanding.get() + 1);
        let start = Start {
            position,
            intended,
            begun,
        };
        // It is sent first and counted then: it never ends before this returns.
        self.drivers()[target].begin(start);
        let mut recorder = self.recorder.borrow_mut();
        recorder.begun(target, intended, begun, follows);
    }

    /// What became of a request. The next one of a closed loop is begun.
    pub(super) fn ended(self: &Rc<Self>, outcome: &Outcome<'_>, position: u64) {
        self.recorder.borrow_mut().ended(outcome);
        self.outstanding.set(self.outstanding.get() - 1);
        let client = match &mut *self.source.borrow_mut() {
            Source::Open(_) => None,
            Source::Closed(clients) => Some((clients.client(position), clients.pause())),
        };
        if let Some((client, pause)) = client {
            if pause.is_zero() {
                self.client(client);
            } else {
                let worker = Rc::clone(self);
                spawn_local(async move {
                    sleep(pause).await;
                    worker.client(client);
                });
            }
        }
        if self.outstanding.get() == 0 {
            self.quiet.notify_waiters();
        }
    }

    /// A client of the closed loop begins its next request, if there is still time.
    fn client(self: &Rc<Self>, client: u64) {
        let now = self.now();
        let position = match &mut *self.source.borrow_mut() {
            Source::Open(_) => None,
            Source::Closed(clients) => clients.next(client, now),
        };
        if let Some(position) = position {
            let due = Due {
                position,
                intended: now,
                follows: false,
            };
            self.begin(due, now);
        }
    }

    /// Takes leave of the servers that expect it.
    pub(super) async fn close(&self) {
        for driver in self.drivers() {
            driver.close().await;
        }
    }

    async fn until_quiet(&self) {
        loop {
            let quiet = self.quiet.notified();
            if self.outstanding.get() == 0 {
                return;
            }
            quiet.await;
        }
    }

    fn abandon(self: &Rc<Self>) {
        for driver in self.drivers() {
            driver.give_up_all(FailureKind::Abandoned, "the run was ended");
        }
    }
}

/// Waits until the run is to be stopped, this way or a faster one; for ever if nobody can say so any more.
async fn until(stop: &mut watch::Receiver<Stop>, this: Stop) {
    if stop.wait_for(|stop| *stop >= this).await.is_err() {
        std::future::pending::<()>().await;
    }
}
