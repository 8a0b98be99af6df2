//! The host that a request is for.

use std::borrow::Cow;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request, Version};
use thiserror::Error;

/// Why a request does not say which host it is for. Answered 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum HostError {
    #[error("the request has no Host header; HTTP/1.1 requires one")]
    Missing,
    #[error("the request has more than one Host header; send exactly one")]
    Several,
    #[error("the Host header and the target name different hosts; send one host")]
    Differs,
    #[error("the Host header is not a host name; send a name such as app.localhost")]
    Malformed,
}

/// The host a request is for, as it was written: the authority of its target if that has one (as
/// in HTTP/2), else its `Host` header. One that is not used must be there and be a host all the same
/// (RFC 9112, section 3.2), and HTTP/2 has no second opinion (RFC 9113, section 8.3.1).
pub(crate) fn of<B>(request: &Request<B>) -> Result<HeaderValue, HostError> {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(HostError::Several);
    }
    let authority = request.uri().authority();
    match (authority, header) {
        (Some(authority), Some(host)) => {
            key_of(host)?;
            let same = host
                .as_bytes()
                .eq_ignore_ascii_case(authority.as_str().as_bytes());
            if request.version() == Version::HTTP_2 && !same {
                return Err(HostError::Differs);
            }
            from_authority(authority)
        }
        (Some(authority), None) if request.version() != Version::HTTP_11 => {
            from_authority(authority)
        }
        (None, Some(host)) => Ok(host.clone()),
        (None, None) if request.version() == Version::HTTP_10 => Ok(HeaderValue::from_static("")),
        (_, None) => Err(HostError::Missing),
    }
}

fn from_authority(authority: &Authority) -> Result<HeaderValue, HostError> {
    HeaderValue::from_str(authority.as_str()).map_err(|_| HostError::Malformed)
}

/// The key of a header (see [`key`]).
pub(crate) fn key_of(host: &HeaderValue) -> Result<Cow<'_, str>, HostError> {
    key(host.to_str().map_err(|_| HostError::Malformed)?)
}

/// What hosts are looked up by: lowercase, without port and trailing dot. Nothing is allocated if
/// the host is written in lowercase.
pub(crate) fn key(host: &str) -> Result<Cow<'_, str>, HostError> {
    let name = without_port(host)?;
    let name = name.strip_suffix('.').unwrap_or(name);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~[]:%".contains(&b);
    if !name.bytes().all(allowed) {
        return Err(HostError::Malformed);
    }
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        return Ok(Cow::Owned(name.to_ascii_lowercase()));
    }
    Ok(Cow::Borrowed(name))
}

/// Whether a host is written with a port.
pub(crate) fn has_port(host: &str) -> bool {
    let name = without_port(host).map_or(0, str::len);
    host.len() > name + 1
}

fn without_port(host: &str) -> Result<&str, HostError> {
    let address_end = if host.starts_with('[') {
        host.find(']').ok_or(HostError::Malformed)? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, port) = host.split_at(address_end);
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.is_empty() || port.starts_with(':');
    let is_number = digits.is_empty() || digits.parse::<u16>().is_ok();
    if is_port && is_number && !digits.starts_with('+') {
        return Ok(name);
    }
    Err(HostError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_leave_out_what_does_not_tell_hosts_apart() {
        for (host, expected) in [
            ("hello.localhost", "hello.localhost"),
            ("hello.localhost:8080", "hello.localhost"),
            ("Hello.LocalHost.:80", "hello.localhost"),
            ("hello---blue.localhost", "hello---blue.localhost"),
            ("hello", "hello"),
            ("", ""),
            ("hello:", "hello"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
        ] {
            assert_eq!(key(host).as_deref(), Ok(expected), "{host}");
        }
        assert!(matches!(key("hello.localhost:80"), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn a_port_is_digits_behind_a_colon() {
        for (host, expected) in [
            ("hello.localhost", false),
            ("hello.localhost:", false),
            ("hello.localhost:8080", true),
            ("[::1]", false),
            ("[::1]:1", true),
        ] {
            assert_eq!(has_port(host), expected, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in [
            "a b", "a/b", "user@a", "a:80:80", "[::1", "[::1]x", "a:b", "a,b", "ä", "a:65536",
            "a:+8", "a:-1",
        ] {
            assert_eq!(key(host), Err(HostError::Malformed), "{host}");
        }
    }

    #[test]
    fn the_target_comes_before_the_header_and_one_header_is_enough() {
        let of_version = |version: Version, uri: &str, hosts: &[&str]| {
            let builder = Request::builder().version(version).uri(uri);
            let add = |builder: http::request::Builder, host: &&str| builder.header(HOST, *host);
            of(&hosts.iter().fold(builder, add).body(()).unwrap())
        };
        let request = |uri: &str, hosts: &[&str]| of_version(Version::HTTP_11, uri, hosts);
        assert_eq!(request("/", &["a"]).unwrap(), "a");
        assert_eq!(request("http://b:1/x", &["a"]).unwrap(), "b:1");
        assert_eq!(request("http://b:1/x", &["a/b"]), Err(HostError::Malformed));
        assert_eq!(request("http://b:1/x", &[]), Err(HostError::Missing));
        let http2 = |hosts: &[&str]| of_version(Version::HTTP_2, "http://b:1/x", hosts);
        assert_eq!(http2(&[]).unwrap(), "b:1");
        assert_eq!(http2(&["B:1"]).unwrap(), "b:1");
        assert_eq!(http2(&["b"]), Err(HostError::Differs));
        assert_eq!(request("/", &[]), Err(HostError::Missing));
        assert_eq!(request("/", &["a", "a"]), Err(HostError::Several));
    }

    proptest! {
        #[test]
        fn any_text_has_a_key_or_is_refused(host in "\\PC*") {
            if let Ok(key) = key(&host) {
                prop_assert_eq!(key.to_ascii_lowercase(), key.as_ref());
            }
        }

        #[test]
        fn a_key_is_its_own_key(host in "[a-zA-Z0-9.-]{0,20}[a-z0-9](:[0-9]{0,4})?") {
            let once = key(&host).unwrap().into_owned();
            let twice = key(&once).unwrap().into_owned();
            prop_assert_eq!(twice, once);
        }
    }
}
