//! W3C Trace Context: which trace a request belongs to, and that it went through here.
//!
//! A `traceparent` that is valid goes on with a span of our own, and `tracestate` with it. Without one
//! a trace begins here.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use http::{HeaderMap, HeaderName, HeaderValue};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::share::Share;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The length of a `traceparent` of the version that there is.
const LENGTH: usize = 55;

/// Whoever made the trace has it recorded.
const SAMPLED: u8 = 1;

/// The right half of the trace's identity is random (level 2).
const RANDOM: u8 = 2;

/// Identifies a trace. It is shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub u128);

/// Identifies one step of a trace. It is shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Where a request is in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace: TraceId,
    /// Its way through here, which is the parent of what the replica does.
    pub(crate) span: SpanId,
    /// The span that it came from; none if the trace begins here.
    pub(crate) parent: Option<SpanId>,
    /// What the replica is told of the trace beside.
    pub(crate) flags: u8,
}

/// Makes the identities of one worker.
pub(crate) struct Traces {
    random: RefCell<Pcg64>,
    /// Of the traces that begin here, those that are said to be sampled.
    sampled: Share,
}

impl Traces {
    pub(crate) fn new(sampled: Share) -> Self {
        // Differs from one worker to the next: the standard library seeds its hashers so.
        let mut seed = <Pcg64 as SeedableRng>::Seed::default();
        for part in seed.chunks_mut(8) {
            let random = RandomState::new().hash_one(0).to_ne_bytes();
            part.copy_from_slice(&random[..part.len()]);
        }
        Self {
            random: RefCell::new(Pcg64::from_seed(seed)),
            sampled,
        }
    }

    /// The context of a request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> TraceContext {
        let mut random = self.random.borrow_mut();
        let mut next = || random.next_u64().max(1);
        let span = SpanId(next());
        if let Some((trace, parent, flags)) = parent(headers) {
            return TraceContext {
                trace,
                span,
                parent: Some(parent),
                flags,
            };
        }
        let (left, right) = (next(), next());
        let sampled = if self.sampled.has(right) { SAMPLED } else { 0 };
        TraceContext {
            trace: TraceId(u128::from(left) << 64 | u128::from(right)),
            span,
            parent: None,
            flags: sampled | RANDOM,
        }
    }
}

impl TraceContext {
    /// Whether it is to be recorded, by whoever began the trace.
    pub(crate) fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The `tracestate` that goes on with it, as one list; none if there is none, or it is longer than `most`
    /// bytes.
    pub(crate) fn state(&self, headers: &HeaderMap, most: usize) -> Option<Box<str>> {
        self.parent?;
        let lists = headers.get_all(TRACESTATE).iter();
        let lists: Result<Vec<_>, _> = lists.map(HeaderValue::to_str).collect();
        let state = lists.ok()?.join(",");
        (!state.is_empty() && state.len() <= most).then(|| state.into())
    }

    /// Tells it to the replica.
    pub(crate) fn pass_on(&self, headers: &mut HeaderMap) {
        if self.parent.is_none() {
            // It belongs to a trace that is not known.
            headers.remove(TRACESTATE);
        }
        let mut parent = [b'-'; LENGTH];
        write(&mut parent[..2], 0);
        write(&mut parent[3..35], self.trace.0);
        write(&mut parent[36..52], self.span.0.into());
        write(&mut parent[53..], self.flags.into());
        if let Ok(value) = HeaderValue::from_bytes(&parent) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

/// Writes a number as so many digits: each request has this done, for which formatting is slow.
fn write(digits: &mut [u8], number: u128) {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    let bytes = number.to_be_bytes();
    for (pair, byte) in digits.chunks_exact_mut(2).rev().zip(bytes.iter().rev()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
}

/// The trace that a request says it belongs to, if it says so once and as it should, the span that it came
/// from, and its flags.
fn parent(headers: &HeaderMap) -> Option<(TraceId, SpanId, u8)> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    parse(value.as_bytes())
}

fn parse(value: &[u8]) -> Option<(TraceId, SpanId, u8)> {
    let (known, rest) = value.split_at_checked(LENGTH)?;
    let mut parts = known.split(|byte| *byte == b'-');
    let mut part = |length| hexadecimal(parts.next()?, length);
    let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    // A version that is not known yet may have more to say.
    let has_known_form = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    if !has_known_form || trace == 0 || span == 0 {
        return None;
    }
    let span = SpanId(u64::try_from(span).ok()?);
    let flags = u8::try_from(flags).ok()?;
    Some((TraceId(trace), span, flags & (SAMPLED | RANDOM)))
}

/// A number of so many lowercase digits.
fn hexadecimal(digits: &[u8], length: usize) -> Option<u128> {
    if digits.len() != length {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn passed_on(given: &[(&'static str, &'static str)]) -> (HeaderMap, TraceContext) {
        let pairs = given.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let mut headers: HeaderMap = pairs.collect();
        let context = Traces::new(Share::ALL).of(&headers);
        context.pass_on(&mut headers);
        (headers, context)
    }

    #[test]
    fn a_trace_goes_on_with_a_span_of_our_own() {
        let given = [("traceparent", PARENT), ("tracestate", "a=1,b=2")];
        let (headers, context) = passed_on(&given);
        let expected = format!("00-{TRACE}-{}-01", context.span);
        assert_eq!(headers["traceparent"], expected);
        assert_ne!(expected, PARENT);
        assert_eq!(headers["tracestate"], "a=1,b=2");
        assert_eq!(context.trace.to_string(), TRACE);
        assert_eq!(context.parent, Some(SpanId(0x00f0_67aa_0ba9_02b7)));
    }

    #[test]
    fn the_state_of_a_trace_is_one_list_that_is_whole_or_left_out() {
        let given = [
            ("traceparent", PARENT),
            ("tracestate", "a=1,b=2"),
            ("tracestate", "c=3"),
        ];
        let state = |given: &[_], most| {
            let (headers, context) = passed_on(given);
            context.state(&headers, most)
        };
        assert_eq!(state(&given, 11).as_deref(), Some("a=1,b=2,c=3"));
        assert_eq!(state(&given, 10), None);
        assert_eq!(state(&given[..1], 10), None);
        assert_eq!(state(&given[1..], 20), None);
    }

    #[test]
    fn without_a_valid_one_a_trace_begins_and_no_state_of_another_stays() {
        for given in [
            &[("tracestate", "a=1")][..],
            &[("traceparent", ""), ("tracestate", "a=1")],
            &[("traceparent", PARENT), ("traceparent", PARENT)],
        ] {
            let (headers, context) = passed_on(given);
            let expected = format!("00-{}-{}-03", context.trace, context.span);
            assert_eq!(headers["traceparent"], expected, "{given:?}");
            assert_eq!(headers.get_all("traceparent").iter().count(), 1);
            assert_eq!(headers.get("tracestate"), None, "{given:?}");
            assert_ne!(context.trace.to_string(), TRACE);
        }
    }

    #[test]
    fn what_is_no_traceparent_is_not_read() {
        let valid = |value: &str| parse(value.as_bytes()).map(|(trace, ..)| trace.to_string());
        for good in [
            PARENT.to_owned(),
            PARENT.replacen("00", "01", 1),
            format!("cc{}-what-else", &PARENT[2..]),
        ] {
            assert_eq!(valid(&good).as_deref(), Some(TRACE), "{good}");
        }
        for bad in [
            PARENT.to_uppercase(),
            format!("{PARENT}-00"),
            format!("ff{}", &PARENT[2..]),
            format!("01{}.00", &PARENT[2..]),
            PARENT.replace(TRACE, &"0".repeat(32)),
            PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            PARENT.replace('-', "_"),
            PARENT.replace("4b", "g0"),
            PARENT[..54].to_owned(),
            "-".repeat(55),
        ] {
            assert_eq!(valid(&bad), None, "{bad}");
        }
        let flags = |text: &str| parse(PARENT.replace("-01", text).as_bytes()).unwrap().2;
        assert_eq!((flags("-00"), flags("-ff")), (0, SAMPLED | RANDOM));
    }

    #[test]
    fn workers_and_requests_have_identities_of_their_own() {
        let (one, other) = (Traces::new(Share::ALL), Traces::new(Share::ALL));
        let none = HeaderMap::new();
        let contexts = [one.of(&none), one.of(&none), other.of(&none)];
        assert_ne!(contexts[0].trace, contexts[1].trace);
        assert_ne!(contexts[0].span, contexts[1].span);
        assert_ne!(contexts[0].trace, contexts[2].trace);
    }

    #[test]
    fn of_the_traces_that_begin_here_a_share_is_sampled() {
        let traces = Traces::new("0.25".parse().unwrap());
        let none = HeaderMap::new();
        let sampled = (0..4000).filter(|_| traces.of(&none).flags & SAMPLED != 0);
        let count = sampled.count();
        assert!((800..1200).contains(&count), "{count}");
    }
}
