//! Requests that end without an answer.

use std::rc::Rc;

use super::super::ProtocolError;
use super::super::wire::{Carried, Wire};
use super::Pool;
use crate::engine::flights::{Carrier, FlightId};
use crate::record::outcome::{Failure, FailureKind, Outcome};

impl Pool {
    /// The connection of a request was closed. If not a byte of the request was sent on one that was used before,
    /// another one carries it.
    pub(in crate::engine::http1) fn broken(
        self: &Rc<Self>,
        wire: &Rc<Wire>,
        carried: Carried,
        detail: String,
    ) {
        if !carried.used || carried.sent.is_some() {
            return self.failed(wire, carried.flight, FailureKind::Reset, detail);
        }
        self.close(wire);
        let position = (self.state.borrow_mut().flights)
            .get_mut(carried.flight)
            .map(|flight| flight.position);
        if let (Some(position), Some(now)) = (position, self.now()) {
            self.place(carried.flight, position, now);
        }
    }

    /// What came is not HTTP.
    pub(in crate::engine::http1) fn nonsense(
        self: &Rc<Self>,
        wire: &Rc<Wire>,
        id: FlightId,
        error: ProtocolError,
    ) {
        self.failed(wire, id, FailureKind::Protocol, error.to_string());
    }

    pub(super) fn failed(
        self: &Rc<Self>,
        wire: &Wire,
        id: FlightId,
        kind: FailureKind,
        detail: String,
    ) {
        self.close(wire);
        self.end(id, kind, detail);
        self.open_for_waiting();
        if let Some(worker) = self.worker.upgrade() {
            worker.send_due();
        }
    }

    /// Gives up a request, and what carries it.
    pub(in crate::engine) fn give_up(
        self: &Rc<Self>,
        id: FlightId,
        kind: FailureKind,
        detail: &str,
    ) {
        let carrier = (self.state.borrow_mut().flights.get_mut(id))
            .map(|flight| std::mem::replace(&mut flight.carrier, Carrier::None));
        if let Some(Carrier::Connection(wire)) = carrier {
            self.close(&wire);
            wire.abort();
        }
        self.end(id, kind, detail.to_owned());
        let mut state = self.state.borrow_mut();
        // It has waited longest, so it is the first that waits, if it does.
        if state.waiting.front() == Some(&id) {
            state.waiting.pop_front();
        }
        drop(state);
        if kind != FailureKind::Abandoned {
            self.open_for_waiting();
        }
    }

    pub(super) fn end(&self, id: FlightId, kind: FailureKind, detail: String) {
        let flight = self.state.borrow_mut().flights.end(id);
        let (Some(flight), Some(worker)) = (flight, self.worker.upgrade()) else {
            return;
        };
        let at = worker.now();
        let outcome = Outcome {
            target: self.target,
            intended: flight.intended,
            waited: flight.waited,
            connect: flight.connect,
            result: Err(Failure { kind, detail, at }),
        };
        worker.ended(&outcome, flight.position);
    }
}
