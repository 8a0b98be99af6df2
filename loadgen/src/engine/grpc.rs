//! gRPC over HTTP/2: how the answer to a call is read. What is sent is the same in all calls, and is encoded before.
//!
//! The protocol is that of gRPC's "PROTOCOL-HTTP2" document.

mod messages;
mod status;

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use self::messages::Messages;
use super::http2::{Failed, broken, read_body};
use super::rules::{Found, Rules};
use crate::clock::RunClock;
use crate::plan::Answers;
use crate::record::outcome::FailureKind;

/// A call that has been sent.
pub(super) struct Call<'a> {
    answers: Answers,
    clock: RunClock,
    rules: &'a Rules,
}

/// What came of it.
pub(super) struct Read {
    /// Of messages and what is before each.
    pub(super) bytes: u64,
    /// When the first message had come; none if none did.
    pub(super) first_message: Option<Duration>,
}

impl<'a> Call<'a> {
    pub(super) fn new(answers: Answers, clock: RunClock, rules: &'a Rules) -> Self {
        Self {
            answers,
            clock,
            rules,
        }
    }

    /// Reads the answer to its trailers.
    pub(super) async fn read(
        &self,
        response: Response<Incoming>,
        found: &mut Found,
    ) -> Result<Read, Failed> {
        let (head, mut body) = response.into_parts();
        if head.status != StatusCode::OK && !head.headers.contains_key(status::HEADER) {
            let status = head.status.as_u16();
            found.failed_call(format!("the status is {status}, without one of gRPC"));
            let bytes = read_body(body, self.rules, found).await?;
            let first_message = None;
            return Ok(Read {
                bytes,
                first_message,
            });
        }
        check_type(&head.headers)?;
        let mut read = Read {
            bytes: 0,
            first_message: None,
        };
        let mut messages = Messages::default();
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let frame = match frame.into_data() {
                Ok(data) => {
                    read.bytes += data.len() as u64;
                    let fed = messages.feed(&data, |part| found.body(self.rules, part));
                    fed.map_err(|error| wrong(error.to_string()))?;
                    if messages.complete() > 0 {
                        let clock = self.clock;
                        read.first_message.get_or_insert_with(|| clock.elapsed());
                    }
                    continue;
                }
                Err(frame) => frame,
            };
            trailers = frame.into_trailers().ok();
        }
        if let Some(trailers) = &trailers {
            found.headers(self.rules, trailers);
        }
        // A call that fails at once has its status among the headers.
        let ends = [trailers.as_ref(), Some(&head.headers)];
        let mut ends = ends.into_iter().flatten();
        let end = ends.find(|end| end.contains_key(status::HEADER));
        let end = end.ok_or_else(|| wrong("the answer has no grpc-status".to_owned()))?;
        match status::failure(end) {
            Some(why) => found.failed_call(why),
            None => self.check(&messages)?,
        }
        Ok(read)
    }

    /// Whether a call that succeeded has the messages that it is to have.
    fn check(&self, messages: &Messages) -> Result<(), Failed> {
        if !messages.is_whole() {
            return Err(wrong("the answer ends within a message".to_owned()));
        }
        let count = messages.complete();
        if self.answers == Answers::One && count != 1 {
            let why = format!("the answer is to be one message, and has {count}");
            return Err(wrong(why));
        }
        Ok(())
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Failed> {
    let given = headers.get(header::CONTENT_TYPE);
    let is_grpc = given.is_some_and(|given| given.as_bytes().starts_with(b"application/grpc"));
    if is_grpc {
        return Ok(());
    }
    let given = given.map_or("none".into(), |given| {
        String::from_utf8_lossy(given.as_bytes())
    });
    Err(wrong(format!(
        "the answer is none of gRPC: its content-type is {given}"
    )))
}

fn wrong(why: String) -> Failed {
    (FailureKind::Protocol, why)
}
