//! Headers that concern one connection, and what keeps its place whatever a client says.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, COOKIE, DATE, EXPECT, Entry, FORWARDED, HOST,
    LOCATION, MAX_FORWARDS, ORIGIN, RANGE, REFERER, SET_COOKIE, TE, TRAILER, USER_AGENT, VARY, VIA,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{has_token, tokens};

/// Whether a header concerns one connection only (RFC 9110, section 7.6.1), `TE` aside. Asked of each header
/// of each message, which costs less than looking for each of these names.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Headers that no `Connection` takes out and no trailer brings in, beside those of [`is_end_to_end`].
const END_TO_END: [HeaderName; 16] = [
    AUTHORIZATION,
    CACHE_CONTROL,
    COOKIE,
    DATE,
    EXPECT,
    FORWARDED,
    HOST,
    LOCATION,
    MAX_FORWARDS,
    ORIGIN,
    RANGE,
    REFERER,
    SET_COOKIE,
    USER_AGENT,
    VARY,
    VIA,
];

/// Takes out what concerns one connection only: the known headers, and those that `Connection`
/// names. Of `TE` only `trailers` stays, which is about the whole way.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    while let Some(name) = headers.keys().find(|name| is_hop_by_hop(name)) {
        let name = name.clone();
        headers.remove(name);
    }
    if let Entry::Occupied(mut te) = headers.entry(TE) {
        if te.iter().any(|value| has_token(value, "trailers")) {
            te.insert(HeaderValue::from_static("trailers"));
        } else {
            te.remove_entry_mult();
        }
    }
}

/// The headers that `Connection` names and that are not taken out anyway. Those meant for the app are
/// not among them (RFC 9110, section 7.6.1): a client must not be able to have one taken out that
/// a proxy before us has set.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter();
    let names = values.flat_map(tokens).filter(|token| {
        let known = ["close", "keep-alive", "te", "upgrade"];
        !known.iter().any(|known| token.eq_ignore_ascii_case(known))
    });
    let names = names.filter_map(|token| token.parse().ok());
    names.filter(|name| !is_end_to_end(name)).collect()
}

/// Whether a header says something to the app whatever `Connection` says.
fn is_end_to_end(name: &HeaderName) -> bool {
    let starts = |prefix| name.as_str().starts_with(prefix);
    END_TO_END.contains(name)
        || [
            "x-forwarded-",
            "x-real-",
            "x-original-",
            "x-ebbtide-",
            "content-",
            "sec-",
            "if-",
            "accept",
        ]
        .into_iter()
        .any(starts)
}

/// Takes out of trailers what only a head may say (RFC 9110, section 6.5.1): an app that puts the two
/// together would take it for ours, or for the client's.
pub(crate) fn clean_trailers(trailers: &mut HeaderMap) {
    strip_hop_by_hop(trailers);
    let forbidden = |name: &&HeaderName| **name == TE || **name == TRAILER || is_end_to_end(name);
    let forbidden: Vec<_> = trailers.keys().filter(forbidden).cloned().collect();
    for name in forbidden {
        trailers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::headers;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_concerns_one_connection_ends_here() {
        let mut map = headers(&[
            ("connection", "close, X-Private"),
            ("connection", "keep-alive"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "secret"),
            ("proxy-connection", "keep-alive"),
            ("te", "gzip, trailers;q=0.5"),
            ("transfer-encoding", "chunked"),
            ("trailer", "x-sum"),
            ("upgrade", "websocket"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut map);
        let left = headers(&[("te", "trailers"), ("trailer", "x-sum"), ("accept", "*/*")]);
        assert_eq!(map, left);

        let mut map = headers(&[("te", "gzip"), ("te", "deflate")]);
        strip_hop_by_hop(&mut map);
        assert!(map.is_empty());
    }

    #[test]
    fn connection_does_not_take_out_what_is_for_the_app() {
        let named =
            "Host, cookie, Authorization, X-Forwarded-For, Content-Length, Sec-WebSocket-Key";
        let mut map = headers(&[("cookie", "a"), ("authorization", "b"), ("host", "c")]);
        let before = map.clone();
        map.insert(CONNECTION, HeaderValue::from_static(named));
        strip_hop_by_hop(&mut map);
        assert_eq!(map, before);
    }

    #[test]
    fn trailers_say_nothing_that_only_a_head_may() {
        let mut map = headers(&[
            ("x-sum", "1"),
            ("grpc-status", "0"),
            ("x-forwarded-for", "1.1.1.1"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
            ("host", "evil"),
            ("cookie", "a=1"),
        ]);
        clean_trailers(&mut map);
        assert_eq!(map, headers(&[("x-sum", "1"), ("grpc-status", "0")]));
    }

    const NAMES: [&str; 12] = [
        "connection",
        "te",
        "upgrade",
        "transfer-encoding",
        "keep-alive",
        "host",
        "cookie",
        "content-length",
        "x-forwarded-for",
        "x-a",
        "x-b",
        "close",
    ];

    proptest! {
        /// Whatever `Connection` says, what is left is what the app is to have, and nothing else.
        #[test]
        fn connection_takes_out_what_it_names_and_nothing_for_the_app(
            given in proptest::collection::vec(proptest::sample::select(NAMES.to_vec()), 0..8),
            named in proptest::collection::vec(
                prop_oneof![proptest::sample::select(NAMES.to_vec()).prop_map(str::to_owned), "[ -~]{0,8}"],
                0..6,
            ),
        ) {
            let value = HeaderValue::from_static("1");
            let mut map: HeaderMap =
                given.iter().map(|name| (HeaderName::from_static(name), value.clone())).collect();
            map.insert(CONNECTION, HeaderValue::try_from(named.join(",")).unwrap());
            let before = map.clone();
            let says: Vec<String> =
                before.get_all(CONNECTION).iter().flat_map(tokens).map(str::to_lowercase).collect();
            strip_hop_by_hop(&mut map);
            for name in before.keys() {
                let is_hop = is_hop_by_hop(name) || name == TE;
                let is_named = says.iter().any(|said| said == name.as_str()) && name != "close";
                let stays = !is_hop && (is_end_to_end(name) || !is_named);
                prop_assert_eq!(map.contains_key(name), stays, "{}", name);
            }
            let once = map.clone();
            strip_hop_by_hop(&mut map);
            prop_assert_eq!(map, once);
        }
    }
}
