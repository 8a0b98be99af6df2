//! Which headers go through, which end here, and which are added.

mod forwarded;
pub(crate) mod forwarded_certificate;
mod hop;
mod origin;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, Entry, HOST, TE, TRANSFER_ENCODING, UPGRADE,
    VARY,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version};
use http_body::Body;

pub(crate) use forwarded::{Client, add_forwarded};
pub(crate) use hop::{clean_trailers, strip_hop_by_hop};

/// Says that a request is a copy, and for which revision the original was. Never a client's.
pub(crate) const MIRROR: HeaderName = HeaderName::from_static("x-ebbtide-mirror");

/// The protocol that an HTTP/1.1 request asks to switch to. HTTP/2 is not switched to (RFC 9113 has
/// done away with it): such a request is an ordinary one.
pub(crate) fn upgrade_of<B>(request: &Request<B>) -> Option<HeaderValue> {
    let headers = request.headers();
    let mut connection = headers.get_all(CONNECTION).iter();
    let asks = connection.any(|value| has_token(value, "upgrade"));
    let protocol = headers.get(UPGRADE).filter(|_| asks)?;
    let allowed = request.version() == Version::HTTP_11 && !has_token(protocol, "h2c");
    allowed.then(|| protocol.clone())
}

/// Whether a request is one of gRPC, whose body is a stream of messages.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// Whether an answer is a stream, whose pauses and end are its own matter: of gRPC, or of events.
pub(crate) fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| {
        let events = b"text/event-stream";
        kind.len() >= events.len() && kind[..events.len()].eq_ignore_ascii_case(events)
    }) || is_grpc(headers)
}

/// Puts `Cookie` headers together, which HTTP/2 clients may send in pieces (RFC 9113, section
/// 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    if let Entry::Occupied(mut entry) = headers.entry(COOKIE)
        && entry.iter().nth(1).is_some()
        && let Some(cookies) = join(entry.iter(), b"; ")
    {
        entry.insert(cookies);
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let mut cookies = texts.flat_map(|text| text.split(';'));
    cookies.find_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == wanted).then_some(value)
    })
}

/// Gives a request the form that an HTTP/1.1 replica expects.
pub(crate) fn to_http1<B: Body>(request: &mut Request<B>) {
    *request.version_mut() = Version::HTTP_11;
    if request.uri().authority().is_some() {
        *request.uri_mut() = origin_form(request.uri());
    }
    let has_body = !request.body().is_end_stream();
    let headers = request.headers_mut();
    if has_body && !headers.contains_key(CONTENT_LENGTH) {
        // Without this hyper would send a GET without its body.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if headers.contains_key(TE) {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Gives a request the form that an HTTP/2 replica expects: its host is in the target.
pub(crate) fn to_http2<B>(request: &mut Request<B>) {
    *request.version_mut() = Version::HTTP_2;
    let host = request.headers_mut().remove(HOST);
    let authority = host.and_then(|host| host.as_bytes().try_into().ok());
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path_of(request.uri()));
    parts.scheme = Some(http::uri::Scheme::HTTP);
    parts.authority = authority;
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

fn origin_form(uri: &Uri) -> Uri {
    Uri::from(path_of(uri))
}

/// The path and query of a target, which is `/` for one without (`http://host`, `http://host#part`).
fn path_of(uri: &Uri) -> PathAndQuery {
    let path = uri.path_and_query().filter(|path| path.as_str() != "/");
    path.map_or_else(|| PathAndQuery::from_static("/"), Clone::clone)
}

/// Says that an answer depends on a header of its request, unless it says so.
pub(crate) fn vary_by(headers: &mut HeaderMap, name: &'static str) {
    let mut said = headers.get_all(VARY).iter();
    if !said.any(|value| has_token(value, name) || has_token(value, "*")) {
        headers.append(VARY, HeaderValue::from_static(name));
    }
}

/// Whether a list has this element, in any case.
pub(crate) fn has_token(value: &HeaderValue, token: &str) -> bool {
    tokens(value).any(|element| element.eq_ignore_ascii_case(token))
}

/// The elements of a comma-separated list, without parameters.
fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    let text = value.to_str().unwrap_or_default();
    let elements = text
        .split(',')
        .map(|element| element.split(';').next().unwrap_or_default());
    elements
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

fn join<'a>(
    values: impl Iterator<Item = &'a HeaderValue>,
    separator: &[u8],
) -> Option<HeaderValue> {
    let parts: Vec<&[u8]> = values.map(HeaderValue::as_bytes).collect();
    HeaderValue::from_maybe_shared(bytes::Bytes::from(parts.join(separator))).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use http_body_util::{Empty, Full};

    pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    #[test]
    fn only_an_http11_request_to_another_protocol_upgrades() {
        let ask = |version, connection: &str, upgrade: &str| {
            let request = Request::builder().version(version);
            let request = request
                .header(CONNECTION, connection)
                .header(UPGRADE, upgrade);
            upgrade_of(&request.body(()).unwrap()).is_some()
        };
        assert!(ask(Version::HTTP_11, "keep-alive, Upgrade", "websocket"));
        assert!(!ask(Version::HTTP_11, "keep-alive", "websocket"));
        assert!(!ask(Version::HTTP_10, "upgrade", "websocket"));
        assert!(!ask(Version::HTTP_11, "Upgrade, HTTP2-Settings", "h2c"));
    }

    #[test]
    fn targets_take_the_form_of_the_protocol() {
        let build = |uri: &str| {
            let request = Request::builder().uri(uri).header(HOST, "hello.localhost");
            request.body(Empty::<bytes::Bytes>::new()).unwrap()
        };
        let mut request = build("http://hello.localhost/a?b=c");
        to_http1(&mut request);
        assert_eq!(request.uri(), "/a?b=c");
        for bare in ["http://hello.localhost", "http://hello.localhost#part"] {
            let mut request = build(bare);
            to_http1(&mut request);
            assert_eq!(request.uri().to_string(), "/", "{bare}");
        }
        let mut request = build("/a?b=c");
        to_http2(&mut request);
        assert_eq!(request.uri(), "http://hello.localhost/a?b=c");
        assert_eq!(request.headers().get(HOST), None);
    }

    #[test]
    fn a_body_of_unknown_length_is_said_to_be_chunked() {
        let body = Full::new(bytes::Bytes::from_static(b"body"));
        let mut request = Request::builder().body(body).unwrap();
        to_http1(&mut request);
        assert_eq!(request.headers()[TRANSFER_ENCODING], "chunked");
    }

    #[test]
    fn cookies_in_pieces_are_put_together() {
        let mut map = headers(&[("cookie", "a=1"), ("cookie", "b=2")]);
        join_cookies(&mut map);
        assert_eq!(map, headers(&[("cookie", "a=1; b=2")]));
    }
}
