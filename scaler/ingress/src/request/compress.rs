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
mod tests {
    use http::Response;

    use super::*;

    #[test]
    fn the_coding_is_one_that_both_want() {
        for (tag, accept, expected) in [
            ("br, gzip", "gzip, deflate, br, zstd", Some("br")),
            ("gzip, br", "gzip, deflate, br, zstd", Some("gzip")),
            ("br, gzip", "br;q=0.5, gzip", Some("gzip")),
            ("br, gzip", "gzip;q=0, *", Some("br")),
            ("gzip", "GZIP", Some("gzip")),
            ("gzip", "*;q=0.1", Some("gzip")),
            ("gzip", "br", None),
            ("gzip", "gzip;q=0", None),
            ("gzip", "*;q=0", None),
            ("gzip", "identity, gzip;q=0.5", None),
            ("gzip", "identity;q=0.5, gzip", Some("gzip")),
            ("gzip", "identity;q=0.5, gzip;q=0.5", Some("gzip")),
            ("gzip", "", None),
            ("zstd", "gzip;q=1.0, zstd;q=0.001", Some("zstd")),
        ] {
            let compression = Compression::parse(tag).unwrap();
            let request = Request::builder().header(ACCEPT_ENCODING, accept);
            let offer = Offer::of(Some(&compression), &request.body(()).unwrap()).unwrap();
            assert_eq!(offer.0.map(Coding::name), expected, "{tag}: {accept}");
        }
    }

    #[test]
    fn what_must_stay_as_it_is_does() {
        let compression = Compression::parse("gzip").unwrap();
        let offer = |method: &str, name: &str, value: &str| {
            let builder = Request::builder().method(method).header(name, value);
            let request = builder.header(ACCEPT_ENCODING, "gzip").body(()).unwrap();
            Offer::of(Some(&compression), &request).unwrap().0
        };
        assert_eq!(offer("GET", "x-a", "b"), Some(Coding::Gzip));
        assert_eq!(offer("HEAD", "x-a", "b"), None);
        assert_eq!(
            offer("GET", "cache-control", "no-cache, no-transform"),
            None
        );
        let request = Request::new(());
        assert_eq!(Offer::of(None, &request), None);
        assert_eq!(Offer::of(Some(&compression), &request), Some(Offer(None)));
    }

    fn head(status: u16, headers: &[(&str, &str)]) -> Parts {
        let mut builder = Response::builder().status(status);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_whole_answers_of_types_that_get_smaller_are_compressed() {
        let html = ("content-type", "text/html; charset=utf-8");
        for (status, more, expected) in [
            (200, None, true),
            (404, None, true),
            (500, None, true),
            (204, None, false),
            (206, None, false),
            (304, None, false),
            (200, Some(("content-encoding", "gzip")), false),
            (200, Some(("content-encoding", "identity")), false),
            (200, Some(("content-range", "bytes 0-1/2")), false),
            (200, Some(("cache-control", "public, No-Transform")), false),
            (200, Some(("content-digest", "sha-256=:a:")), false),
            (200, Some(("content-md5", "a")), false),
            (200, Some(("cache-control", "public")), true),
        ] {
            let headers: Vec<_> = [html].into_iter().chain(more).collect();
            let found = can_be_compressed(&head(status, &headers));
            assert_eq!(found, expected, "{status} {more:?}");
        }
        for (kind, expected) in [
            ("text/plain", true),
            ("Application/JSON", true),
            ("application/problem+json", true),
            ("image/svg+xml", true),
            ("application/wasm", true),
            ("text/event-stream", false),
            ("text/event-stream; charset=utf-8", false),
            ("application/grpc", false),
            ("application/grpc+json", false),
            ("application/grpc-web-text", false),
            ("image/png", false),
            ("application/octet-stream", false),
            ("multipart/x-mixed-replace; boundary=a", false),
            ("", false),
        ] {
            assert_eq!(gets_smaller(kind), expected, "{kind}");
        }
    }

    #[test]
    fn the_head_says_what_has_become_of_the_body() {
        for (tag, expected) in [("\"a\"", "W/\"a\""), ("W/\"a\"", "W/\"a\""), ("a", "a")] {
            let given = [
                ("etag", tag),
                ("content-length", "5000"),
                ("accept-ranges", "bytes"),
            ];
            let mut headers = head(200, &given).headers;
            describe(&mut headers, Coding::Brotli);
            assert_eq!(headers[ETAG], expected);
            assert_eq!(headers[CONTENT_ENCODING], "br");
            assert_eq!(headers.len(), 2, "{headers:?}");
        }
    }
}
