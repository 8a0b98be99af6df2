//! The thread that hands out each start time when it has come.
//!
//! It has a thread of its own because the timers of the asynchronous runtime are a millisecond
//! wide, while a parked thread wakes within some fifty microseconds without burning a core.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::mpsc;

use crate::clock::RunClock;

/// Start times that are due and not yet taken. When it is full the pacer waits, and what it then
/// hands out is late and counted as such.
const DUE: usize = 1024;

/// A running pacer.
pub(crate) struct Pacer {
    /// The start times, each when it is due; ends after the last.
    pub(crate) due: mpsc::Receiver<Duration>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Pacer {
    /// Starts to hand out `schedule`, offsets on `clock`.
    pub(crate) fn start(
        schedule: impl Iterator<Item = Duration> + Send + 'static,
        clock: RunClock,
    ) -> io::Result<Self> {
        let (sender, due) = mpsc::channel(DUE);
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(move || {
                for offset in schedule {
                    if !wait_until(offset, clock, &stop) || sender.blocking_send(offset).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            due,
            stopped,
            thread,
        })
    }

    /// Ends the schedule here: nothing more becomes due.
    pub(crate) fn stop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.due.close();
        self.thread.thread().unpark();
    }

    /// Stops the pacer and waits for its thread, which ends at once.
    ///
    /// Fails if the thread panicked: then a part of the schedule is missing.
    pub(crate) fn join(mut self) -> anyhow::Result<()> {
        self.stop();
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the pacer failed, a part of the schedule is missing"))
    }
}

/// Sleeps until `offset`; false if the pacer was stopped first.
fn wait_until(offset: Duration, clock: RunClock, stopped: &AtomicBool) -> bool {
    loop {
        if stopped.load(Ordering::Acquire) {
            return false;
        }
        let left = offset.saturating_sub(clock.elapsed());
        if left.is_zero() {
            return true;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn start_times_come_in_order_and_never_early() {
        let clock = RunClock::start();
        let offsets: Vec<_> = (0..20).map(|n| Duration::from_micros(n * 300)).collect();
        let mut pacer = Pacer::start(offsets.clone().into_iter(), clock).unwrap();
        let mut seen = Vec::new();
        while let Some(offset) = pacer.due.recv().await {
            assert!(clock.elapsed() >= offset);
            seen.push(offset);
        }
        assert_eq!(seen, offsets);
        pacer.join().unwrap();
    }

    #[tokio::test]
    async fn a_pacer_stops_in_the_middle_of_a_wait() {
        let hours = (0..).map(Duration::from_hours);
        let mut pacer = Pacer::start(hours, RunClock::start()).unwrap();
        assert_eq!(pacer.due.recv().await, Some(Duration::ZERO));
        pacer.stop();
        assert_eq!(pacer.due.recv().await, None);
        pacer.join().unwrap();
    }
}
