//! What is told of each request when it has ended, to whoever writes the access log or exports spans.

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
use crate::spans::{SpanOrigin, SpanRecord};
use crate::trace::TraceContext;

pub use record::AccessRecord;
pub(crate) use record::kept;

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

/// A request that is to be told of when it has ended, and to whom.
#[derive(Debug)]
pub(crate) struct Telling {
    /// What is told of it.
    pub(crate) record: AccessRecord,
    is_logged: bool,
    /// What its span has beside, if it has one.
    origin: Option<SpanOrigin>,
}

/// Who is told of requests, as one worker has it.
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

    /// A request that has come from `client`, if it is to be told of.
    pub(crate) fn begin<B>(
        &self,
        client: &Client,
        request: &Request<B>,
        trace: TraceContext,
        arrived: Timestamp,
    ) -> Option<Box<Telling>> {
        let log = self.chosen();
        let has_span = self.options.spans.is_some() && trace.is_sampled();
        if log.is_none() && !has_span {
            return None;
        }
        let headers = request.headers();
        let is_trusted = |address| self.options.trusts(address);
        let origin = client.origin(headers, is_trusted);
        let address = origin.unwrap_or_else(|| client.address());
        let mut record = AccessRecord::new(address, client.scheme(), arrived);
        record.asked(request, log.is_some_and(|log| log.with_query));
        record.trace = Some((trace.trace, trace.span));
        Some(Box::new(Telling {
            record,
            is_logged: log.is_some(),
            origin: has_span.then(|| SpanOrigin::of(trace, headers)),
        }))
    }

    /// A connection from `client` to a TCP app, if it is to be told of.
    pub(crate) fn begin_connection(
        &self,
        client: IpAddr,
        arrived: Timestamp,
    ) -> Option<Box<Telling>> {
        self.chosen()?;
        let mut record = AccessRecord::new(client, Scheme::Http, arrived);
        record.scheme = "tcp";
        Some(Box::new(Telling::of(record)))
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
            self.end(Telling::of(record));
        }
    }

    /// Tells of a request that has ended.
    pub(crate) fn end(&self, told: Telling) {
        let Telling {
            record,
            is_logged,
            origin,
        } = told;
        let log = self.options.access_log.as_ref().filter(|_| is_logged);
        match (log, self.options.spans.as_ref().zip(origin)) {
            (Some(log), None) => log.sink.take(record),
            (None, Some((spans, origin))) => spans.sink.take(SpanRecord::new(record, origin)),
            (Some(log), Some((spans, origin))) => {
                spans.sink.take(SpanRecord::new(record.clone(), origin));
                log.sink.take(record);
            }
            (None, None) => {}
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

impl Telling {
    /// What only the access log is told of.
    fn of(record: AccessRecord) -> Self {
        Self {
            record,
            is_logged: true,
            origin: None,
        }
    }
}
