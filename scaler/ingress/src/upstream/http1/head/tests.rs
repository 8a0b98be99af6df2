use proptest::prelude::*;

use super::*;

fn head(text: &str, method: &Method) -> Result<Option<Head>, Http1Error> {
    take(&mut BytesMut::from(text), method)
}

fn framing_of(fields: &str) -> Option<Framing> {
    let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    head(&text, &Method::GET).ok()?.map(|head| head.framing)
}

#[test]
fn how_long_a_body_is_says_the_coding_or_one_length_or_the_end() {
    for (fields, framing) in [
        ("", Some(Framing::UntilClosed)),
        ("content-length: 0\r\n", Some(Framing::Length(0))),
        ("content-length: 7\r\n", Some(Framing::Length(7))),
        ("content-length: 7, 7\r\n", Some(Framing::Length(7))),
        (
            "content-length: 7\r\ncontent-length: 7\r\n",
            Some(Framing::Length(7)),
        ),
        ("content-length: 7\r\ncontent-length: 8\r\n", None),
        ("content-length: +7\r\n", None),
        ("content-length: 7x\r\n", None),
        ("content-length:\r\n", None),
        ("content-length: 99999999999999999999\r\n", None),
        ("transfer-encoding: Chunked\r\n", Some(Framing::chunked())),
        (
            "transfer-encoding: chunked\r\ncontent-length: 7\r\n",
            Some(Framing::chunked()),
        ),
        ("transfer-encoding: gzip, chunked\r\n", None),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            None,
        ),
        ("transfer-encoding: identity\r\n", None),
    ] {
        assert_eq!(framing_of(fields), framing, "{fields}");
    }
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    for (status, method, framing) in [
        ("200 OK", Method::HEAD, Framing::Length(0)),
        ("204 No Content", Method::GET, Framing::Length(0)),
        ("304 Not Modified", Method::GET, Framing::Length(0)),
        ("101 Switching Protocols", Method::GET, Framing::Length(0)),
        ("404 Not Found", Method::GET, Framing::Length(7)),
    ] {
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 7\r\n\r\n");
        let head = head(&text, &method).unwrap().unwrap();
        assert_eq!(head.framing, framing, "{status}");
    }
}

#[test]
fn a_connection_is_kept_as_its_version_has_it() {
    for (version, fields, keeps) in [
        ("1.1", "", true),
        ("1.1", "connection: x, Close\r\n", false),
        ("1.0", "", false),
        ("1.0", "connection: Keep-Alive\r\n", true),
    ] {
        let text = format!("HTTP/{version} 200 OK\r\n{fields}content-length: 0\r\n\r\n");
        let head = head(&text, &Method::GET).unwrap().unwrap();
        assert_eq!(head.keeps_alive, keeps, "{version} {fields}");
    }
}

#[test]
fn many_headers_are_read_and_too_many_are_not() {
    for (headers, is_read) in [(32, true), (33, true), (256, true), (257, false)] {
        let fields: Vec<_> = (0..headers)
            .map(|number| format!("x-{number}: a\r\n"))
            .collect();
        let fields = fields.concat();
        let head = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), &Method::GET);
        assert_eq!(head.is_ok_and(|head| head.is_some()), is_read, "{headers}");
    }
    let long = "a".repeat(MOST);
    assert!(head(&format!("HTTP/1.1 200 OK\r\nx: {long}"), &Method::GET).is_err());
}

#[test]
fn a_reason_that_is_not_the_usual_one_goes_on() {
    let reason = |line: &str| {
        let text = format!("HTTP/1.1 {line}\r\n\r\n");
        let head = head(&text, &Method::GET).unwrap().unwrap();
        let reason = head.response.extensions().get::<ReasonPhrase>().cloned();
        reason.map(|reason| String::from_utf8(reason.as_bytes().to_vec()).unwrap())
    };
    assert_eq!(reason("200 OK"), None);
    assert_eq!(reason("299 "), None);
    assert_eq!(reason("200 Fine").as_deref(), Some("Fine"));
}

#[test]
fn a_request_says_once_how_long_it_is() {
    let written = |fields: &[(&str, &str)]| {
        let builder = Request::builder().method("POST").uri("/a?b");
        let request = fields.iter().fold(builder, |builder, (name, value)| {
            builder.header(*name, *value)
        });
        let request = request.body(()).unwrap();
        let mut out = Vec::new();
        let coding = Coding::of(request.headers())?;
        write(&request, coding, &mut out);
        Ok::<_, Http1Error>(String::from_utf8(out).unwrap())
    };
    let twice = written(&[("content-length", "3"), ("content-length", "3"), ("x", "1")]);
    assert_eq!(
        twice.unwrap(),
        "POST /a?b HTTP/1.1\r\ncontent-length: 3\r\nx: 1\r\n\r\n"
    );
    let both = written(&[("content-length", "3"), ("transfer-encoding", "chunked")]);
    assert_eq!(
        both.unwrap(),
        "POST /a?b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    assert!(written(&[("content-length", "3"), ("content-length", "4")]).is_err());
}

proptest! {
    /// However an answer comes in pieces, it says the same, and nothing behind its head is taken.
    #[test]
    fn a_head_in_pieces_is_the_same(
        fields in proptest::collection::vec(("x-[a-z]{1,8}", "[!-~]{0,12}"), 0..40),
        behind in "[ -~]{0,20}",
        cut in 0_usize..400,
    ) {
        let lines: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let lines = lines.concat();
        let text = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        let (first, second) = text.split_at(cut.min(text.len()));
        let mut read = BytesMut::from(first);
        let early = take(&mut read, &Method::GET).unwrap();
        prop_assert_eq!(early.is_some(), second.is_empty());
        if early.is_none() {
            read.extend_from_slice(second.as_bytes());
            read.extend_from_slice(behind.as_bytes());
            let head = take(&mut read, &Method::GET).unwrap().unwrap();
            let said: Vec<_> = head.response.headers().iter().map(|(_, value)| value.clone()).collect();
            prop_assert_eq!(said.len(), fields.len());
            prop_assert_eq!(&read[..], behind.as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_an_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _parsed = take(&mut BytesMut::from(&bytes[..]), &Method::GET);
    }
}
