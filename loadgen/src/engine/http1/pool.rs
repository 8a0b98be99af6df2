//! The connections of a target, and the requests that are on them or wait for one.

mod failure;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_local};

use super::answer::Reading;
use super::connection::{Connection, Io};
use super::message::Message;
use super::wire::{Carried, Wire};
use crate::engine::dial::{Dialer, Stream};
use crate::engine::driver::Start;
use crate::engine::flights::{Carrier, Flight, FlightId, Flights};
use crate::engine::rules::{Rules, Times};
use crate::engine::worker::Worker;
use crate::engine::{Target, tls};
use crate::plan::{Connections, HttpTarget};
use crate::record::outcome::{FailureKind, Outcome};

/// How many connections are opened at once before the first request.
const OPENED_AT_ONCE: usize = 64;

/// The connections of one target.
pub(in crate::engine) struct Pool {
    target: usize,
    worker: Weak<Worker>,
    message: Message,
    pub(super) rules: Rules,
    /// The request is `HEAD`.
    pub(super) to_head: bool,
    dialer: Dialer,
    timeout: Duration,
    /// Each connection carries one request.
    once: bool,
    most: usize,
    /// How many are opened before the first request.
    fixed: usize,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    flights: Flights,
    /// Those that are open or being opened.
    open: usize,
    /// Those that carry nothing, the one that was used last at the end. Some may be closed.
    idle: Vec<Rc<Wire>>,
    /// How many of those are closed.
    closed: usize,
    /// Requests without a connection. Some may have ended.
    waiting: VecDeque<FlightId>,
}

impl Pool {
    /// Of the target with this position in the plan. `most` are this worker's connections.
    pub(in crate::engine) fn new(
        target: &Target<'_>,
        http: &HttpTarget,
        worker: Weak<Worker>,
        most: usize,
    ) -> Result<Self, tls::Error> {
        let is_fixed = matches!(http.connections, Connections::Fixed(_));
        Ok(Self {
            target: target.position,
            worker,
            message: Message::new(target.seed, http),
            rules: Rules::of(target.plan),
            to_head: http.method == http::Method::HEAD,
            dialer: Dialer::new(http)?,
            timeout: target.plan.timeout,
            once: matches!(http.connections, Connections::PerRequest(_)),
            most,
            fixed: if is_fixed { most } else { 0 },
            state: RefCell::default(),
        })
    }

    pub(in crate::engine) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(in crate::engine) fn oldest(&self) -> Option<(FlightId, Duration)> {
        let state = self.state.borrow();
        let (id, flight) = state.flights.oldest()?;
        Some((id, flight.intended))
    }

    /// Opens the connections that are to be open before the first request.
    pub(in crate::engine) async fn prepare(self: &Rc<Self>) -> Result<(), String> {
        let mut opening = JoinSet::new();
        for opened in 0..self.fixed {
            if opened >= OPENED_AT_ONCE {
                joined(opening.join_next().await)?;
            }
            opening.spawn_local(Rc::clone(self).open_idle());
        }
        while let Some(opened) = opening.join_next().await {
            joined(Some(opened))?;
        }
        Ok(())
    }

    async fn open_idle(self: Rc<Self>) -> Result<(), String> {
        let worker = self.worker.upgrade().ok_or("the run is over")?;
        let started = worker.now();
        let stream = self.dialer.dial().await;
        let stream = stream.map_err(|error| error.to_string())?;
        let took = worker.now().saturating_sub(started);
        worker.recorder.borrow_mut().connected(self.target, took);
        let wire = Rc::new(Wire::default());
        let io = Io::of(stream, &wire);
        let connection = Connection::new(Rc::clone(&self), Rc::clone(&wire), io);
        wire.set_task(spawn_local(connection).abort_handle());
        let mut state = self.state.borrow_mut();
        state.open += 1;
        state.idle.push(wire);
        Ok(())
    }

    /// Begins a request: on an idle connection, on a new one, or by waiting for one.
    pub(in crate::engine) fn begin(self: &Rc<Self>, start: Start) {
        let id = self.state.borrow_mut().flights.begin(Flight {
            position: start.position,
            intended: start.intended,
            begun: start.begun,
            waited: false,
            connect: None,
            carrier: Carrier::None,
        });
        self.place(id, start.position, start.begun);
    }

    /// Finds something that carries a request.
    fn place(self: &Rc<Self>, id: FlightId, position: u64, now: Duration) {
        while let Some(wire) = self.take_idle() {
            if self.send(&wire, id, position, now) {
                return;
            }
        }
        let room = self.state.borrow().open < self.most;
        if room {
            self.open(id, position);
            return;
        }
        let mut state = self.state.borrow_mut();
        state.waiting.push_back(id);
        if let Some(flight) = state.flights.get_mut(id) {
            flight.waited = true;
        }
    }

    fn take_idle(&self) -> Option<Rc<Wire>> {
        let mut state = self.state.borrow_mut();
        while let Some(wire) = state.idle.pop() {
            if !wire.is_closed() {
                return Some(wire);
            }
            state.closed -= 1;
        }
        None
    }

    /// Sends a request on an idle connection; false if that cannot be used.
    fn send(&self, wire: &Rc<Wire>, id: FlightId, position: u64, now: Duration) -> bool {
        let bytes = self.message.bytes(position);
        if wire.send(id, bytes, now).is_err() {
            self.close(wire);
            wire.abort();
            return false;
        }
        if let Some(flight) = self.state.borrow_mut().flights.get_mut(id) {
            flight.carrier = Carrier::Connection(Rc::clone(wire));
        }
        true
    }

    /// Opens a connection for a request.
    fn open(self: &Rc<Self>, id: FlightId, position: u64) {
        let wire = Rc::new(Wire::default());
        let task = spawn_local(Rc::clone(self).carry(Rc::clone(&wire), id, position));
        wire.set_task(task.abort_handle());
        let mut state = self.state.borrow_mut();
        state.open += 1;
        if let Some(flight) = state.flights.get_mut(id) {
            flight.carrier = Carrier::Connection(wire);
        }
    }

    async fn carry(self: Rc<Self>, wire: Rc<Wire>, id: FlightId, position: u64) {
        // Where many are opened at once, that takes the thread long enough to be late with others.
        let Some(started) = self.send_due() else {
            return;
        };
        let dialed = self.dialer.dial().await;
        let Some(now) = self.now() else { return };
        let io = match dialed {
            Ok(stream) => Io::of(stream, &wire),
            Err(error) => {
                let detail = error.to_string();
                return self.failed(&wire, id, FailureKind::Connect, detail);
            }
        };
        if let Some(flight) = self.state.borrow_mut().flights.get_mut(id) {
            flight.connect = Some(now.saturating_sub(started));
        }
        if let Err(error) = wire.send(id, self.message.bytes(position), now) {
            return self.failed(&wire, id, FailureKind::Reset, error.to_string());
        }
        self.send_due();
        Connection::new(Rc::clone(&self), wire, io).await;
    }

    /// A connection has a complete answer. Says whether it is kept.
    pub(super) fn answered(
        self: &Rc<Self>,
        wire: &Rc<Wire>,
        carried: Carried,
        reading: &Reading,
        now: Duration,
    ) -> bool {
        let flight = self.state.borrow_mut().flights.end(carried.flight);
        wire.done(now);
        let keeps = reading.keeps && carried.complete && !self.once;
        if keeps {
            self.reuse(wire, now);
        } else {
            self.close(wire);
            self.open_for_waiting();
        }
        let (Some(flight), Some(worker)) = (flight, self.worker.upgrade()) else {
            return keeps;
        };
        let first_byte = reading.first_byte.unwrap_or(now);
        let times = Times {
            // A server may answer before it was asked.
            sent: carried.sent.unwrap_or(first_byte),
            first_byte,
            ended: now,
        };
        let found = &reading.found;
        let answer = found.answer(&self.rules, reading.status, reading.bytes, times);
        let outcome = Outcome {
            target: self.target,
            intended: flight.intended,
            waited: flight.waited,
            connect: flight.connect,
            result: Ok(answer),
        };
        worker.ended(&outcome, flight.position);
        worker.send_due();
        keeps
    }

    /// Gives a connection to the next request that waits, or keeps it for later.
    fn reuse(self: &Rc<Self>, wire: &Rc<Wire>, now: Duration) {
        match self.next_waiting() {
            None => self.state.borrow_mut().idle.push(Rc::clone(wire)),
            Some((id, position)) => {
                if !self.send(wire, id, position, now) {
                    self.place(id, position, now);
                }
            }
        }
    }

    /// A connection has gone: its place is for a request that waits.
    fn open_for_waiting(self: &Rc<Self>) {
        let room = self.state.borrow().open < self.most;
        if room && let Some((id, position)) = self.next_waiting() {
            self.open(id, position);
        }
    }

    fn next_waiting(&self) -> Option<(FlightId, u64)> {
        let mut state = self.state.borrow_mut();
        while let Some(id) = state.waiting.pop_front() {
            if let Some(flight) = state.flights.get_mut(id) {
                return Some((id, flight.position));
            }
        }
        None
    }

    /// A connection is not used any more.
    fn close(&self, wire: &Wire) {
        if !wire.close() {
            self.state.borrow_mut().open -= 1;
        }
    }

    /// An idle connection was closed.
    pub(super) fn closed_idle(self: &Rc<Self>, wire: &Wire) {
        if wire.is_closed() {
            return;
        }
        self.close(wire);
        let mut state = self.state.borrow_mut();
        state.closed += 1;
        if state.closed * 2 > state.idle.len() {
            state.idle.retain(|wire| !wire.is_closed());
            state.closed = 0;
        }
    }

    /// Begins what is due meanwhile, and says what time it is then.
    fn send_due(&self) -> Option<Duration> {
        let worker = self.worker.upgrade()?;
        worker.send_due();
        Some(worker.now())
    }

    pub(super) fn now(&self) -> Option<Duration> {
        self.worker.upgrade().map(|worker| worker.now())
    }

    pub(super) fn worker(&self) -> Option<Rc<Worker>> {
        self.worker.upgrade()
    }
}

fn joined(
    opened: Option<Result<Result<(), String>, tokio::task::JoinError>>,
) -> Result<(), String> {
    match opened {
        None => Ok(()),
        Some(Ok(opened)) => opened,
        Some(Err(error)) => Err(error.to_string()),
    }
}

impl Io {
    /// Splits a connection into what the task reads and what the worker writes to.
    fn of(stream: Stream, wire: &Wire) -> Self {
        match stream {
            Stream::Tls(stream) => Self::Tls(stream),
            Stream::Plain(stream) => Self::split(stream, wire),
        }
    }

    fn split(stream: TcpStream, wire: &Wire) -> Self {
        let (reader, writer) = stream.into_split();
        wire.set_writer(writer);
        Self::Plain(reader)
    }
}
