//! Version 1: a line of text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Header, Wrong};

/// What it begins with.
pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// The most bytes of a line, with its end.
const MOST: usize = 107;

/// Reads a header; none if its end has not come.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Header>, Wrong> {
    let seen = &bytes[..bytes.len().min(MOST)];
    let Some(length) = seen.windows(2).position(|two| two == b"\r\n") else {
        if bytes.len() >= MOST {
            return Err(Wrong::Header("its line is longer than 107 bytes"));
        }
        return Ok(None);
    };
    let line = std::str::from_utf8(&seen[SIGNATURE.len()..length]);
    let line = line.map_err(|_| Wrong::Header("its line is no text"))?;
    let client = client(line)?;
    Ok(Some(Header {
        length: length + 2,
        client,
    }))
}

/// Who it names in what follows the signature.
fn client(line: &str) -> Result<Option<IpAddr>, Wrong> {
    let mut words = line.split(' ');
    match words.next() {
        Some("TCP4") => addresses::<Ipv4Addr>(words).map(|source| Some(source.into())),
        Some("TCP6") => addresses::<Ipv6Addr>(words).map(|source| Some(source.into())),
        // The rest of such a line means nothing, whatever it is.
        Some("UNKNOWN") => Ok(None),
        _ => Err(Wrong::Header("its protocol is none of TCP4, TCP6, UNKNOWN")),
    }
}

/// The source of source, destination and their ports.
fn addresses<'a, A: FromStr>(mut words: impl Iterator<Item = &'a str>) -> Result<A, Wrong> {
    let mut next = || words.next().unwrap_or_default();
    let source = next().parse();
    let destination = next().parse::<A>();
    let ports = is_port(next()) && is_port(next());
    match (source, destination, ports, words.next()) {
        (Ok(source), Ok(_), true, None) => Ok(source),
        _ => Err(Wrong::Header(
            "it has to name two addresses of its protocol and two ports",
        )),
    }
}

/// Whether this is a port as it is usually written.
fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<String>, String> {
        match parse(line.as_bytes()) {
            Ok(Some(header)) => Ok(header.client.map(|client| client.to_string())),
            Ok(None) => Err("more".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_line_names_the_client() {
        for (line, client) in [
            (
                "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n",
                Some("192.0.2.1"),
            ),
            (
                "PROXY TCP4 192.0.2.1 10.0.0.1 0 65535\r\nGET /",
                Some("192.0.2.1"),
            ),
            ("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", Some("2001:db8::1")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::f what ever 1\r\n", None),
        ] {
            assert_eq!(read(line), Ok(client.map(str::to_owned)), "{line}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_line_is_refused() {
        for line in [
            "PROXY \r\n",
            "PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY tcp4 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n",
            "PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n",
            "PROXY TCP4 192.0.2.01 10.0.0.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 ::1 1 2\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n\r\n",
        ] {
            assert!(read(line).unwrap_err().contains("is wrong"), "{line}");
        }
    }

    #[test]
    fn a_line_ends_within_its_bound() {
        let line = |length: usize| format!("PROXY UNKNOWN{}", " ".repeat(length - 13));
        assert_eq!(read(&line(106)), Err("more".to_owned()));
        assert_eq!(read(&(line(105) + "\r\n")), Ok(None));
        for long in [line(107), line(106) + "\r\n"] {
            assert!(read(&long).unwrap_err().contains("107 bytes"));
        }
    }
}
