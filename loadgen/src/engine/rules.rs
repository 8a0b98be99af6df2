//! What of an answer is kept, and whether it is a right one.

use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use crate::plan::{Check, Target};
use crate::record::outcome::{Answer, Wrong};

/// How much of a body is looked at.
const SAMPLE: usize = 64 * 1024;

/// What a target wants to know of its answers.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Each has to have the status. Without one, anything below 400 is right.
    statuses: Vec<Vec<(u16, u16)>>,
    headers: Vec<(HeaderName, Option<String>)>,
    bodies: Vec<String>,
    counted: Option<HeaderName>,
}

impl Rules {
    pub(crate) fn of(target: &Target) -> Self {
        let http = target.kind.http();
        let mut rules = Self {
            counted: http.and_then(|http| http.count_header.clone()),
            ..Self::default()
        };
        for check in target.checks.iter().cloned() {
            match check {
                Check::Status(ranges) => rules.statuses.push(ranges),
                Check::Header(name, value) => rules.headers.push((name, value)),
                Check::BodyContains(text) => rules.bodies.push(text),
            }
        }
        rules
    }

    fn is_right(&self, status: u16) -> bool {
        let is_in = |ranges: &Vec<(u16, u16)>| {
            let mut ranges = ranges.iter();
            ranges.any(|(first, last)| (*first..=*last).contains(&status))
        };
        if self.statuses.is_empty() {
            status < StatusCode::BAD_REQUEST.as_u16()
        } else {
            self.statuses.iter().all(is_in)
        }
    }
}

/// What was found in an answer. It is used again for the next one, and so keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct Found {
    cold_start: Option<Duration>,
    revision: Name,
    replica: Name,
    counted: Name,
    /// Of each header that is checked.
    seen: Vec<Seen>,
    sample: Vec<u8>,
    /// Why a call of gRPC has failed.
    call: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    AnotherValue,
    Right,
}

/// When the parts of an answer came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) sent: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) ended: Duration,
}

impl Found {
    /// Forgets the answer before.
    pub(crate) fn clear(&mut self, rules: &Rules) {
        self.cold_start = None;
        self.revision.is_there = false;
        self.replica.is_there = false;
        self.counted.is_there = false;
        self.seen.clear();
        self.seen.resize(rules.headers.len(), Seen::Nothing);
        self.sample.clear();
        self.call = None;
    }

    /// Takes a header of the answer.
    pub(crate) fn header(&mut self, rules: &Rules, name: &str, value: &[u8]) {
        match name.len() {
            9 if name.eq_ignore_ascii_case("x-replica") => self.replica.set(value),
            10 if name.eq_ignore_ascii_case("x-revision") => self.revision.set(value),
            13 if name.eq_ignore_ascii_case("server-timing") => {
                self.cold_start = self.cold_start.or_else(|| cold_start(value));
            }
            _ => {}
        }
        let is = |wanted: &HeaderName| wanted.as_str().eq_ignore_ascii_case(name);
        if rules.counted.as_ref().is_some_and(is) {
            self.counted.set(value);
        }
        for ((wanted, expected), seen) in rules.headers.iter().zip(&mut self.seen) {
            let is_right = |expected: &String| expected.as_bytes() == value;
            if is(wanted) && *seen != Seen::Right {
                *seen = if expected.as_ref().is_none_or(is_right) {
                    Seen::Right
                } else {
                    Seen::AnotherValue
                };
            }
        }
    }

    /// Takes all headers of an answer, or its trailers.
    pub(crate) fn headers(&mut self, rules: &Rules, headers: &HeaderMap) {
        for (name, value) in headers {
            self.header(rules, name.as_str(), value.as_bytes());
        }
    }

    /// Takes a part of the body.
    pub(crate) fn body(&mut self, rules: &Rules, data: &[u8]) {
        if !rules.bodies.is_empty() {
            let room = SAMPLE.saturating_sub(self.sample.len()).min(data.len());
            self.sample.extend_from_slice(&data[..room]);
        }
    }

    /// Says that the answer is one of a call that has failed.
    pub(crate) fn failed_call(&mut self, why: String) {
        self.call = Some(why);
    }

    /// The answer, once all of it is there.
    pub(crate) fn answer(&self, rules: &Rules, status: u16, bytes: u64, at: Times) -> Answer<'_> {
        Answer {
            status,
            bytes,
            sent: at.sent,
            first_byte: at.first_byte,
            ended: at.ended,
            cold_start: self.cold_start,
            revision: self.revision.get(),
            replica: self.replica.get(),
            counted: self.counted.get(),
            wrong: self.wrong(rules, status),
        }
    }

    fn wrong(&self, rules: &Rules, status: u16) -> Option<Wrong> {
        if let Some(why) = &self.call {
            return Some(Wrong::Call(why.clone()));
        }
        if !rules.is_right(status) {
            return Some(Wrong::Status);
        }
        for ((name, expected), seen) in rules.headers.iter().zip(&self.seen) {
            let why = match (seen, expected) {
                (Seen::Right, _) => continue,
                (Seen::AnotherValue, Some(value)) => format!("the header {name} is not `{value}`"),
                _ => format!("there is no header {name}"),
            };
            return Some(Wrong::Check(why));
        }
        let text = rules.bodies.iter().find(|text| !self.has(text))?;
        Some(Wrong::Check(format!("the body does not contain `{text}`")))
    }

    fn has(&self, text: &str) -> bool {
        let text = text.as_bytes();
        text.is_empty() || self.sample.windows(text.len()).any(|part| part == text)
    }
}

/// A name that an answer may have.
#[derive(Debug, Default)]
struct Name {
    text: String,
    is_there: bool,
}

impl Name {
    fn set(&mut self, value: &[u8]) {
        self.text.clear();
        for part in value.utf8_chunks() {
            self.text.push_str(part.valid());
            if !part.invalid().is_empty() {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.is_there = true;
    }

    fn get(&self) -> Option<&str> {
        self.is_there.then_some(&self.text)
    }
}

/// What a value of `Server-Timing` says of a wait for a replica: `coldstart;dur=MS`.
fn cold_start(value: &[u8]) -> Option<Duration> {
    let metrics = std::str::from_utf8(value).ok()?.split(',');
    metrics
        .map(|metric| metric.split(';'))
        .find_map(|mut parts| {
            let name = parts.next()?.trim();
            if !name.eq_ignore_ascii_case("coldstart") {
                return None;
            }
            let mut parts = parts.filter_map(|part| part.split_once('='));
            let (_, millis) = parts.find(|(key, _)| key.trim().eq_ignore_ascii_case("dur"))?;
            let millis: f64 = millis.trim().trim_matches('"').parse().ok()?;
            Duration::try_from_secs_f64(millis / 1000.0).ok()
        })
}

#[cfg(test)]
mod tests;
