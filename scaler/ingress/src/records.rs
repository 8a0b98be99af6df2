//! The way of what workers tell to the one task that passes it on: bounded, so that a slow disk or a slow
//! network costs records and not requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

/// Records that may wait. One is a few hundred bytes, and less than 4 KiB.
pub(crate) const WAITING: usize = 8192;

/// Where records go. Cheap to clone.
pub(crate) struct Sink<T> {
    records: mpsc::Sender<T>,
    pub(crate) counts: Arc<RecordCounts>,
}

/// Where they come out.
pub struct Records<T> {
    records: mpsc::Receiver<T>,
    counts: Arc<RecordCounts>,
}

/// How many records there were.
#[derive(Default)]
pub(crate) struct RecordCounts {
    written: AtomicU64,
    dropped: AtomicU64,
}

/// How many records there were of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordReading {
    /// Those that were written, or sent.
    pub written: u64,
    /// Those that were not: too many waited, or they could not be.
    pub dropped: u64,
}

impl<T> Clone for Sink<T> {
    fn clone(&self) -> Self {
        Self {
            records: self.records.clone(),
            counts: Arc::clone(&self.counts),
        }
    }
}

/// A way for records.
pub(crate) fn way<T>() -> (Sink<T>, Records<T>) {
    let (sender, records) = mpsc::channel(WAITING);
    let counts = Arc::<RecordCounts>::default();
    let sink = Sink {
        records: sender,
        counts: Arc::clone(&counts),
    };
    (sink, Records { records, counts })
}

impl<T> Sink<T> {
    /// Hands a record over. One that finds no place is counted.
    pub(crate) fn take(&self, record: T) {
        if self.records.try_send(record).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<T> Records<T> {
    /// Waits for records and puts those that are there into `batch`, at most so many. Says how many
    /// they were: none once there will be no more. Cancel safe.
    pub async fn next(&mut self, batch: &mut Vec<T>, most: usize) -> usize {
        self.records.recv_many(batch, most).await
    }

    /// Takes no more. What waits can still be taken out.
    pub fn close(&mut self) {
        self.records.close();
    }

    /// How many wait to be taken out.
    pub fn waiting(&self) -> usize {
        self.records.len()
    }

    /// Counts records that were written, or sent.
    pub fn wrote(&self, count: u64) {
        self.counts.written.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts records that could not be.
    pub fn lost(&self, count: u64) {
        self.counts.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn read(&self) -> RecordReading {
        self.counts.read()
    }
}

impl RecordCounts {
    pub(crate) fn read(&self) -> RecordReading {
        RecordReading {
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}
