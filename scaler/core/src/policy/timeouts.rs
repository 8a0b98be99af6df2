//! How long answers may take.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::document::RouteTimeouts;
use crate::document::tags::{self, Tag};

/// How long a replica may take for an answer. None is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// `ebbtide.firstByteTimeoutSeconds`: from getting a request to the head of its answer. Not for
    /// gRPC, where the head of a stream may come with its first message.
    pub first_byte: Option<Duration>,
    /// `ebbtide.idleTimeoutSeconds`: from one part of an answer's body to the next. Not for streams:
    /// gRPC, server-sent events, and what a connection was switched to.
    pub idle: Option<Duration>,
    /// `ebbtide.requestTimeoutSeconds`: from a request's arrival to its answer's end, waiting included.
    /// Not for streams.
    pub request: Option<Duration>,
}

impl Timeouts {
    pub(super) fn of(tags: &BTreeMap<String, String>) -> Self {
        let timeout = |tag: &Tag, default| match tag.seconds(tags) {
            None => default,
            Some(timeout) => Some(timeout).filter(|timeout| !timeout.is_zero()),
        };
        let default = Self::default();
        Self {
            first_byte: timeout(&tags::FIRST_BYTE_TIMEOUT, default.first_byte),
            idle: timeout(&tags::IDLE_TIMEOUT, default.idle),
            request: timeout(&tags::REQUEST_TIMEOUT, default.request),
        }
    }

    /// These, but for what a route says itself.
    #[must_use]
    pub fn by_route(self, route: RouteTimeouts) -> Self {
        let timeout = |route: Option<u32>, own| match route {
            None => own,
            Some(seconds) => Some(Duration::from_secs(seconds.into())).filter(|it| !it.is_zero()),
        };
        Self {
            first_byte: timeout(route.first_byte, self.first_byte),
            idle: timeout(route.idle, self.idle),
            request: timeout(route.request, self.request),
        }
    }
}

impl Default for Timeouts {
    /// 240 s, which is Azure Container Apps' time for a request, for its head and for each pause, and
    /// no limit for the whole: a download goes on as long as it goes on.
    fn default() -> Self {
        let four_minutes = Some(Duration::from_secs(240));
        Self {
            first_byte: four_minutes,
            idle: four_minutes,
            request: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_as_the_tags_say_and_zero_is_none() {
        let tags = [
            ("ebbtide.firstByteTimeoutSeconds", "0"),
            ("ebbtide.requestTimeoutSeconds", "60"),
        ];
        let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let timeouts = Timeouts::of(&BTreeMap::from(tags));
        let expected = Timeouts {
            first_byte: None,
            idle: Some(Duration::from_secs(240)),
            request: Some(Duration::from_secs(60)),
        };
        assert_eq!(timeouts, expected);
    }
    #[test]
    fn what_a_route_says_comes_first_and_zero_is_none() {
        let route = RouteTimeouts {
            first_byte: Some(0),
            idle: None,
            request: Some(7),
        };
        let expected = Timeouts {
            first_byte: None,
            request: Some(Duration::from_secs(7)),
            ..Timeouts::default()
        };
        assert_eq!(Timeouts::default().by_route(route), expected);
    }
}
