//! What is told of each request when it has ended, to whoever writes the access log: through a channel
//! that is bounded, so that a slow disk costs lines and not requests.

mod record;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ebbtide_core::time::Timestamp;
use http::{Request, StatusCode};
use tokio::sync::mpsc;

use crate::headers::Client;
use crate::limits::reason::Reason;
use crate::options::IngressOptions;
use crate::scheme::Scheme;
use crate::share::Share;
use crate::trace::TraceContext;

pub use record::AccessRecord;

/// Records that may wait to be written. One is a few hundred bytes, and less than 4 KiB.
const WAITING: usize = 8192;

/// Where records of requests go. Cheap to clone.
#[derive(Clone)]
pub struct AccessLog {
    sample: Share,
    with_query: bool,
    records: mpsc::Sender<AccessRecord>,
    pub(crate) counts: Arc<AccessCounts>,
}

/// Where they come out.
pub struct AccessRecords {
    records: mpsc::Receiver<AccessRecord>,
    counts: Arc<AccessCounts>,
}

/// How many lines there were.
#[derive(Default)]
pub(crate) struct AccessCounts {
    written: AtomicU64,
    dropped: AtomicU64,
}

/// How many lines an access log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessReading {
    /// Lines that were written.
    pub written: u64,
    /// Lines that were not: too many waited, or they could not be written.
    pub dropped: u64,
}

impl AccessLog {
    /// A log of this share of all requests, and where it comes out. Queries are told only
    /// `with_query`: they may have secrets.
    pub fn new(sample: Share, with_query: bool) -> (Self, AccessRecords) {
        let (sender, records) = mpsc::channel(WAITING);
        let counts = Arc::<AccessCounts>::default();
        let log = Self {
            sample,
            with_query,
            records: sender,
            counts: Arc::clone(&counts),
        };
        (log, AccessRecords { records, counts })
    }
}

impl AccessRecords {
    /// Waits for records and puts those that are there into `batch`, at most so many. Says how many
    /// they were: none once there will be no more. Cancel safe.
    pub async fn next(&mut self, batch: &mut Vec<AccessRecord>, most: usize) -> usize {
        self.records.recv_many(batch, most).await
    }

    /// Takes no more. What waits can still be taken out.
    pub fn close(&mut self) {
        self.records.close();
    }

    /// Counts lines that were written.
    pub fn wrote(&self, lines: u64) {
        self.counts.written.fetch_add(lines, Ordering::Relaxed);
    }

    /// Counts lines that could not be.
    pub fn lost(&self, lines: u64) {
        self.counts.dropped.fetch_add(lines, Ordering::Relaxed);
    }
}

impl AccessCounts {
    pub(crate) fn read(&self) -> AccessReading {
        AccessReading {
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

/// The log as one worker has it.
pub(crate) struct Access {
    options: IngressOptions,
    /// Requests so far.
    requests: Cell<u64>,
}

impl Access {
    pub(crate) fn new(options: IngressOptions) -> Self {
        Self {
            options,
            requests: Cell::new(0),
        }
    }

    /// A record of a request that has come from `client`, if it is to be told.
    pub(crate) fn begin<B>(
        &self,
        client: &Client,
        request: &Request<B>,
        trace: TraceContext,
        arrived: Timestamp,
    ) -> Option<Box<AccessRecord>> {
        let log = self.chosen()?;
        let is_trusted = |address| self.options.trusts(address);
        let origin = client.origin(request.headers(), is_trusted);
        let address = origin.unwrap_or_else(|| client.address());
        let mut record = AccessRecord::new(address, client.scheme(), arrived);
        record.asked(request, log.with_query);
        record.trace = Some((trace.trace, trace.span));
        Some(Box::new(record))
    }

    /// A record of a connection from `client` to a TCP app, if it is to be told.
    pub(crate) fn begin_connection(
        &self,
        client: IpAddr,
        arrived: Timestamp,
    ) -> Option<Box<AccessRecord>> {
        self.chosen()?;
        let mut record = AccessRecord::new(client, Scheme::Http, arrived);
        record.scheme = "tcp";
        Some(Box::new(record))
    }

    /// Tells of what `client` has sent that was not read as a request.
    pub(crate) fn unread(
        &self,
        client: &Client,
        status: StatusCode,
        reason: Reason,
        now: Timestamp,
    ) {
        if self.chosen().is_some() {
            let mut record = AccessRecord::new(client.address(), client.scheme(), now);
            record.refused(status, reason, 0);
            self.end(record);
        }
    }

    /// Tells of a request that has ended.
    pub(crate) fn end(&self, record: AccessRecord) {
        if let Some(log) = &self.options.access_log
            && log.records.try_send(record).is_err()
        {
            log.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The log, if the next request is among those that are told.
    fn chosen(&self) -> Option<&AccessLog> {
        let log = self.options.access_log.as_ref()?;
        let number = self.requests.get();
        self.requests.set(number.wrapping_add(1));
        log.sample.has(number).then_some(log)
    }
}
