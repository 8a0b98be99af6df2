//! Where a request began: the client behind the proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderValue};

use super::forwarded::FOR;

/// The client behind a proxy that is trusted, by what the proxies say: the last address that is no
/// trusted proxy's, or the first one if all are. `proxy` itself if it speaks for nobody. None if
/// the chain has something else than an address there: who that is is not known.
pub(super) fn behind(
    proxy: IpAddr,
    headers: &HeaderMap,
    trusts: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut first = proxy;
    for node in chain(headers).rev() {
        first = address(node)?;
        if !trusts(first) {
            break;
        }
    }
    Some(first)
}

/// Those that a request came through, the client first. `X-Forwarded-For` counts where there are both:
/// it is what nearly all proxies write.
fn chain(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &str> {
    let by_standard = !headers.contains_key(FOR);
    let name = if by_standard { FORWARDED } else { FOR };
    let elements = headers.get_all(name).iter().flat_map(elements);
    elements.map(move |element| {
        if by_standard {
            node_of(element)
        } else {
            element
        }
    })
}

fn elements(value: &HeaderValue) -> std::str::Split<'_, char> {
    value.to_str().unwrap_or_default().split(',')
}

/// The node of an element of `Forwarded` (RFC 7239, section 4).
fn node_of(element: &str) -> &str {
    let mut parameters = element.split(';').filter_map(|one| one.split_once('='));
    let found = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let node = found.map_or("", |(_, node)| node.trim());
    node.trim_matches('"')
}

/// The address of a node, which may have a port.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bare = node.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let parsed = bare.unwrap_or(node).parse::<IpAddr>();
    let with_port = || node.parse::<SocketAddr>().map(|address| address.ip());
    let address = parsed.or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    /// The client that proxies in 10.0.0.0/8 tell of.
    fn client(given: &[(&'static str, &'static str)]) -> String {
        let trusted: ebbtide_core::network::Network = "10.0.0.0/8".parse().unwrap();
        let proxy = "10.0.0.9".parse().unwrap();
        let found = behind(proxy, &headers(given), |address| trusted.contains(address));
        found.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }

    #[test]
    fn the_client_is_the_last_that_is_no_trusted_proxy() {
        let cases: &[(&[&'static str], &str)] = &[
            (&[], "10.0.0.9"),
            (&["192.0.2.1"], "192.0.2.1"),
            (&["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, 10.0.0.1,10.0.0.2"], "192.0.2.1"),
            (&["198.51.100.7", "192.0.2.1, 10.0.0.1"], "192.0.2.1"),
            (&["192.0.2.1", "10.0.0.1"], "192.0.2.1"),
            (&["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["[fd00::1]:4711"], "fd00::1"),
            (&["[fd00::1]"], "fd00::1"),
            (&["fd00::1"], "fd00::1"),
            (&["::ffff:192.0.2.1"], "192.0.2.1"),
            (&["10.0.0.1, unknown"], "unknown"),
            (&["anything, 192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, "], "unknown"),
            (&[""], "unknown"),
            (&["192.0.2.1 10.0.0.1"], "unknown"),
        ];
        for (values, expected) in cases {
            let given: Vec<_> = values
                .iter()
                .map(|value| ("x-forwarded-for", *value))
                .collect();
            assert_eq!(client(&given), *expected, "{values:?}");
        }
    }

    #[test]
    fn forwarded_counts_where_it_is_alone() {
        for (value, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            (
                "proto=https; For=\"192.0.2.1:80\" ;by=10.0.0.1",
                "192.0.2.1",
            ),
            (
                "for=192.0.2.1, for=\"[fd00::1]:80\", for=10.0.0.1",
                "fd00::1",
            ),
            ("for=192.0.2.1, for=_hidden", "unknown"),
            ("proto=https", "unknown"),
        ] {
            assert_eq!(client(&[("forwarded", value)]), expected, "{value}");
        }
        let both = [
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.2"),
        ];
        assert_eq!(client(&both), "192.0.2.2");
    }
}
