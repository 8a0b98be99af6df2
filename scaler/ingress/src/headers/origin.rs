//! Who is behind proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who asked: `peer`, or as long as that is trusted, whom it says to have been asked by. What
/// someone who is not trusted has written before that counts for nothing.
pub(crate) fn origin(
    peer: IpAddr,
    headers: &HeaderMap,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let mut client = peer.to_canonical();
    let values: Vec<_> = headers.get_all(FOR).iter().collect();
    let texts = values.iter().rev().filter_map(|value| value.to_str().ok());
    let mut chain = texts.flat_map(|text| text.rsplit(',')).map(address);
    while is_trusted(client)
        && let Some(Some(before)) = chain.next()
    {
        client = before;
    }
    client
}

/// An element of the chain, which some proxies write with a port.
fn address(element: &str) -> Option<IpAddr> {
    let element = element.trim();
    let bare = element.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    let with_port = || element.parse::<SocketAddr>().ok().map(|both| both.ip());
    address
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;

    #[test]
    fn the_last_who_is_not_trusted_has_asked() {
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        for (peer, chain, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
            ("::ffff:10.0.0.1", &["192.0.2.7 , 10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", &["192.0.2.7", "10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", &["192.0.2.7:4711"], "192.0.2.7"),
            ("10.0.0.1", &["[2001:db8::1]:80"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["192.0.2.7, unknown"], "10.0.0.1"),
        ] {
            let given: Vec<_> = chain
                .iter()
                .map(|value| ("x-forwarded-for", *value))
                .collect();
            let found = origin(peer.parse().unwrap(), &headers(&given), trusted);
            assert_eq!(found.to_string(), expected, "{peer} {chain:?}");
        }
    }
}
