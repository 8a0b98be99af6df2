use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What comes of bytes in these pieces: operations, and what is wrong after them.
fn decoded<'p>(
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (Vec<Operation>, Result<bool, String>) {
    let (mut decoder, mut operations) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.room().extend_from_slice(piece);
        loop {
            match decoder.operation() {
                Ok(Some(operation)) => operations.push(operation),
                Ok(None) => break,
                Err(error) => return (operations, Err(error.to_string())),
            }
        }
    }
    (operations, Ok(decoder.is_empty()))
}

fn message(reply: Option<&str>, status: Option<u16>, body: &[u8]) -> Operation {
    Operation::Message(Message {
        subject: "a.b".to_owned(),
        reply: reply.map(str::to_owned),
        status,
        body: body.to_vec(),
    })
}

#[test]
fn what_a_server_says_has_a_meaning() {
    for (text, expected) in [
        ("PING\r\n", Operation::Ping),
        ("PONG\r\n", Operation::Pong),
        ("+OK\r\n", Operation::Ok),
        ("INFO {\"a\":1} \r\n", Operation::Info("{\"a\":1} ".into())),
        ("-ERR 'Slow'\r\n", Operation::Err("'Slow'".into())),
        ("MSG a.b 1 2\r\nxy\r\n", message(None, None, b"xy")),
        ("MSG a.b 1 0\r\n\r\n", message(None, None, b"")),
        ("MSG\ta.b  1 r 2\r\n\r\n\r\n", message(Some("r"), None, END)),
        (
            "HMSG a.b 1 16 18\r\nNATS/1.0 404\r\n\r\nxy\r\n",
            message(None, Some(404), b"xy"),
        ),
        (
            "HMSG a.b 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n",
            message(Some("r"), None, b""),
        ),
        // Whoever published it took this for headers.
        ("HMSG a.b 1 1 2\r\nxy\r\n", message(None, None, b"y")),
        ("HMSG a.b 1 0 2\r\nxy\r\n", message(None, None, b"xy")),
    ] {
        assert_eq!(
            decoded([text.as_bytes()]),
            (vec![expected], Ok(true)),
            "{text:?}"
        );
    }
}

#[test]
fn what_is_not_of_the_protocol_is_an_error() {
    for (text, expected) in [
        (
            "HTTP/1.1 400 Bad Request\r\n",
            "\"HTTP/1.1 400 Bad Request\"",
        ),
        ("PING\n", "\"PING\""),
        ("\r\n", "\"\""),
        ("ping\r\n", "\"ping\""),
        ("MSG a.b 1\r\n", "\"MSG a.b 1\""),
        ("MSG a.b 1 r s 2\r\n", "\"MSG a.b 1 r s 2\""),
        ("MSG a.b 1 -2\r\n", "\"MSG a.b 1 -2\""),
        ("MSG a.b 1 +2\r\n", "\"MSG a.b 1 +2\""),
        ("HMSG a.b 1 2\r\n", "\"HMSG a.b 1 2\""),
        ("HMSG a.b 1 x 2\r\n", "\"HMSG a.b 1 x 2\""),
    ] {
        let expected = format!("NATS: this is not of its protocol: {expected}");
        assert_eq!(
            decoded([text.as_bytes()]),
            (vec![], Err(expected)),
            "{text:?}"
        );
    }
    for (text, expected) in [
        (
            "MSG i 1 67108865\r\n",
            "NATS announces a message of 67108865 bytes",
        ),
        ("HMSG i 1 9 5\r\n", "NATS announces a message of 5 bytes"),
        (
            "MSG i 1 2\r\nxyz\r\n",
            "NATS: a message is longer than its 2 bytes",
        ),
    ] {
        let found = decoded([text.as_bytes()]);
        assert_eq!(found, (vec![], Err(expected.to_owned())), "{text:?}");
    }
    let (_, found) = decoded([&b"\xff\r\n"[..]]);
    assert!(found.is_err());
}

#[test]
fn a_line_has_a_bound_however_it_comes() {
    let line = |length: usize| {
        ["-ERR ", &"x".repeat(length - 6), "\r\n"]
            .concat()
            .into_bytes()
    };
    let too_long = Err("NATS: a line has more than 64 KiB".to_owned());
    for (length, expected) in [(LONGEST_LINE, Ok(true)), (LONGEST_LINE + 1, too_long)] {
        let line = line(length);
        assert_eq!(decoded([&line[..]]).1, expected, "{length}");
        assert_eq!(decoded(line.chunks(1000)).1, expected, "{length}");
    }
    // It does not have to end.
    assert!(decoded([&b"x".repeat(LONGEST_LINE + 1)[..]]).1.is_err());
}

#[test]
fn nothing_is_set_aside_for_what_is_announced() {
    let mut decoder = Decoder::default();
    let line = format!("MSG a 1 {LONGEST_MESSAGE}\r\nx");
    decoder.room().extend_from_slice(line.as_bytes());
    assert_eq!(decoder.operation(), Ok(None));
    assert!(!decoder.is_empty());
    assert!(decoder.room().capacity() < 1 << 20);
}

/// What servers say, and what they do not.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let text = "(PING|PONG|\\+OK|INFO \\{\\}|-ERR '[a-z]{0,4}'|H?MSG( [a-z0-9]{1,2}){2,5})\r\n";
    prop_oneof![
        6 => text.prop_map(String::into_bytes),
        6 => vec(any::<u8>(), 0..20).prop_map(|body| {
            [format!("MSG a 1 {}\r\n", body.len()).as_bytes(), &body, END].concat()
        }),
        3 => vec(any::<u8>(), 0..20).prop_map(|body| {
            let line = format!("HMSG a 1 r 16 {}\r\nNATS/1.0 503\r\n\r\n", body.len() + 16);
            [line.as_bytes(), &body, END].concat()
        }),
        1 => vec(any::<u8>(), 0..5),
    ]
}

proptest! {
    #[test]
    fn pieces_give_what_the_whole_gives(
        said in vec(said(), 0..8),
        lengths in vec(1_usize..30, 1..40),
    ) {
        let all = said.concat();
        let (mut pieces, mut rest) = (Vec::new(), &all[..]);
        for length in lengths {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let whole = decoded([&all[..]]);
        prop_assert_eq!(decoded(pieces), decoded(all.chunks(1)));
        prop_assert_eq!(decoded(all.chunks(1)), whole);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, begin in "(H?MSG [a-z] 1 )?[0-9 ]{0,9}(\r\n)?") {
        let _ = decoded([begin.as_bytes(), &bytes]);
    }
}
