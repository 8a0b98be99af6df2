//! What is told of each request when it has ended, to whoever writes the access log.

mod record;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::net::IpAddr;

use ebbtide_core::time::Timestamp;
use http::{Request, StatusCode};

use crate::headers::Client;
use crate::limits::reason::Reason;
use crate::options::IngressOptions;
use crate::records::{self, Records, Sink};
use crate::scheme::Scheme;
use crate::share::Share;
use crate::trace::TraceContext;

pub use record::AccessRecord;

/// Where records of requests go. Cheap to clone.
#[derive(Clone)]
pub struct AccessLog {
    sample: Share,
    with_query: bool,
    pub(crate) sink: Sink<AccessRecord>,
}

/// Where they come out.
pub type AccessRecords = Records<AccessRecord>;

impl AccessLog {
    /// A log of this share of all requests, and where it comes out. Queries are told only
    /// `with_query`: they may have secrets.
    pub fn new(sample: Share, with_query: bool) -> (Self, AccessRecords) {
        let (sink, records) = records::way();
        let log = Self {
            sample,
            with_query,
            sink,
        };
        (log, records)
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
        if let Some(log) = &self.options.access_log {
            log.sink.take(record);
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
