//! The line in which requests wait for a replica of their revision: first in, first out, for all
//! workers together. Whoever makes a place free gives it to the first in line, so that no later
//! request gets it and nobody has to be woken to see that there is none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::sync::oneshot;

use crate::admission::{Admission, Wanted, choose, choose_wanted};
use crate::options::WaitingRoom;
use crate::table::Backend;

/// How many of those first in line are looked at for one that can go.
const PASSED_OVER: usize = 64;

/// The waiting room of one revision. Locked by who waits, and by who makes a place free while
/// somebody waits; a request that finds nobody waiting and a replica that admits it takes no lock.
#[derive(Default)]
pub(crate) struct Line {
    tickets: Mutex<Tickets>,
    /// How many tickets there are, to be read without the lock.
    waiting: AtomicU32,
}

#[derive(Default)]
struct Tickets {
    /// By number, which is the order they came in.
    by_number: BTreeMap<u64, Ticket>,
    next: u64,
    /// What the heads of the waiting requests take.
    bytes: usize,
}

struct Ticket {
    entrant: Entrant,
    admitted: oneshot::Sender<Admission>,
}

/// Why there is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Full {
    /// So many requests wait.
    #[error("{0} requests wait for a replica")]
    Requests(u32),
    /// The heads of those that wait take nearly as many bytes.
    #[error("the heads of requests that wait for a replica take {0} bytes")]
    Bytes(usize),
}

/// A request that takes a place in a line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entrant {
    /// The only replica that it wants, while that is there.
    pub(crate) wants: Option<u64>,
    /// A replica that it was not served by, so that another one is better.
    pub(crate) avoid: Option<u64>,
    /// What its head takes, in bytes.
    pub(crate) bytes: usize,
}

impl Line {
    /// How many wait.
    pub(crate) fn waiting(&self) -> u32 {
        // Ordered with the counts of the replicas: of one who begins to wait and one who makes a
        // place free, at least one sees the other.
        self.waiting.load(Ordering::SeqCst)
    }

    /// What the heads of those that wait take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Gives the replicas' free places to those that wait, in order.
    pub(crate) fn serve(&self, backend: &Arc<Backend>) {
        while self.waiting() > 0
            && let Some((ticket, admission)) = self.next(backend)
        {
            // If its request is gone, what it is not given passes the place on as it is dropped.
            drop(ticket.admitted.send(admission));
        }
    }

    /// Finds the first that a replica admits. Those that want one that is full are passed over, but not
    /// many: behind them the others wait too.
    fn next(&self, backend: &Arc<Backend>) -> Option<(Ticket, Admission)> {
        let mut tickets = self.lock();
        let mut found = None;
        for (number, ticket) in tickets.by_number.iter().take(PASSED_OVER) {
            let wanted = ticket.entrant.wants.map(|id| choose_wanted(backend, id));
            let admission = match wanted {
                Some(Wanted::Admitted(admission)) => admission,
                Some(Wanted::Full) => continue,
                Some(Wanted::Gone) | None => choose(backend, *number, ticket.entrant.avoid)?,
            };
            found = Some((*number, admission));
            break;
        }
        let (number, admission) = found?;
        let ticket = self.take(&mut tickets, number)?;
        Some((ticket, admission))
    }

    fn enter(
        &self,
        room: &WaitingRoom,
        entrant: Entrant,
    ) -> Result<(u64, oneshot::Receiver<Admission>), Full> {
        let mut tickets = self.lock();
        let bytes = tickets.bytes + entrant.bytes;
        if self.waiting() >= room.requests {
            return Err(Full::Requests(room.requests));
        }
        if bytes > room.bytes {
            return Err(Full::Bytes(room.bytes));
        }
        let (admitted, receiver) = oneshot::channel();
        let number = tickets.next;
        tickets.next += 1;
        tickets.bytes = bytes;
        tickets
            .by_number
            .insert(number, Ticket { entrant, admitted });
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Ok((number, receiver))
    }

    fn first(&self) -> Option<u64> {
        self.lock().by_number.keys().next().copied()
    }

    fn leave(&self, number: u64) {
        let ticket = self.take(&mut self.lock(), number);
        drop(ticket);
    }

    fn take(&self, tickets: &mut Tickets, number: u64) -> Option<Ticket> {
        let ticket = tickets.by_number.remove(&number)?;
        tickets.bytes -= ticket.entrant.bytes;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Some(ticket)
    }

    fn lock(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line of a revision, given up when this is dropped. What it was given by then goes
/// to the next.
pub(crate) struct Place {
    backend: Arc<Backend>,
    number: u64,
    admitted: oneshot::Receiver<Admission>,
    has_raised: bool,
}

impl Place {
    /// Takes the last place in the line of `backend`.
    ///
    /// # Errors
    /// When there is no room.
    pub(crate) fn take(
        backend: &Arc<Backend>,
        room: &WaitingRoom,
        entrant: Entrant,
    ) -> Result<Self, Full> {
        let (number, admitted) = backend.meter.line().enter(room, entrant)?;
        Ok(Self {
            backend: Arc::clone(backend),
            number,
            admitted,
            has_raised: false,
        })
    }

    /// Whether it is the first in line, and so the one to raise activation. Says so once.
    pub(crate) fn raises_activation(&mut self) -> bool {
        let line = self.backend.meter.line();
        if !self.has_raised && line.first() == Some(self.number) {
            self.has_raised = true;
            return true;
        }
        false
    }

    /// Whether it is in the line of `backend`, by whichever table.
    pub(crate) fn is_for(&self, backend: &Backend) -> bool {
        Arc::ptr_eq(&self.backend.meter, &backend.meter)
    }

    /// Waits until a replica admits the request.
    pub(crate) async fn admitted(&mut self) -> Option<Admission> {
        (&mut self.admitted).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.backend.meter.line().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: WaitingRoom = WaitingRoom {
        requests: 3,
        bytes: 100,
        timeout: std::time::Duration::MAX,
    };

    /// A revision with this many replicas, each of which takes one request at a time.
    fn backend(replicas: usize) -> Arc<Backend> {
        crate::admission::tests::backend(replicas, 1)
    }

    fn enter(backend: &Arc<Backend>, bytes: usize) -> Result<Place, Full> {
        let entrant = Entrant {
            bytes,
            ..Entrant::default()
        };
        Place::take(backend, &ROOM, entrant)
    }

    fn is_admitted(place: &mut Place) -> Option<Admission> {
        place.admitted.try_recv().ok()
    }

    #[test]
    fn a_place_that_becomes_free_goes_to_the_first_in_line() {
        let backend = backend(1);
        let running = choose(&backend, 0, None).unwrap();
        let mut places: Vec<_> = (0..3).map(|_| enter(&backend, 1).unwrap()).collect();
        backend.meter.line().serve(&backend);
        assert_eq!(backend.meter.waiting(), 3);
        drop(running);
        let first = is_admitted(&mut places[0]).unwrap();
        assert!(is_admitted(&mut places[1]).is_none());
        drop(first);
        let _second = is_admitted(&mut places[1]).unwrap();
        assert!(is_admitted(&mut places[2]).is_none());
        assert_eq!(backend.meter.waiting(), 1);
    }

    #[test]
    fn as_many_leave_as_there_are_places() {
        let empty = backend(0);
        let mut places: Vec<_> = (0..3).map(|_| enter(&empty, 1).unwrap()).collect();
        let ready = backend(2);
        let ready = Arc::new(Backend {
            meter: Arc::clone(&empty.meter),
            policy: Arc::clone(&ready.policy),
            state: ready.state.clone(),
            revision: ready.revision.clone(),
        });
        ready.meter.line().serve(&ready);
        let admitted: Vec<_> = places.iter_mut().map(is_admitted).collect();
        let are: Vec<_> = admitted.iter().map(Option::is_some).collect();
        assert_eq!(are, [true, true, false]);
    }

    #[test]
    fn one_that_leaves_passes_on_what_it_was_given() {
        let backend = backend(1);
        let running = choose(&backend, 0, None).unwrap();
        let first = enter(&backend, 1).unwrap();
        let gone = enter(&backend, 1).unwrap();
        let mut last = enter(&backend, 1).unwrap();
        drop(gone);
        drop(running);
        assert!(is_admitted(&mut last).is_none());
        drop(first);
        assert!(is_admitted(&mut last).is_some());
        assert_eq!(
            (backend.meter.waiting(), backend.meter.line().bytes()),
            (0, 0)
        );
    }

    #[test]
    fn one_that_wants_a_replica_waits_for_it_and_lets_others_pass() {
        let backend = backend(2);
        let replicas = backend.state.replicas();
        let running = [0, 1].map(|turn| choose(&backend, turn, None).unwrap());
        let [of_first, of_second] = if running[0].replica().id() == replicas[0].id() {
            running
        } else {
            let [one, other] = running;
            [other, one]
        };
        let wants = |replica: usize| Entrant {
            wants: Some(replicas[replica].id()),
            ..Entrant::default()
        };
        let mut faithful = Place::take(&backend, &ROOM, wants(0)).unwrap();
        let mut other = enter(&backend, 1).unwrap();
        drop(of_second);
        assert!(is_admitted(&mut faithful).is_none());
        let other = is_admitted(&mut other).unwrap();
        assert_eq!(other.replica().id(), replicas[1].id());
        drop(of_first);
        let admission = is_admitted(&mut faithful).unwrap();
        assert_eq!(admission.replica().id(), replicas[0].id());
        let mut moved = Place::take(&backend, &ROOM, wants(0)).unwrap();
        replicas[0].close();
        drop(other);
        let moved = is_admitted(&mut moved).unwrap();
        assert_eq!(moved.replica().id(), replicas[1].id());
    }

    #[test]
    fn a_room_is_bounded_by_number_and_by_bytes() {
        let backend = backend(0);
        let large = enter(&backend, 99).unwrap();
        assert_eq!(enter(&backend, 2).err(), Some(Full::Bytes(100)));
        drop(large);
        let _places = [1, 2, 3].map(|_| enter(&backend, 30).unwrap());
        assert_eq!(enter(&backend, 1).err(), Some(Full::Requests(3)));
    }

    #[test]
    fn nobody_is_forgotten_when_places_become_free_as_others_begin_to_wait() {
        let backend = backend(2);
        let room = WaitingRoom {
            requests: u32::MAX,
            ..ROOM
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..2_000 {
                        if let Some(admission) = choose(&backend, number, None) {
                            drop(admission);
                            continue;
                        }
                        let entrant = Entrant::default();
                        let place = Place::take(&backend, &room, entrant).unwrap();
                        backend.meter.line().serve(&backend);
                        let mut place = place;
                        while is_admitted(&mut place).is_none() {
                            std::thread::yield_now();
                        }
                    }
                });
            }
        });
        assert_eq!(backend.meter.waiting(), 0);
        assert!(choose(&backend, 0, None).is_some());
    }
}
