//! What is told of requests whose trace is sampled, to whoever exports their spans.

use http::HeaderMap;
use http::header::USER_AGENT;

use crate::access_log::{AccessRecord, kept};
use crate::records::{self, Records, Sink};
use crate::trace::{SpanId, TraceContext};

/// What is kept of `User-Agent`, in bytes.
const USER_AGENT_KEPT: usize = 256;

/// The longest `tracestate` that is kept, in bytes: what others have to pass on, too.
const LONGEST_STATE: usize = 512;

/// Where spans of requests go. Cheap to clone.
#[derive(Clone)]
pub struct Spans {
    pub(crate) sink: Sink<SpanRecord>,
}

/// A request whose trace is sampled, and which has ended.
#[derive(Clone, Debug)]
pub struct SpanRecord {
    /// What is told of any request, without its query.
    pub request: AccessRecord,
    /// How it belongs to its trace.
    pub origin: SpanOrigin,
}

/// How a span belongs to its trace, and who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanOrigin {
    /// The span that it came from; none if the trace begins here.
    pub parent: Option<SpanId>,
    /// The flags of the trace, as the app was told.
    pub flags: u8,
    /// The `tracestate`, if there is one of 512 bytes at most.
    pub state: Option<Box<str>>,
    /// `User-Agent`, cut off after 256 bytes.
    pub user_agent: Option<Box<str>>,
}

impl Spans {
    /// A way for spans, and where it comes out.
    pub fn new() -> (Self, Records<SpanRecord>) {
        let (sink, records) = records::way();
        (Self { sink }, records)
    }
}

impl SpanRecord {
    /// A request that has ended. Its query may have secrets.
    pub(crate) fn new(mut request: AccessRecord, origin: SpanOrigin) -> Self {
        request.query = None;
        Self { request, origin }
    }
}

impl SpanOrigin {
    pub(crate) fn of(trace: TraceContext, headers: &HeaderMap) -> Self {
        let agent = headers.get(USER_AGENT);
        let agent = agent.map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self {
            parent: trace.parent,
            flags: trace.flags,
            state: trace.state(headers, LONGEST_STATE),
            user_agent: agent.map(|text| kept(&text, USER_AGENT_KEPT)),
        }
    }
}
