//! Who asked, for the app: `X-Forwarded-For` and its like, which mean something only where nobody but
//! proxies that are trusted can have written them.

use std::net::IpAddr;

use http::header::{Entry, FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{join, origin};
use crate::scheme::Scheme;

pub(super) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const BY_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Of IPv4 in its own form, though it may have come by IPv6.
    ip: IpAddr,
    address: HeaderValue,
    /// As `Forwarded` has it.
    node: HeaderValue,
    scheme: Scheme,
    /// Whether it is a proxy whose word counts for who is behind it.
    is_trusted: bool,
}

impl Client {
    pub(crate) fn new(address: IpAddr, scheme: Scheme, is_trusted: bool) -> Self {
        let address = address.to_canonical();
        let node = match address {
            IpAddr::V4(address) => format!("for={address}"),
            IpAddr::V6(address) => format!("for=\"[{address}]\""),
        };
        let value = |text: String| {
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        };
        Self {
            ip: address,
            address: value(address.to_string()),
            node: value(node),
            scheme,
            is_trusted,
        }
    }

    /// The address that a request began at: behind proxies that are trusted, what they say. None if
    /// they do not say it.
    pub(crate) fn origin(
        &self,
        headers: &HeaderMap,
        trusts: impl Fn(IpAddr) -> bool,
    ) -> Option<IpAddr> {
        if self.is_trusted {
            return origin::behind(self.ip, headers, trusts);
        }
        Some(self.ip)
    }

    /// Whether a proxy that is trusted says that a request came to it by HTTPS.
    pub(crate) fn has_taken_https(&self, headers: &HeaderMap) -> bool {
        let said = headers.get(PROTO).filter(|_| self.is_trusted);
        said.is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(b"https"))
    }

    /// Its address.
    pub(crate) fn address(&self) -> IpAddr {
        self.ip
    }

    /// Whether it is a proxy whose word counts.
    pub(crate) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// How it connected.
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }
}

/// Says to the replica who asked, by which protocol, and for which host. What a proxy that is trusted
/// says of these stays, and the proxy is added to the chain; what anyone else says goes.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, client: &Client, host: &HeaderValue) {
    take_out(headers, client.is_trusted);
    if !client.is_trusted {
        headers.insert(FOR, client.address.clone());
        headers.insert(PROTO, client.scheme.header());
        headers.insert(BY_HOST, host.clone());
        headers.insert(HOST, host.clone());
        return;
    }
    append(headers, FOR, &client.address);
    if headers.contains_key(FORWARDED) {
        append(headers, FORWARDED, &client.node);
    }
    set_unless_one(headers, PROTO, client.scheme.header());
    set_unless_one(headers, BY_HOST, host.clone());
    headers.insert(HOST, host.clone());
}

/// Takes out what only a proxy may say, and from anyone what an app could take for it: many servers
/// tell `_` and `-` in names not apart.
fn take_out(headers: &mut HeaderMap, is_trusted: bool) {
    let goes = |name: &&HeaderName| {
        let name = name.as_str();
        let has_proxys_name = is_proxys(name.as_bytes());
        has_proxys_name && (!is_trusted || name.contains('_'))
    };
    let names: Vec<_> = headers.keys().filter(goes).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Whether a name, with `_` for `-` or not, is one that proxies write: `X-Forwarded-…`, `X-Real-IP`,
/// `Forwarded`.
fn is_proxys(name: &[u8]) -> bool {
    let same = |(a, b): (&u8, &u8)| a == b || (*a == b'_' && *b == b'-');
    let starts = |prefix: &[u8]| name.len() >= prefix.len() && name.iter().zip(prefix).all(same);
    match name.first() {
        Some(b'x') => starts(b"x-forwarded") || (name.len() == 9 && starts(b"x-real-ip")),
        Some(b'f') => name == b"forwarded",
        _ => false,
    }
}

/// Adds an element to a list, as one header.
fn append(headers: &mut HeaderMap, name: HeaderName, element: &HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(element.clone());
        }
        Entry::Occupied(mut entry) => {
            let chain = join(entry.iter().chain([element]), b", ");
            entry.insert(chain.unwrap_or_else(|| element.clone()));
        }
    }
}

fn set_unless_one(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if headers.get_all(&name).iter().count() != 1 {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    fn forwarded(
        address: &str,
        is_trusted: bool,
        given: &[(&'static str, &'static str)],
    ) -> HeaderMap {
        let mut map = headers(given);
        let client = Client::new(address.parse().unwrap(), Scheme::Http, is_trusted);
        let host = HeaderValue::from_static("hello.localhost:8080");
        add_forwarded(&mut map, &client, &host);
        map
    }

    const GIVEN: [(&str, &str); 7] = [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2, 10.0.0.3"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
        ("x-forwarded-prefix", "/a"),
        ("x-real-ip", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
    ];

    #[test]
    fn what_just_anyone_says_goes() {
        let expected = headers(&[
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "hello.localhost:8080"),
            ("host", "hello.localhost:8080"),
        ]);
        assert_eq!(forwarded("::ffff:127.0.0.1", false, &GIVEN), expected);
        assert_eq!(forwarded("127.0.0.1", false, &[]), expected);
    }

    #[test]
    fn what_a_trusted_proxy_says_stays_and_the_proxy_is_added() {
        let expected = headers(&[
            ("x-forwarded-for", "10.0.0.1, 10.0.0.2, 10.0.0.3, fd00::1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-prefix", "/a"),
            ("x-real-ip", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1, for=\"[fd00::1]\""),
            ("host", "hello.localhost:8080"),
        ]);
        assert_eq!(forwarded("fd00::1", true, &GIVEN), expected);
        let twice = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "http"),
        ];
        let map = forwarded("127.0.0.1", true, &twice);
        assert_eq!(map.get_all("x-forwarded-proto").iter().count(), 1);
    }

    #[test]
    fn names_that_servers_take_for_a_proxys_go_from_anyone() {
        let aliases = [
            ("x_forwarded_for", "10.0.0.1"),
            ("x-forwarded_proto", "https"),
            ("x_real_ip", "10.0.0.1"),
        ];
        for is_trusted in [false, true] {
            let map = forwarded("127.0.0.1", is_trusted, &aliases);
            assert!(
                map.keys().all(|name| !name.as_str().contains('_')),
                "{map:?}"
            );
        }
        let kept = [("x_a", "1"), ("x-real-ip-of", "2"), ("forwarded-by", "3")];
        let map = forwarded("127.0.0.1", false, &kept);
        assert!(
            kept.iter().all(|(name, _)| map.contains_key(*name)),
            "{map:?}"
        );
    }
}
