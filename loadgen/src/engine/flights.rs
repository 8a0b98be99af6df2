//! The requests of a target that were begun and have not ended, in the order in which they were begun.

use std::rc::Rc;
use std::time::Duration;

use slab::Slab;
use tokio::task::AbortHandle;

use super::http1::Wire;

/// A request that has not ended.
#[derive(Debug)]
pub(crate) struct Flight {
    /// In the run, from 0.
    pub(crate) position: u64,
    /// When it was to start.
    pub(crate) intended: Duration,
    /// When the generator turned to it.
    pub(crate) begun: Duration,
    /// Whether it had to wait for a connection.
    pub(crate) waited: bool,
    /// How long it took to open the connection that was opened for it.
    pub(crate) connect: Option<Duration>,
    /// What carries it.
    pub(crate) carrier: Carrier,
}

/// What carries a request.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// Nothing yet: it waits.
    None,
    /// A connection of HTTP/1.1.
    Connection(Rc<Wire>),
    /// A task of its own.
    Task(AbortHandle),
}

/// Names a flight; of one that has ended it names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlightId {
    key: usize,
    position: u64,
}

/// All of a target.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    entries: Slab<Entry>,
    first: Option<usize>,
    last: Option<usize>,
}

#[derive(Debug)]
struct Entry {
    flight: Flight,
    before: Option<usize>,
    after: Option<usize>,
}

impl Flights {
    /// Adds one behind the others.
    pub(crate) fn begin(&mut self, flight: Flight) -> FlightId {
        let position = flight.position;
        let before = self.last;
        let key = self.entries.insert(Entry {
            flight,
            before,
            after: None,
        });
        *self.after_of(before) = Some(key);
        self.last = Some(key);
        FlightId { key, position }
    }

    /// One that has not ended.
    pub(crate) fn get_mut(&mut self, id: FlightId) -> Option<&mut Flight> {
        let flight = &mut self.entries.get_mut(id.key)?.flight;
        (flight.position == id.position).then_some(flight)
    }

    /// Takes one out, because it has ended.
    pub(crate) fn end(&mut self, id: FlightId) -> Option<Flight> {
        self.get_mut(id)?;
        let entry = self.entries.remove(id.key);
        *self.after_of(entry.before) = entry.after;
        match entry.after.and_then(|after| self.entries.get_mut(after)) {
            Some(after) => after.before = entry.before,
            None => self.last = entry.before,
        }
        Some(entry.flight)
    }

    /// The one that was begun first.
    pub(crate) fn oldest(&self) -> Option<(FlightId, &Flight)> {
        let key = self.first?;
        let flight = &self.entries.get(key)?.flight;
        let position = flight.position;
        Some((FlightId { key, position }, flight))
    }

    fn after_of(&mut self, before: Option<usize>) -> &mut Option<usize> {
        match before.and_then(|before| self.entries.get_mut(before)) {
            Some(before) => &mut before.after,
            None => &mut self.first,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flight(position: u64) -> Flight {
        Flight {
            position,
            intended: Duration::from_secs(position),
            begun: Duration::from_secs(position),
            waited: false,
            connect: None,
            carrier: Carrier::None,
        }
    }

    #[test]
    fn a_name_of_one_that_ended_names_nothing() {
        let mut flights = Flights::default();
        let first = flights.begin(flight(0));
        assert_eq!(flights.end(first).map(|flight| flight.position), Some(0));
        let second = flights.begin(flight(1));
        assert_eq!(first.key, second.key);
        assert!(flights.end(first).is_none() && flights.get_mut(first).is_none());
        assert!(flights.get_mut(second).is_some());
    }

    proptest! {
        /// Whatever ends when, those that are left are in the order in which they were begun.
        #[test]
        fn the_oldest_is_the_one_that_was_begun_first(
            steps in proptest::collection::vec(proptest::option::of(any::<proptest::sample::Index>()), 1..60),
        ) {
            let mut flights = Flights::default();
            let mut model: Vec<FlightId> = Vec::new();
            for (position, step) in (0..).zip(steps) {
                match step {
                    Some(which) if !model.is_empty() => {
                        let id = model.remove(which.index(model.len()));
                        prop_assert!(flights.end(id).is_some());
                    }
                    _ => model.push(flights.begin(flight(position))),
                }
                let oldest = flights.oldest().map(|(id, _)| id);
                prop_assert_eq!(oldest, model.first().copied());
                let last = flights.last.map(|key| flights.entries[key].flight.position);
                prop_assert_eq!(last, model.last().map(|id| id.position));
            }
        }
    }
}
