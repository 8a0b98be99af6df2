//! Messages that came.

/// What headers begin with; what follows on the same line is a status.
const VERSION: &[u8] = b"NATS/1.0";

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it was published to.
    pub subject: String,
    /// Where an answer to it goes, if one is wanted.
    pub reply: Option<String>,
    /// Of an answer that is only that, as in HTTP: 503 where nobody listens.
    pub status: Option<u16>,
    /// What it says.
    pub body: Vec<u8>,
}

/// The status in headers that have one, `NATS/1.0 503`.
///
/// A server passes on what a publisher took for headers. So those that are none are no reason to end the connection:
/// a message that did would come again and again.
pub(super) fn status(headers: &[u8]) -> Option<u16> {
    let rest = headers.strip_prefix(VERSION)?;
    let end = rest.iter().position(|byte| *byte == b'\r')?;
    let (line, rest) = rest.split_at(end);
    let (first, digits) = line.split_first()?;
    if *first != b' ' || !rest.starts_with(b"\r\n") {
        return None;
    }
    let digits = digits.split(|byte| *byte == b' ').next()?;
    let is_status = digits.len() == 3 && digits.iter().all(u8::is_ascii_digit);
    is_status.then(|| {
        let digits = digits.iter().map(|digit| u16::from(digit - b'0'));
        digits.fold(0, |number, digit| number * 10 + digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_may_have_a_status() {
        for (headers, expected) in [
            ("NATS/1.0 503\r\n\r\n", Some(503)),
            (
                "NATS/1.0 408 Request Timeout\r\nNats-Pending: 1\r\n\r\n",
                Some(408),
            ),
            ("NATS/1.0\r\nkey: 404\r\n\r\n", None),
            ("NATS/1.0\r\n\r\n", None),
            ("NATS/1.0404\r\n\r\n", None),
            ("NATS/1.0 4040\r\n\r\n", None),
            ("NATS/1.0 +44\r\n\r\n", None),
            ("NATS/1.0 404", None),
            ("NATS/1.0 404\r", None),
            ("NATS/2.0 404\r\n\r\n", None),
            ("odd\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(status(headers.as_bytes()), expected, "{headers:?}");
        }
    }
}
