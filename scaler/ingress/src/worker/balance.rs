//! Evening connections out over workers. The system gives each connection to a listener by a hash, which is a
//! draw: of few connections that last, one worker easily has twice as many as another. So a worker that has
//! accepted a connection hands it to another one that has clearly fewer. Only accepting moves; a request stays
//! where its connection is.

use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc;

use super::accept::Door;

/// Connections that wait for a worker to look at them. What is more stays where it came.
const WAITING: usize = 64;

/// How many connections each worker has, and the ways to hand it more.
pub(crate) struct Balance {
    counts: Box<[AtomicU32]>,
    ways: Box<[mpsc::Sender<Handed>]>,
}

/// A connection that another worker has accepted.
pub(crate) struct Handed {
    pub(super) stream: StdTcpStream,
    pub(super) address: SocketAddr,
    pub(super) door: Door,
    pub(super) seat: Seat,
}

/// Connections that others hand to a worker.
pub(crate) type Inbox = mpsc::Receiver<Handed>;

/// A connection's place among those of a worker; given back when it is dropped.
pub(crate) struct Seat {
    balance: Arc<Balance>,
    worker: usize,
}

impl Balance {
    /// For so many workers, with what each is handed.
    pub(crate) fn new(workers: NonZeroUsize) -> (Arc<Self>, Vec<Inbox>) {
        let channels = (0..workers.get()).map(|_| mpsc::channel(WAITING));
        let (ways, inboxes): (Vec<_>, Vec<_>) = channels.unzip();
        let counts = ways.iter().map(|_| AtomicU32::new(0));
        let balance = Self {
            counts: counts.collect(),
            ways: ways.into(),
        };
        (Arc::new(balance), inboxes)
    }

    /// How many connections each worker has.
    pub(crate) fn read(&self) -> Vec<u32> {
        let counts = self.counts.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// A seat for a connection that the worker `here` has accepted: with another one, if that has fewer by more
    /// than a quarter.
    pub(crate) fn seat(self: &Arc<Self>, here: usize) -> Seat {
        let counts = self.counts.iter().map(|it| it.load(Ordering::Relaxed));
        let least = counts.enumerate().min_by_key(|(_, count)| *count);
        let count_here = self.counts[here].load(Ordering::Relaxed);
        let better = least.filter(|(_, least)| count_here > least + least / 4);
        self.seat_with(better.map_or(here, |(worker, _)| worker))
    }

    /// A seat with this worker.
    pub(super) fn seat_with(self: &Arc<Self>, worker: usize) -> Seat {
        self.counts[worker].fetch_add(1, Ordering::Relaxed);
        Seat {
            balance: Arc::clone(self),
            worker,
        }
    }

    /// Hands a connection to the worker that it has a seat with. Gives it back, with a seat `here`, if that takes
    /// no more.
    pub(super) fn hand(self: &Arc<Self>, handed: Handed, here: usize) -> Result<(), Handed> {
        let sent = self.ways[handed.seat.worker].try_send(handed);
        sent.map_err(|error| Handed {
            seat: self.seat_with(here),
            ..error.into_inner()
        })
    }
}

impl Seat {
    /// The worker.
    pub(super) fn worker(&self) -> usize {
        self.worker
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.balance.counts[self.worker].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_connections_are_even_wherever_they_come() {
        let (balance, _inboxes) = Balance::new(NonZeroUsize::new(4).unwrap());
        let mut seats: Vec<_> = (0..16).map(|_| balance.seat(0)).collect();
        assert_eq!(balance.read(), [4, 4, 4, 4]);
        seats.retain(|seat| seat.worker() != 2);
        assert_eq!(balance.read(), [4, 4, 0, 4]);
        seats.extend((0..3).map(|_| balance.seat(3)));
        assert_eq!(balance.read(), [4, 4, 3, 4]);
    }

    #[test]
    fn of_many_connections_a_quarter_more_is_not_worth_the_way() {
        let (balance, _inboxes) = Balance::new(NonZeroUsize::new(2).unwrap());
        let _there: Vec<_> = (0..100).map(|_| balance.seat_with(1)).collect();
        let _here: Vec<_> = (0..125).map(|_| balance.seat_with(0)).collect();
        let stays = balance.seat(0);
        assert_eq!((stays.worker(), balance.seat(0).worker()), (0, 1));
    }

    #[tokio::test]
    async fn a_worker_that_takes_no_more_leaves_connections_where_they_came() {
        let (balance, mut inboxes) = Balance::new(NonZeroUsize::new(2).unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let handed = |seat| Handed {
            stream: StdTcpStream::connect(address).unwrap(),
            address,
            door: Door::Plain,
            seat,
        };
        assert!(balance.hand(handed(balance.seat_with(1)), 0).is_ok());
        inboxes[1].close();
        let back = balance.hand(handed(balance.seat_with(1)), 0);
        assert_eq!(back.err().map(|back| back.seat.worker()), Some(0));
        assert!(
            inboxes[1].recv().await.is_some(),
            "what was handed is there"
        );
        assert!(inboxes[1].recv().await.is_none());
        assert_eq!(balance.read(), [0, 0]);
    }
}
