//! Which answers are compressed, and how (RFC 9110, sections 8.4 and 12.5.3).

use std::rc::Rc;

use ebbtide_core::policy::{Coding, Compression};
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};

use super::directory::range_of;
use crate::body::{Compressed, Compressor, ReplicaBody, ResponseBody};
use crate::headers::{has_token, vary_by};
use crate::worker::Worker;

/// Bodies below this are not worth it, and fit one packet as they are.
const LEAST: u64 = 1024;

/// Sums over the bytes that are sent, which would be wrong, and over what they stand for.
const SUMS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// Types of bodies that get smaller, beside texts and those whose suffix says what they are.
const TYPES: [&str; 16] = [
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/toml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
];

/// What a client takes of what its app offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer(Option<Coding>);

impl Offer {
    /// None if the app's answers go out as they come.
    pub(super) fn of<B>(compression: Option<&Compression>, request: &Request<B>) -> Option<Self> {
        let codings = compression?.codings();
        let headers = request.headers();
        let may_be_changed = request.method() != Method::HEAD && !forbids_changes(headers);
        Some(Self(
            may_be_changed.then(|| chosen(codings, headers)).flatten(),
        ))
    }

    /// Makes the body of an answer, and says in its head what has become of it.
    pub(super) fn apply(
        self,
        worker: &Rc<Worker>,
        head: &mut Parts,
        body: ReplicaBody,
    ) -> ResponseBody {
        let is_small = body.exact_size().is_some_and(|size| size < LEAST);
        if is_small || !can_be_compressed(head) {
            return ResponseBody::Replica(body);
        }
        vary_by(&mut head.headers, "accept-encoding");
        let begin = |coding| Some((coding, Compressor::new(worker, coding)?));
        let Some((coding, compressor)) = self.0.and_then(begin) else {
            return ResponseBody::Replica(body);
        };
        describe(&mut head.headers, coding);
        ResponseBody::Compressed(Box::new(Compressed::new(body, compressor)))
    }
}

/// The coding that a client takes and likes most; of those that it likes as much, the first.
fn chosen(codings: &[Coding], headers: &HeaderMap) -> Option<Coding> {
    let weight = |name| weight_of(name, headers);
    let plain = weight("identity").unwrap_or(0);
    let others = weight("*").unwrap_or(0);
    let mut best = None;
    for coding in codings {
        let weight = weight(coding.name()).unwrap_or(others);
        let least = best.map_or(plain.max(1), |(_, best)| best + 1);
        if weight >= least {
            best = Some((*coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// How much a client likes a coding, in thousandths, if it names it.
fn weight_of(name: &str, headers: &HeaderMap) -> Option<u16> {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let mut named = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(range_of);
    let (_, weight) = named.find(|(coding, _)| coding.eq_ignore_ascii_case(name))?;
    Some(weight)
}

fn forbids_changes(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(CACHE_CONTROL).iter();
    said.any(|value| has_token(value, "no-transform"))
}

/// Whether a whole answer of a type that gets smaller is sent, as it is.
fn can_be_compressed(head: &Parts) -> bool {
    let headers = &head.headers;
    let has_whole_body = !head.status.is_informational()
        && ![
            StatusCode::NO_CONTENT,
            StatusCode::RESET_CONTENT,
            StatusCode::PARTIAL_CONTENT,
            StatusCode::NOT_MODIFIED,
        ]
        .contains(&head.status);
    let is_plain = !headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(CONTENT_RANGE);
    let has_sum = SUMS.iter().any(|name| headers.contains_key(name));
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    has_whole_body && is_plain && !has_sum && !forbids_changes(headers) && gets_smaller(kind)
}

/// Whether bodies of a type are worth it. Events and messages are small, each by itself.
fn gets_smaller(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    if kind == "text/event-stream" || kind.starts_with("application/grpc") {
        return false;
    }
    let has_suffix = ["+json", "+xml", "+text", "+yaml"];
    kind.starts_with("text/")
        || TYPES.contains(&kind.as_str())
        || has_suffix.iter().any(|suffix| kind.ends_with(suffix))
}

/// Says that an answer is compressed: its length is not known, no part of it can be asked for, and what
/// it is known by is so no longer byte by byte.
fn describe(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    let weak = headers.get(ETAG).and_then(|tag| {
        let is_strong = tag.as_bytes().starts_with(b"\"");
        let tag = [b"W/", tag.as_bytes()].concat();
        HeaderValue::from_bytes(&tag).ok().filter(|_| is_strong)
    });
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests;
