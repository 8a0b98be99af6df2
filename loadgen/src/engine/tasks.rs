//! Targets whose requests are carried by a task each: everything but HTTP/1.1.
//!
//! A protocol only says how one request is exchanged for an answer. How many there may be at once, which wait, which
//! have taken too long and what is recorded is the same for all.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::task::spawn_local;

use super::driver::{Start, no_answer};
use super::flights::{Carrier, Flight, FlightId, Flights};
use super::http2::Http2;
use super::queue::Queue;
use super::rules::{Found, Rules, Times};
use super::websocket::WebSocket;
use super::worker::Worker;
use crate::clock::RunClock;
use crate::record::outcome::{Failure, FailureKind, Outcome};

/// How one request is exchanged for an answer.
pub(super) enum Protocol {
    Http2(Http2),
    Queue(Queue),
    WebSocket(WebSocket),
}

impl Protocol {
    async fn exchange(&self, clock: RunClock, start: &Start) -> Exchange {
        match self {
            Self::Http2(http2) => http2.exchange(clock, start).await,
            Self::Queue(queue) => queue.exchange(clock, start).await,
            Self::WebSocket(web_socket) => web_socket.exchange(clock, start).await,
        }
    }

    async fn prepare(&self, clock: RunClock) -> Result<Vec<Duration>, String> {
        match self {
            Self::Http2(http2) => http2.prepare(clock).await,
            Self::Queue(queue) => queue.prepare(clock).await,
            Self::WebSocket(web_socket) => web_socket.prepare(clock).await,
        }
    }

    async fn close(&self) {
        match self {
            Self::Http2(_) => {}
            Self::Queue(queue) => queue.close().await,
            Self::WebSocket(web_socket) => web_socket.close().await,
        }
    }

    fn rules(&self) -> &Rules {
        match self {
            Self::Http2(http2) => http2.rules(),
            Self::Queue(queue) => queue.rules(),
            Self::WebSocket(web_socket) => web_socket.rules(),
        }
    }

    fn late(&self, timeout: Duration) -> String {
        match self {
            Self::Http2(_) | Self::WebSocket(_) => no_answer(timeout),
            Self::Queue(queue) => queue.late(timeout),
        }
    }
}

/// What came of a request.
pub(super) struct Exchange {
    /// How long it took to open a connection for it; none if it needed none.
    pub(super) connect: Option<Duration>,
    /// A complete answer, or why there is none, in words.
    pub(super) result: Result<Complete, (FailureKind, String)>,
}

/// A complete answer.
pub(super) struct Complete {
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) times: Times,
    pub(super) found: Found,
}

/// The requests of one target.
pub(super) struct Tasks {
    target: usize,
    worker: Weak<Worker>,
    protocol: Protocol,
    timeout: Duration,
    /// How many may be carried at once.
    most: usize,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    flights: Flights,
    carried: usize,
    /// Requests that are not carried. Some may have ended.
    waiting: VecDeque<FlightId>,
}

impl Tasks {
    /// Of the target with this position in the plan.
    pub(super) fn new(
        target: usize,
        worker: Weak<Worker>,
        protocol: Protocol,
        timeout: Duration,
        most: usize,
    ) -> Self {
        Self {
            target,
            worker,
            protocol,
            timeout,
            most,
            state: RefCell::default(),
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What is said of a request that took too long.
    pub(super) fn late(&self) -> String {
        self.protocol.late(self.timeout)
    }

    pub(super) fn oldest(&self) -> Option<(FlightId, Duration)> {
        let state = self.state.borrow();
        let (id, flight) = state.flights.oldest()?;
        Some((id, flight.intended))
    }

    /// Opens the connections that are to be open before the first request.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        let worker = self.worker.upgrade().ok_or("the run is over")?;
        for took in self.protocol.prepare(worker.clock()).await? {
            worker.recorder.borrow_mut().connected(self.target, took);
        }
        Ok(())
    }

    /// Closes its connections, if the protocol has a word for that.
    pub(super) async fn close(&self) {
        self.protocol.close().await;
    }

    /// Begins a request, or lets it wait.
    pub(super) fn begin(self: &Rc<Self>, start: Start) {
        let mut state = self.state.borrow_mut();
        let waits = state.carried >= self.most;
        let id = state.flights.begin(Flight {
            position: start.position,
            intended: start.intended,
            begun: start.begun,
            waited: waits,
            connect: None,
            carrier: Carrier::None,
        });
        if waits {
            state.waiting.push_back(id);
            return;
        }
        drop(state);
        self.carry(id, start);
    }

    fn carry(self: &Rc<Self>, id: FlightId, start: Start) {
        let Some(clock) = self.worker.upgrade().map(|worker| worker.clock()) else {
            return;
        };
        let tasks = Rc::clone(self);
        let task = spawn_local(async move {
            let exchange = tasks.protocol.exchange(clock, &start).await;
            tasks.exchanged(id, &exchange);
        });
        let mut state = self.state.borrow_mut();
        state.carried += 1;
        if let Some(flight) = state.flights.get_mut(id) {
            flight.carrier = Carrier::Task(task.abort_handle());
        }
    }

    fn exchanged(self: &Rc<Self>, id: FlightId, exchange: &Exchange) {
        let flight = self.state.borrow_mut().flights.end(id);
        self.carry_next();
        if let Some(flight) = flight {
            self.ended(&flight, exchange);
        }
    }

    /// A place is free for one that waits.
    fn carry_next(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        state.carried -= 1;
        while let Some(id) = state.waiting.pop_front() {
            let Some(flight) = state.flights.get_mut(id) else {
                continue;
            };
            let start = Start {
                position: flight.position,
                intended: flight.intended,
                begun: flight.begun,
            };
            drop(state);
            return self.carry(id, start);
        }
    }

    fn ended(&self, flight: &Flight, exchange: &Exchange) {
        let Some(worker) = self.worker.upgrade() else {
            return;
        };
        let rules = self.protocol.rules();
        let result = match &exchange.result {
            Ok(complete) => {
                let Complete { status, bytes, .. } = *complete;
                Ok(complete.found.answer(rules, status, bytes, complete.times))
            }
            Err((kind, detail)) => Err(Failure {
                kind: *kind,
                detail: detail.clone(),
                at: worker.now(),
            }),
        };
        let outcome = Outcome {
            target: self.target,
            intended: flight.intended,
            waited: flight.waited,
            connect: exchange.connect,
            result,
        };
        worker.ended(&outcome, flight.position);
        worker.send_due();
    }

    /// Gives up a request, and what carries it.
    pub(super) fn give_up(self: &Rc<Self>, id: FlightId, kind: FailureKind, detail: &str) {
        let mut state = self.state.borrow_mut();
        let Some(flight) = state.flights.end(id) else {
            return;
        };
        // It has waited longest, so it is the first that waits, if it does.
        if state.waiting.front() == Some(&id) {
            state.waiting.pop_front();
        }
        if kind == FailureKind::Abandoned {
            state.waiting.clear();
        }
        drop(state);
        if let Carrier::Task(task) = &flight.carrier {
            task.abort();
            self.carry_next();
        }
        let result = Err((kind, detail.to_owned()));
        let connect = None;
        self.ended(&flight, &Exchange { connect, result });
    }
}
