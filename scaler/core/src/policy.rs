//! What an app asks of the ingress, beside where its requests go: from its document's `ingress` and
//! from its tags.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::document::ContainerApp;
use crate::document::tags::{self, Tag};

/// What the ingress does with the requests of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPolicy {
    /// `allowInsecure`: whether requests in the clear are answered, where they could be led to HTTPS.
    pub allow_insecure: bool,
    /// `ebbtide.maxConcurrentRequests`: how many requests a replica has at a time; further ones wait
    /// at the door. None if as many as come.
    pub max_concurrent_requests: Option<NonZeroU32>,
    /// How long its answers may take.
    pub timeouts: Timeouts,
    /// Which replicas get fewer requests than others.
    pub preference: Preference,
}

/// Which replicas get fewer requests than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    /// `ebbtide.ejectAfterFailures`: after how many failed requests in a row a replica is ejected for a
    /// while. None is never.
    pub eject_after: Option<NonZeroU32>,
    /// `ebbtide.slowStartSeconds`: how long a new replica gets less than its share. None is not at all.
    pub slow_start: Option<Duration>,
}

impl Preference {
    fn of(tags: &BTreeMap<String, String>) -> Self {
        let slow_start = tags::SLOW_START.seconds(tags);
        Self {
            eject_after: tags::EJECT_AFTER
                .number(tags)
                .map_or(Self::default().eject_after, NonZeroU32::new),
            slow_start: slow_start.filter(|long| !long.is_zero()),
        }
    }
}

impl Default for Preference {
    /// Ejection after five failures, and no slow start.
    fn default() -> Self {
        Self {
            eject_after: NonZeroU32::new(5),
            slow_start: None,
        }
    }
}

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
    fn of(tags: &BTreeMap<String, String>) -> Self {
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

impl RequestPolicy {
    /// What a document asks for.
    pub fn of(app: &ContainerApp) -> Self {
        let ingress = app.configuration.ingress.as_ref();
        Self {
            allow_insecure: ingress.is_some_and(|ingress| ingress.allow_insecure),
            max_concurrent_requests: tags::MAX_CONCURRENT_REQUESTS
                .number(&app.tags)
                .and_then(NonZeroU32::new),
            timeouts: Timeouts::of(&app.tags),
            preference: Preference::of(&app.tags),
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
}
