//! Skips over the chunked coding of a body (RFC 9112, section 7.1), however it is cut into pieces.

use super::ProtocolError;

/// How long the line before a chunk, with its extensions, and all trailers together may be, in bytes.
const LONGEST: usize = 64 * 1024;

/// Where in the coding the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the digits of a size, of which there were so many.
    Size { size: u64, digits: u32 },
    /// In what follows the digits, after so many bytes.
    Extension { size: u64, length: usize },
    /// Before the end of the line with a size.
    SizeEnd { size: u64 },
    /// In a chunk, of which so much is to come.
    Data { left: u64 },
    /// Before the carriage return after a chunk.
    DataReturn,
    /// Before the end of that line.
    DataEnd,
    /// At the start of a line of the trailers, after so many bytes of them.
    TrailerStart { length: usize },
    /// In such a line.
    Trailer { length: usize },
    /// Before the end of the body.
    LastEnd,
}

impl Chunks {
    /// Before the first size.
    pub(super) const START: Self = Self::Size { size: 0, digits: 0 };

    /// Goes through what was read, and gives the data to `data`. Says how many bytes were the body's if it ended.
    pub(super) fn feed(
        &mut self,
        read: &[u8],
        mut data: impl FnMut(&[u8]),
    ) -> Result<Option<usize>, ProtocolError> {
        let mut at = 0;
        while at < read.len() {
            if let Self::Data { left } = self {
                let rest = &read[at..];
                let length = usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                data(&rest[..length]);
                at += length;
                *left -= length as u64;
                if *left == 0 {
                    *self = Self::DataReturn;
                }
                continue;
            }
            let ended = *self == Self::LastEnd;
            *self = self.after(read[at])?;
            at += 1;
            if ended {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Where the next byte is after this one.
    fn after(self, byte: u8) -> Result<Self, ProtocolError> {
        Ok(match (self, byte) {
            (Self::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let size = size.checked_mul(16).ok_or(ProtocolError::Chunks)?;
                Self::Size {
                    size: size + u64::from(digit),
                    digits: digits.saturating_add(1),
                }
            }
            (Self::Size { digits: 0, .. }, _) => return Err(ProtocolError::Chunks),
            (Self::Size { size, .. } | Self::Extension { size, .. }, b'\r') => {
                Self::SizeEnd { size }
            }
            (Self::Size { size, .. }, b';' | b' ' | b'\t') => Self::Extension { size, length: 0 },
            (Self::Extension { size, length }, _) if byte != b'\n' && length < LONGEST => {
                Self::Extension {
                    size,
                    length: length + 1,
                }
            }
            (Self::SizeEnd { size: 0 }, b'\n') => Self::TrailerStart { length: 0 },
            (Self::SizeEnd { size }, b'\n') => Self::Data { left: size },
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::TrailerStart { .. }, b'\r') => Self::LastEnd,
            (Self::Trailer { length }, b'\n') => Self::TrailerStart { length },
            (Self::TrailerStart { length } | Self::Trailer { length }, _)
                if byte != b'\n' && length < LONGEST =>
            {
                Self::Trailer { length: length + 1 }
            }
            (Self::DataEnd | Self::LastEnd, b'\n') => Self::START,
            _ => return Err(ProtocolError::Chunks),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data, and what is left behind the body; none if it did not end.
    fn read(text: &[u8]) -> Result<Option<(String, usize)>, ProtocolError> {
        let mut data = Vec::new();
        let mut chunks = Chunks::START;
        let end = chunks.feed(text, |part| data.extend_from_slice(part))?;
        let data = String::from_utf8(data).unwrap();
        Ok(end.map(|end| (data, text.len() - end)))
    }

    #[test]
    fn a_body_is_what_its_chunks_have() {
        for (text, data, behind) in [
            ("0\r\n\r\n", "", 0),
            ("3\r\nabc\r\n0\r\n\r\n", "abc", 0),
            ("003;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\nHTTP", "abc", 4),
            ("3 ;a\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", 0),
            (
                "A\r\n0123456789\r\n0\r\na: b\r\nc: d\r\n\r\nx",
                "0123456789",
                1,
            ),
        ] {
            let found = read(text.as_bytes()).unwrap();
            assert_eq!(found, Some((data.to_owned(), behind)), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_the_coding_is_refused_and_what_is_cut_goes_on() {
        for text in [
            "\r\n",
            ";a\r\n",
            "-1\r\n",
            "0x3\r\n",
            "3\nabc",
            "3\r\nabcd\r\n",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
        for text in [
            "3\r\nabc0\r\n",
            "10000000000000000\r\n",
            "0\r\n\n",
            "0\r\n\rx",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
        for text in ["", "3", "3\r\nab", "3\r\nabc\r\n", "0\r\n", "0\r\na: b\r\n"] {
            assert_eq!(read(text.as_bytes()).unwrap(), None, "{text:?}");
        }
        let endless = [&b"1;"[..], &b"a".repeat(LONGEST + 1)].concat();
        assert!(read(&endless).is_err());
        let trailers = [&b"0\r\n"[..], &b"a: b\r\n".repeat(LONGEST / 4)].concat();
        assert!(read(&trailers).is_err());
    }
}
