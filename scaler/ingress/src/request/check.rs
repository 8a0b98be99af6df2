//! What the parser lets through and an intermediary must not (RFC 9110, RFC 9112): whatever two
//! parsers could read in two ways is refused here, before anything is forwarded.

use ebbtide_core::request_path::PathError;
use http::header::{EXPECT, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderMap, Method, Request, Uri, Version};
use http_body::Body;
use thiserror::Error;

use crate::limits::Limits;

/// Why a request is refused as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Malformed {
    #[error("the request has several transfer codings; send chunked, once")]
    Codings,
    #[error("the request has a transfer coding other than chunked; send chunked, once")]
    UnknownCoding,
    #[error("the request's target is neither a path, as in /a?b=c, nor an http URL")]
    Target,
    #[error("the request's target has a user's name; send it in the Authorization header")]
    UserInTarget,
    #[error("the request's target has bytes that have to be percent-encoded")]
    TargetBytes,
    #[error("the request's target is longer than {0} bytes")]
    LongTarget(u16),
    #[error("the request has more than {0} headers")]
    ManyHeaders(u16),
    #[error("the request's body is larger than {0} bytes")]
    LargeBody(u64),
    #[error("the request expects what is not known here; only 100-continue is")]
    Expectation,
    #[error("{0}")]
    Path(#[from] PathError),
}

/// Looks at everything that the parser does not.
pub(crate) fn check<B: Body>(request: &Request<B>, limits: &Limits) -> Result<(), Malformed> {
    check_coding(request.headers())?;
    check_target(request)?;
    if length(request.uri()) > usize::from(limits.target_bytes) {
        return Err(Malformed::LongTarget(limits.target_bytes));
    }
    if request.headers().len() > usize::from(limits.headers) {
        return Err(Malformed::ManyHeaders(limits.headers));
    }
    check_body(request, limits.body_bytes)?;
    check_expectation(request.headers())
}

/// Looks at the length of the body, if the client says it.
pub(crate) fn check_body<B: Body>(
    request: &Request<B>,
    most: Option<u64>,
) -> Result<(), Malformed> {
    match most {
        Some(most) if request.body().size_hint().lower() > most => Err(Malformed::LargeBody(most)),
        _ => Ok(()),
    }
}

/// The parser takes the last coding for the only one, and would pass the body on without the others.
fn check_coding(headers: &HeaderMap) -> Result<(), Malformed> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(first) = codings.next() else {
        return Ok(());
    };
    if codings.next().is_some() {
        return Err(Malformed::Codings);
    }
    let first = first.as_bytes();
    if first.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let elements = || first.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    if elements().all(|element| element.is_empty() || element.eq_ignore_ascii_case(b"chunked")) {
        return Err(Malformed::Codings);
    }
    Err(Malformed::UnknownCoding)
}

fn check_target<B>(request: &Request<B>) -> Result<(), Malformed> {
    let uri = request.uri();
    if let Some(authority) = uri.authority()
        && authority.as_str().contains('@')
    {
        return Err(Malformed::UserInTarget);
    }
    if !uri.path().is_ascii() || uri.query().is_some_and(|query| !query.is_ascii()) {
        return Err(Malformed::TargetBytes);
    }
    if has_known_form(uri, request.method(), request.version()) {
        return Ok(());
    }
    Err(Malformed::Target)
}

fn length(uri: &Uri) -> usize {
    let host = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    host + path
}

/// A path, an http URL, or for OPTIONS an asterisk (RFC 9112, section 3.2).
fn has_known_form(uri: &Uri, method: &Method, version: Version) -> bool {
    let starts = |path: &str| path.starts_with('/');
    match (uri.scheme(), uri.authority()) {
        (None, None) => starts(uri.path()) || (uri.path() == "*" && method == Method::OPTIONS),
        (Some(scheme), Some(_)) => *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS,
        // HTTP/2 has the scheme beside the target.
        _ => version == Version::HTTP_2 && starts(uri.path()),
    }
}

fn check_expectation(headers: &HeaderMap) -> Result<(), Malformed> {
    let mut expectations = headers.get_all(EXPECT).iter();
    let known = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    match (expectations.next(), expectations.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if known(one) => Ok(()),
        _ => Err(Malformed::Expectation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn empty() -> http_body_util::Empty<bytes::Bytes> {
        http_body_util::Empty::new()
    }

    fn with(name: &str, values: &[&str]) -> Result<(), Malformed> {
        let mut builder = Request::builder();
        for value in values {
            builder = builder.header(name, *value);
        }
        check(&builder.body(empty()).unwrap(), &Limits::default())
    }

    #[test]
    fn chunked_once_is_the_only_coding() {
        let codings = |values: &[&str]| with("transfer-encoding", values);
        assert_eq!(codings(&[]), Ok(()));
        assert_eq!(codings(&["Chunked"]), Ok(()));
        for several in [
            &["chunked", "chunked"][..],
            &["chunked, chunked"],
            &[" ,chunked"],
        ] {
            assert_eq!(codings(several), Err(Malformed::Codings), "{several:?}");
        }
        for unknown in ["gzip, chunked", "identity", "chunked;q=1", "xchunked"] {
            assert_eq!(
                codings(&[unknown]),
                Err(Malformed::UnknownCoding),
                "{unknown}"
            );
        }
    }

    #[test]
    fn one_expectation_is_known() {
        let expects = |values: &[&str]| with("expect", values);
        assert_eq!(expects(&["100-Continue"]), Ok(()));
        for unknown in [&["200-ok"][..], &["100-continue", "100-continue"], &[""]] {
            assert_eq!(expects(unknown), Err(Malformed::Expectation), "{unknown:?}");
        }
    }

    #[test]
    fn a_target_has_one_of_three_forms() {
        let limits = Limits {
            target_bytes: 100,
            ..Limits::default()
        };
        let target = |method: Method, uri: &str| {
            check(
                &Request::builder()
                    .method(method)
                    .uri(uri)
                    .body(empty())
                    .unwrap(),
                &limits,
            )
        };
        for uri in [
            "/",
            "/a?b=c",
            "http://a",
            "http://a#b",
            "https://a:1/b",
            "//a/b",
        ] {
            assert_eq!(target(Method::GET, uri), Ok(()), "{uri}");
        }
        assert_eq!(target(Method::OPTIONS, "*"), Ok(()));
        for uri in ["*", "a", "a:80", "ftp://a/"] {
            assert_eq!(target(Method::GET, uri), Err(Malformed::Target), "{uri}");
        }
        assert_eq!(
            target(Method::GET, "http://b@a/"),
            Err(Malformed::UserInTarget)
        );
        assert_eq!(target(Method::GET, "/ä"), Err(Malformed::TargetBytes));
        assert_eq!(target(Method::GET, "/?ä"), Err(Malformed::TargetBytes));
        let long = format!("/{}?a", "a".repeat(97));
        assert_eq!(target(Method::GET, &long), Ok(()));
        let long = format!("{long}b");
        assert_eq!(target(Method::GET, &long), Err(Malformed::LongTarget(100)));
    }

    #[test]
    fn a_url_without_a_path_is_passed_on_with_one() {
        for url in [
            "http://a",
            "http://a#",
            "http://a#b",
            "http://a?c",
            "http://a/#b",
        ] {
            let mut request = Request::builder().uri(url).body(empty()).unwrap();
            crate::headers::to_http1(&mut request);
            assert!(request.uri().to_string().starts_with('/'), "{url}");
        }
    }

    proptest! {
        /// What is passed on to an HTTP/1.1 app has one form of two, and no byte that ends a line.
        #[test]
        fn any_target_is_refused_or_has_the_form_that_an_app_expects(
            method in prop_oneof![Just(Method::GET), Just(Method::OPTIONS)],
            target in prop_oneof!["\\PC{0,20}", "(http|ftp)?:?/{0,2}[a-z@:*]{0,6}/?[ -~]{0,9}", "[/*][ -~]{0,12}"],
        ) {
            let Ok(uri) = target.parse::<Uri>() else {
                return Ok(());
            };
            let mut request = Request::builder().method(method).uri(uri).body(empty()).unwrap();
            if check(&request, &Limits::default()).is_ok() {
                crate::headers::to_http1(&mut request);
                let passed_on = request.uri().to_string();
                prop_assert!(passed_on.starts_with('/') || passed_on == "*", "{}", passed_on);
                prop_assert!(passed_on.bytes().all(|byte| byte.is_ascii_graphic()), "{}", passed_on);
            }
        }
    }
}
