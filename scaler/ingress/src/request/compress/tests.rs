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
