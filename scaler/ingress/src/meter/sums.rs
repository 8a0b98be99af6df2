//! The running sums of one worker's requests, read as of one moment.
//!
//! A count and the sum of its times belong together: one read without the other is wrong by the
//! whole time since the clock's origin, which would look like thousands of requests in flight. So
//! the four numbers are under a sequence lock: the writer never waits, and a reader that meets a
//! write reads again (Boehm, "Can seqlocks get along with programming language memory models?",
//! 2012).

use std::hint;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::thread;

use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestSums;

/// Looks before a reader lets other threads run: the writer may have been interrupted.
const SPINS: u32 = 64;

/// [`RequestSums`] that one thread writes and others read.
#[derive(Default)]
pub(super) struct Sums {
    /// Odd while the others are being written.
    version: AtomicU64,
    started: AtomicU64,
    started_nanos: AtomicU64,
    ended: AtomicU64,
    ended_nanos: AtomicU64,
}

impl Sums {
    /// Counts a start.
    pub(super) fn start(&self, now: Timestamp) {
        self.write(&self.started, &self.started_nanos, now);
    }

    /// Counts an end.
    pub(super) fn end(&self, now: Timestamp) {
        self.write(&self.ended, &self.ended_nanos, now);
    }

    /// How many have started, for the thread that writes.
    pub(super) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    /// Adds what is there at one moment.
    pub(super) fn add_to(&self, sums: &mut RequestSums) {
        let read = self.read();
        sums.started += read.started;
        sums.ended += read.ended;
        sums.started_nanos = sums.started_nanos.wrapping_add(read.started_nanos);
        sums.ended_nanos = sums.ended_nanos.wrapping_add(read.ended_nanos);
    }

    fn write(&self, count: &AtomicU64, nanos: &AtomicU64, now: Timestamp) {
        // Odd and then even whatever it was, so that no reader waits for ever.
        let writing = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(writing, Ordering::Relaxed);
        fence(Ordering::Release);
        add(count, 1);
        add(nanos, now.as_nanos());
        self.version
            .store(writing.wrapping_add(1), Ordering::Release);
    }

    fn read(&self) -> RequestSums {
        let mut looks = 0_u32;
        loop {
            let before = self.version.load(Ordering::Acquire);
            let sums = RequestSums {
                started: self.started.load(Ordering::Relaxed),
                ended: self.ended.load(Ordering::Relaxed),
                started_nanos: self.started_nanos.load(Ordering::Relaxed),
                ended_nanos: self.ended_nanos.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return sums;
            }
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(SPINS) {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
        }
    }
}

/// Adds to a counter that no other thread writes to.
fn add(counter: &AtomicU64, amount: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(sum, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_never_read_without_its_times() {
        const ROUNDS: u64 = 200_000;
        let time = Timestamp::from_secs(3600);
        let sums = Sums::default();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    sums.start(time);
                    sums.end(time);
                }
            });
            let mut read = RequestSums::default();
            while read.ended < ROUNDS {
                read = sums.read();
                let nanos = |count: u64| count.wrapping_mul(time.as_nanos());
                assert_eq!(read.started_nanos, nanos(read.started));
                assert_eq!(read.ended_nanos, nanos(read.ended));
                assert!(read.in_flight() <= 1 && read.started >= read.ended);
            }
        });
    }
}
