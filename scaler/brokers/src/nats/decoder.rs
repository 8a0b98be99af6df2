//! What a server says, from bytes in whatever pieces they come.

use bytes::{Buf as _, BytesMut};

use super::message::{self, Message};
use crate::error::ReadError;

/// The most of a line, in bytes; what servers say of themselves is shorter.
const LONGEST_LINE: usize = 64 << 10;
/// The most of a message with its headers, in bytes; servers take less.
const LONGEST_MESSAGE: usize = 64 << 20;
/// What ends lines and messages.
const END: &[u8] = b"\r\n";
/// How much is read at once, in bytes.
const ROOM: usize = 16 << 10;
/// How much of what is not understood is shown, in letters.
const SHOWN: usize = 60;

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// What it says of itself, in JSON.
    Info(String),
    Message(Message),
    Ping,
    Pong,
    Ok,
    /// Why it refuses something.
    Err(String),
}

/// Takes bytes and gives what they say. It sets nothing aside for as many as the server says there will be.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    buffer: BytesMut,
    /// So many bytes have no end of a line.
    searched: usize,
    /// The message whose line was read.
    announced: Option<Announced>,
}

impl Decoder {
    /// Where bytes that came are appended.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        self.buffer.reserve(ROOM);
        &mut self.buffer
    }

    /// Whether nothing came that was not given yet.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.announced.is_none()
    }

    /// The next operation, if all of it has come.
    ///
    /// # Errors
    /// It is none, or a bound is exceeded. Nothing after that has a meaning.
    pub(super) fn operation(&mut self) -> Result<Option<Operation>, ReadError> {
        let announced = match self.announced.take() {
            Some(announced) => announced,
            None => match self.line()? {
                None => return Ok(None),
                Some(Line::Operation(operation)) => return Ok(Some(operation)),
                Some(Line::Message(announced)) => announced,
            },
        };
        self.message(announced)
    }

    fn line(&mut self) -> Result<Option<Line>, ReadError> {
        let new = self.buffer.iter().skip(self.searched);
        let end = new.copied().position(|byte| byte == b'\n');
        let length = self.searched + end.unwrap_or(self.buffer.len() - self.searched);
        if length > LONGEST_LINE {
            let message = format!("NATS: a line has more than {} KiB", LONGEST_LINE >> 10);
            return Err(ReadError::new(message));
        }
        self.searched = length;
        if end.is_none() {
            return Ok(None);
        }
        let line = self.buffer.get(..length).unwrap_or_default();
        let line = line.strip_suffix(b"\r").ok_or_else(|| nonsense(line))?;
        let line = std::str::from_utf8(line).map_err(|_| nonsense(line))?;
        let line = Line::parse(line)?;
        self.buffer.advance(length + 1);
        self.searched = 0;
        Ok(Some(line))
    }

    fn message(&mut self, announced: Announced) -> Result<Option<Operation>, ReadError> {
        let Announced { headers, all, .. } = announced;
        let came = self.buffer.split_at_checked(all + END.len());
        let Some((message, _)) = came else {
            self.announced = Some(announced);
            return Ok(None);
        };
        let (message, end) = message.split_at(all);
        if end != END {
            let message = format!("NATS: a message is longer than its {all} bytes");
            return Err(ReadError::new(message));
        }
        let (headers, body) = message.split_at(headers);
        let message = Message {
            subject: announced.subject,
            reply: announced.reply,
            status: message::status(headers),
            body: body.to_vec(),
        };
        self.buffer.advance(all + END.len());
        Ok(Some(Operation::Message(message)))
    }
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Operation(Operation),
    /// What follows is a message.
    Message(Announced),
}

/// What the line before a message says of it.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    subject: String,
    reply: Option<String>,
    /// Bytes of its headers, which come first.
    headers: usize,
    /// Bytes of all of it, at least as many.
    all: usize,
}

impl Line {
    fn parse(line: &str) -> Result<Self, ReadError> {
        let (name, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let operation = match name {
            "MSG" | "HMSG" => return Announced::parse(name, rest).map(Self::Message),
            "INFO" => Operation::Info(rest.to_owned()),
            "-ERR" => Operation::Err(rest.trim().to_owned()),
            "PING" => Operation::Ping,
            "PONG" => Operation::Pong,
            "+OK" => Operation::Ok,
            _ => return Err(nonsense(line.as_bytes())),
        };
        Ok(Self::Operation(operation))
    }
}

impl Announced {
    fn parse(name: &str, rest: &str) -> Result<Self, ReadError> {
        let wrong = || nonsense(format!("{name} {rest}").as_bytes());
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The second word is the number of the subscription.
        let (subject, reply, headers, all) = match (name, words.as_slice()) {
            ("MSG", [subject, _, all]) => (subject, None, "0", all),
            ("MSG", [subject, _, reply, all]) => (subject, Some(reply), "0", all),
            ("HMSG", [subject, _, headers, all]) => (subject, None, *headers, all),
            ("HMSG", [subject, _, reply, headers, all]) => (subject, Some(reply), *headers, all),
            _ => return Err(wrong()),
        };
        let (headers, all) = number(headers).zip(number(all)).ok_or_else(wrong)?;
        if all > LONGEST_MESSAGE || headers > all {
            let message = format!("NATS announces a message of {all} bytes");
            return Err(ReadError::new(message));
        }
        Ok(Self {
            subject: (*subject).to_owned(),
            reply: reply.map(|reply| (*reply).to_owned()),
            headers,
            all,
        })
    }
}

/// A number of digits only.
fn number(text: &str) -> Option<usize> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn nonsense(line: &[u8]) -> ReadError {
    let line = String::from_utf8_lossy(line);
    let shown: String = line.chars().take(SHOWN).collect();
    ReadError::new(format!("NATS: this is not of its protocol: {shown:?}"))
}

#[cfg(test)]
mod tests;
