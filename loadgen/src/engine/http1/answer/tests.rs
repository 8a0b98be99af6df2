use proptest::prelude::*;

use super::*;
use crate::engine::rules::Times;

/// What was made of an answer: its status, the bytes of its body, whether the connection is kept, the revision.
type Made = (u16, u64, bool, Option<String>);

/// Reads an answer in these pieces, and then the end of the connection. None if it is not complete by then.
fn read(to_head: bool, pieces: &[&[u8]]) -> Result<Option<Made>, ProtocolError> {
    let rules = Rules::default();
    let mut reading = Reading::new();
    let mut progress = Progress::More;
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        if progress == Progress::Complete {
            // As on a connection that nothing waits for: it is closed.
            reading.keeps = false;
            break;
        }
        progress = reading.feed(&rules, to_head, piece, Duration::ZERO)?;
    }
    if progress == Progress::More {
        progress = reading.close();
    }
    let at = Duration::ZERO;
    let times = Times {
        sent: at,
        first_byte: at,
        ended: at,
    };
    let answer = (reading.found).answer(&rules, reading.status, reading.bytes, times);
    let revision = answer.revision.map(str::to_owned);
    let made = (reading.status, reading.bytes, reading.keeps, revision);
    Ok((progress == Progress::Complete).then_some(made))
}

/// Answers, and what they are: status, bytes of the body, whether the connection is kept.
const ANSWERS: &[(&str, u16, u64, bool)] = &[
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        200,
        5,
        true,
    ),
    ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, 0, true),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\ncontent-length: 1\r\n\r\nx",
        200,
        1,
        true,
    ),
    (
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\ncontent-length: 2\r\n\r\nno",
        404,
        2,
        false,
    ),
    (
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        200,
        2,
        false,
    ),
    (
        "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok",
        200,
        2,
        true,
    ),
    ("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, 13, false),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nxyz",
        200,
        3,
        false,
    ),
    ("HTTP/1.1 204 No Content\r\n\r\n", 204, 0, true),
    (
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\n",
        304,
        0,
        true,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        200,
        3,
        true,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\na: b\r\n\r\n",
        200,
        5,
        true,
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        200,
        1,
        false,
    ),
    (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\nx-revision: early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
        200,
        1,
        true,
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n",
        200,
        1,
        false,
    ),
];

#[test]
fn an_answer_is_read_to_its_end() {
    for (text, status, bytes, keeps) in ANSWERS {
        let made = read(false, &[text.as_bytes()]).unwrap();
        assert_eq!(made, Some((*status, *bytes, *keeps, None)), "{text:?}");
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-revision: blue\r\n\r\n";
    let made = read(true, &[head.as_bytes()]).unwrap();
    assert_eq!(made, Some((200, 0, true, Some("blue".to_owned()))));
}

#[test]
fn what_is_not_http_is_refused() {
    for text in [
        "220 this is a mail server\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        assert!(read(false, &[text.as_bytes()]).is_err(), "{text:?}");
    }
    let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(LONGEST_HEAD));
    let error = read(false, &[long.as_bytes()]).unwrap_err();
    assert!(matches!(error, ProtocolError::LongHead), "{error}");
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
    assert!(read(false, &[many.as_bytes()]).is_err());
}

#[test]
fn what_is_cut_is_no_answer() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    ] {
        assert_eq!(read(false, &[text.as_bytes()]).unwrap(), None, "{text:?}");
    }
}

#[test]
fn the_first_byte_is_the_answer_s_own() {
    let rules = Rules::default();
    let mut reading = Reading::new();
    let at = Duration::from_millis;
    let mut feed = |text: &str, millis| {
        let progress = reading.feed(&rules, false, text.as_bytes(), at(millis));
        (progress.unwrap(), reading.first_byte)
    };
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n";
    assert_eq!(feed(interim, 1), (Progress::More, None));
    assert_eq!(
        feed("HTTP/1.1 200 OK\r\ncontent-len", 2),
        (Progress::More, Some(at(2)))
    );
    assert_eq!(
        feed("gth: 2\r\n\r\nok", 3),
        (Progress::Complete, Some(at(2)))
    );
}

proptest! {
    /// What is made of an answer does not depend on how it is cut into pieces.
    #[test]
    fn cutting_changes_nothing(
        which in 0..ANSWERS.len(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let text = ANSWERS[which].0.as_bytes();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        prop_assert_eq!(read(false, &pieces).unwrap(), read(false, &[text]).unwrap());
    }

    #[test]
    fn any_bytes_are_an_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = [&b"HTTP/1.1 200 OK\r\n"[..], &bytes].concat();
        drop(read(false, &[&bytes]));
        drop(read(false, &[&text]));
    }
}
