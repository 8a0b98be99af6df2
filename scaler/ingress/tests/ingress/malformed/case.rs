//! Reading the table of requests.

use std::iter::Peekable;
use std::str::Chars;

/// A request and what is to become of it.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) what: &'a str,
    pub(super) sent: Vec<u8>,
    pub(super) status: u16,
    /// Whether the connection ends after the answer.
    pub(super) closes: bool,
    /// The requests that the app sees.
    pub(super) seen: Vec<&'a str>,
}

/// The cases of a table; the beginning of `requests.txt` says how it is written.
pub(super) fn read(table: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        match (line.split_at_checked(2), cases.last_mut()) {
            (None, _) => assert_eq!(line, ""),
            (Some(("= ", what)), _) => cases.push(Case {
                what,
                sent: Vec::new(),
                status: 0,
                closes: false,
                seen: Vec::new(),
            }),
            (Some(("> ", sent)), Some(case)) => case.sent = bytes(&mut sent.chars().peekable()),
            (Some(("< ", answer)), Some(case)) => {
                let (status, then) = answer.split_once(' ').expect("a status, and what then");
                case.status = status.parse().expect("a status");
                case.closes = match then {
                    "closes" => true,
                    "goes on" => false,
                    _ => panic!("{line}"),
                };
            }
            (Some(("@ ", seen)), Some(case)) => case.seen.push(seen),
            _ => panic!("{line}"),
        }
    }
    cases
}

/// Bytes up to the end, or to the brace that closes.
fn bytes(text: &mut Peekable<Chars<'_>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(char) = text.next() {
        match char {
            '}' => return bytes,
            '{' => {
                let mut count = String::new();
                while let Some(digit) = text.next_if(|char| *char != '*') {
                    count.push(digit);
                }
                text.next();
                bytes.extend(self::bytes(text).repeat(count.parse().expect("a number")));
            }
            '\\' => bytes.push(escaped(text)),
            char => bytes.push(u8::try_from(char).expect("ASCII")),
        }
    }
    bytes
}

fn escaped(text: &mut Peekable<Chars<'_>>) -> u8 {
    match text.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('\\') => b'\\',
        Some('x') => {
            let digits: String = text.take(2).collect();
            u8::from_str_radix(&digits, 16).expect("two digits")
        }
        other => panic!("an escape that is none: {other:?}"),
    }
}
