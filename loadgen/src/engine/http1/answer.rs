//! Reads answers, however they are cut into pieces, as far as something has to be known of them.

use std::mem::MaybeUninit;
use std::time::Duration;

use httparse::{ParserConfig, Response, Status};

use super::ProtocolError;
use super::chunks::Chunks;
use crate::engine::rules::{Found, Rules};

/// How long a head may be, in bytes, and how many headers it may have.
const LONGEST_HEAD: usize = 64 * 1024;
const HEADERS: usize = 128;

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    place: Place,
    /// The start of a head that is not complete.
    head: Vec<u8>,
    pub(super) status: u16,
    /// Of the body, without its coding.
    pub(super) bytes: u64,
    /// When its first byte had come.
    pub(super) first_byte: Option<Duration>,
    /// Whether the connection may carry another request.
    pub(super) keeps: bool,
    /// Whether the server says that it closes the connection.
    pub(super) closes: bool,
    pub(super) found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    /// In a body of which so much is to come.
    Length(u64),
    Chunked(Chunks),
    /// In a body that ends with the connection.
    UntilClose,
}

/// What has come of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is more to come.
    More,
    /// The answer is complete.
    Complete,
}

impl Reading {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Head,
            head: Vec::new(),
            status: 0,
            bytes: 0,
            first_byte: None,
            keeps: true,
            closes: false,
            found: Found::default(),
        }
    }

    /// Begins with the next answer.
    pub(super) fn next(&mut self, rules: &Rules) {
        self.place = Place::Head;
        self.head.clear();
        self.bytes = 0;
        self.first_byte = None;
        self.keeps = true;
        self.closes = false;
        self.found.clear(rules);
    }

    /// Whether nothing of the answer has come.
    pub(super) fn is_untouched(&self) -> bool {
        self.first_byte.is_none()
    }

    /// Takes what was read at `now`. `to_head` says that the request was `HEAD`, whose answer has no body.
    pub(super) fn feed(
        &mut self,
        rules: &Rules,
        to_head: bool,
        mut read: &[u8],
        now: Duration,
    ) -> Result<Progress, ProtocolError> {
        self.first_byte.get_or_insert(now);
        while self.place == Place::Head {
            match self.read_head(rules, to_head, read)? {
                None => return Ok(Progress::More),
                Some(length) => read = &read[length..],
            }
            if self.status < 200 {
                // Nothing of the answer itself has come.
                self.first_byte = (!read.is_empty()).then_some(now);
                self.found.clear(rules);
                if read.is_empty() {
                    return Ok(Progress::More);
                }
            }
        }
        self.read_body(rules, read)
    }

    /// What the end of the connection makes of it.
    pub(super) fn close(&mut self) -> Progress {
        self.keeps = false;
        match self.place {
            Place::UntilClose => Progress::Complete,
            _ => Progress::More,
        }
    }

    /// Takes the head out of what was read, and says how much of that it was; none if it is not complete.
    fn read_head(
        &mut self,
        rules: &Rules,
        to_head: bool,
        read: &[u8],
    ) -> Result<Option<usize>, ProtocolError> {
        let before = self.head.len();
        if before == 0 {
            let head = self.parse_head(rules, to_head, read)?;
            if head.is_none() {
                self.keep_head(read)?;
            }
            return Ok(head);
        }
        self.keep_head(read)?;
        // A head ends with the end of a line.
        if !read.contains(&b'\n') {
            return Ok(None);
        }
        let kept = std::mem::take(&mut self.head);
        let head = self.parse_head(rules, to_head, &kept);
        self.head = kept;
        let Some(length) = head? else {
            return Ok(None);
        };
        self.head.clear();
        Ok(Some(length - before))
    }

    fn keep_head(&mut self, read: &[u8]) -> Result<(), ProtocolError> {
        self.head.extend_from_slice(read);
        match self.head.len() {
            length if length > LONGEST_HEAD => Err(ProtocolError::LongHead),
            _ => Ok(()),
        }
    }

    fn parse_head(
        &mut self,
        rules: &Rules,
        to_head: bool,
        bytes: &[u8],
    ) -> Result<Option<usize>, ProtocolError> {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS];
        let mut response = Response::new(&mut []);
        let parser = ParserConfig::default();
        let parsed =
            parser.parse_response_with_uninit_headers(&mut response, bytes, &mut headers)?;
        let Status::Complete(length) = parsed else {
            return Ok(None);
        };
        self.status = response.code.unwrap_or_default();
        let mut framing = Framing::default();
        for header in response.headers.iter() {
            framing.header(header)?;
            self.found.header(rules, header.name, header.value);
        }
        self.keeps = framing.keeps(response.version == Some(1));
        self.closes = framing.close;
        if self.status == 101 {
            return Err(ProtocolError::Upgrade);
        }
        if self.status >= 200 {
            self.place = framing.place(to_head || matches!(self.status, 204 | 304));
            self.keeps &= self.place != Place::UntilClose;
        }
        Ok(Some(length))
    }

    fn read_body(&mut self, rules: &Rules, read: &[u8]) -> Result<Progress, ProtocolError> {
        let used = match &mut self.place {
            Place::Head => None,
            Place::UntilClose => {
                self.bytes += read.len() as u64;
                self.found.body(rules, read);
                None
            }
            Place::Length(left) => {
                let length = usize::try_from(*left).map_or(read.len(), |left| left.min(read.len()));
                *left -= length as u64;
                self.bytes += length as u64;
                self.found.body(rules, &read[..length]);
                (*left == 0).then_some(length)
            }
            Place::Chunked(chunks) => {
                let (bytes, found) = (&mut self.bytes, &mut self.found);
                chunks.feed(read, |data| {
                    *bytes += data.len() as u64;
                    found.body(rules, data);
                })?
            }
        };
        let Some(used) = used else {
            return Ok(Progress::More);
        };
        // What comes unasked belongs to no request.
        self.keeps &= used == read.len();
        Ok(Progress::Complete)
    }
}

/// What the headers say of where the body ends (RFC 9112, section 6.3) and of the connection.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    coding: Coding,
    close: bool,
    keep_alive: bool,
}

/// What the body is coded in for its transfer.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Coding {
    #[default]
    None,
    /// Chunks, last of all.
    Chunked,
    /// Something whose end only the connection's end tells.
    Other,
}

impl Framing {
    fn header(&mut self, header: &httparse::Header<'_>) -> Result<(), ProtocolError> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            14 if is("content-length") => self.take_length(header.value),
            17 if is("transfer-encoding") => {
                let last = tokens(header.value).last();
                let chunked = last.is_some_and(|it| it.eq_ignore_ascii_case(b"chunked"));
                self.coding = if chunked {
                    Coding::Chunked
                } else {
                    Coding::Other
                };
                Ok(())
            }
            10 if is("connection") => {
                for token in tokens(header.value) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), ProtocolError> {
        for token in tokens(value) {
            let is_number = !token.is_empty() && token.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(token).ok().filter(|_| is_number);
            let length = length.and_then(|length| length.parse().ok());
            let length = length.ok_or(ProtocolError::Length)?;
            if self.length.is_some_and(|before| before != length) {
                return Err(ProtocolError::Length);
            }
            self.length = Some(length);
        }
        Ok(())
    }

    fn keeps(&self, is_http_1_1: bool) -> bool {
        let ambiguous = self.coding != Coding::None && self.length.is_some();
        !self.close && !ambiguous && (is_http_1_1 || self.keep_alive)
    }

    fn place(&self, is_empty: bool) -> Place {
        match (self.coding, self.length) {
            _ if is_empty => Place::Length(0),
            (Coding::Chunked, _) => Place::Chunked(Chunks::START),
            (Coding::None, Some(length)) => Place::Length(length),
            _ => Place::UntilClose,
        }
    }
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests;
