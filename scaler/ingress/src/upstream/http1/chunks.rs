//! The chunked coding of an answer's body (RFC 9112, section 7.1).

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

use super::Http1Error;
use super::head::number;

/// How long the line before a chunk may be, with its extensions, and all trailers together, in bytes.
const LONGEST_LINE: usize = 4 * 1024;
const LONGEST_TRAILERS: usize = 64 * 1024;

/// How many trailers there may be.
const TRAILERS: usize = 64;

/// Reads chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// The next line says how long a chunk is.
    Line,
    /// So much is to come of a chunk.
    Data(u64),
    /// A chunk has ended, its line has not.
    DataEnd,
    /// The last chunk was there.
    Trailers,
    /// The body has ended.
    End,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    Frame(Frame<Bytes>),
    /// The end of the body.
    End,
    /// There has to be more.
    TooLittle,
}

impl Chunks {
    /// Takes the next part of the body out of what was read.
    pub(super) fn take(&mut self, read: &mut BytesMut) -> Result<Found, Http1Error> {
        loop {
            match self {
                Self::Line => match line(read)? {
                    None => return Ok(Found::TooLittle),
                    Some(0) => *self = Self::Trailers,
                    Some(size) => *self = Self::Data(size),
                },
                Self::Data(_) if read.is_empty() => return Ok(Found::TooLittle),
                Self::Data(left) => {
                    let data = take_of(left, read);
                    if *left == 0 {
                        *self = Self::DataEnd;
                    }
                    return Ok(Found::Frame(Frame::data(data)));
                }
                Self::DataEnd => match read.get(..2) {
                    None => return Ok(Found::TooLittle),
                    Some(b"\r\n") => {
                        read.advance(2);
                        *self = Self::Line;
                    }
                    Some(_) => return Err(Http1Error::Chunks),
                },
                Self::Trailers => {
                    let Some(trailers) = trailers(read)? else {
                        return Ok(Found::TooLittle);
                    };
                    *self = Self::End;
                    if !trailers.is_empty() {
                        return Ok(Found::Frame(Frame::trailers(trailers)));
                    }
                }
                Self::End => return Ok(Found::End),
            }
        }
    }
}

/// Takes the line before a chunk out of what was read, and says how long the chunk is.
fn line(read: &mut BytesMut) -> Result<Option<u64>, Http1Error> {
    let Some(end) = read
        .iter()
        .take(LONGEST_LINE)
        .position(|byte| *byte == b'\n')
    else {
        return if read.len() < LONGEST_LINE {
            Ok(None)
        } else {
            Err(Http1Error::Chunks)
        };
    };
    let size = read[..end].strip_suffix(b"\r").and_then(size);
    read.advance(end + 1);
    size.map(Some).ok_or(Http1Error::Chunks)
}

/// The size that a line says. Extensions mean nothing to us; they have no bytes that could end a line.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (digits, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    let is_known = rest.is_empty() || rest.starts_with(b";");
    let is_text = |byte: &u8| *byte == b'\t' || !byte.is_ascii_control();
    if !is_known || !rest.iter().all(is_text) {
        return None;
    }
    number(digits, 16)
}

/// Takes what was read of something of which so much is left.
pub(super) fn take_of(left: &mut u64, read: &mut BytesMut) -> Bytes {
    let length = usize::try_from(*left).map_or(read.len(), |it| it.min(read.len()));
    *left -= length as u64;
    read.split_to(length).freeze()
}

/// Takes the trailers out of what was read, if all of them are there.
fn trailers(read: &mut BytesMut) -> Result<Option<HeaderMap>, Http1Error> {
    let mut parsed = [httparse::EMPTY_HEADER; TRAILERS];
    let (length, parsed) = match httparse::parse_headers(read, &mut parsed)? {
        httparse::Status::Complete(complete) => complete,
        httparse::Status::Partial if read.len() < LONGEST_TRAILERS => return Ok(None),
        httparse::Status::Partial => return Err(Http1Error::Chunks),
    };
    let mut trailers = HeaderMap::with_capacity(parsed.len());
    for header in parsed {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value);
        trailers.append(
            name.map_err(|_| Http1Error::Header)?,
            value.map_err(|_| Http1Error::Header)?,
        );
    }
    read.advance(length);
    Ok(Some(trailers))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that comes of a body in these pieces: data, trailers, and what is left behind it.
    fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, HeaderMap, Vec<u8>), Http1Error> {
        let (mut chunks, mut read) = (Chunks::Line, BytesMut::new());
        let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
        let mut pieces = pieces.iter();
        loop {
            match chunks.take(&mut read)? {
                Found::End => return Ok((data, trailers, read.to_vec())),
                Found::TooLittle => match pieces.next() {
                    Some(piece) => read.extend_from_slice(piece),
                    None => return Err(Http1Error::Incomplete),
                },
                Found::Frame(frame) => match frame.into_data() {
                    Ok(bytes) => data.extend_from_slice(&bytes),
                    Err(frame) => trailers.extend(frame.into_trailers().unwrap()),
                },
            }
        }
    }

    #[test]
    fn chunks_are_as_the_rfc_has_them() {
        for (text, expected) in [
            ("0\r\n\r\n", Some("")),
            ("3\r\nabc\r\n0\r\n\r\n", Some("abc")),
            ("003;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n", Some("abc")),
            ("3 ;a\r\nabc\r\n0\r\n\r\n", Some("abc")),
            ("A\r\n0123456789\r\n0\r\n\r\n", Some("0123456789")),
            ("\r\n", None),
            (";a\r\nabc", None),
            ("-1\r\n", None),
            ("+3\r\nabc\r\n0\r\n\r\n", None),
            ("0x3\r\nabc\r\n0\r\n\r\n", None),
            ("3\nabc\r\n0\r\n\r\n", None),
            ("3 abc\r\nabc\r\n0\r\n\r\n", None),
            ("3;a\rb\r\nabc\r\n0\r\n\r\n", None),
            ("3\r\nabcd\r\n0\r\n\r\n", None),
            ("3\r\nabc0\r\n\r\n", None),
            ("10000000000000000\r\n", None),
            ("3\r\nab", None),
            ("0\r\nbad trailer\r\n\r\n", None),
        ] {
            let data = read(&[text.as_bytes()]).ok().map(|(data, ..)| data);
            assert_eq!(data.as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let line = [&b"1;"[..], &b"a".repeat(LONGEST_LINE)].concat();
        assert!(matches!(read(&[&line]), Err(Http1Error::Chunks)));
        let trailer = [&b"0\r\nx: "[..], &b"a".repeat(LONGEST_TRAILERS)].concat();
        assert!(matches!(read(&[&trailer]), Err(Http1Error::Chunks)));
        let many = [&b"0\r\n"[..], &b"x: a\r\n".repeat(TRAILERS + 1), b"\r\n"].concat();
        assert!(read(&[&many]).is_err());
    }

    proptest! {
        #[test]
        fn what_was_put_in_chunks_comes_out_of_them(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..8),
            trailer in proptest::option::of("[!-~]{1,10}"),
            behind in proptest::collection::vec(any::<u8>(), 0..10),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        ) {
            let mut text = Vec::new();
            for part in &parts {
                text.extend_from_slice(format!("{:X}\r\n", part.len()).as_bytes());
                text.extend_from_slice(part);
                text.extend_from_slice(b"\r\n");
            }
            let trailers = trailer.as_ref().map(|value| format!("x-sum: {value}\r\n"));
            text.extend_from_slice(format!("0\r\n{}\r\n", trailers.unwrap_or_default()).as_bytes());
            text.extend_from_slice(&behind);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            let (data, trailers, left) = read(&pieces).unwrap();
            prop_assert_eq!(data, parts.concat());
            let said = trailers.get("x-sum").map(|value| value.to_str().unwrap().to_owned());
            prop_assert_eq!(said, trailer);
            prop_assert!(behind.starts_with(&left));
        }

        #[test]
        fn any_bytes_are_chunks_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&[&bytes]);
        }
    }
}
