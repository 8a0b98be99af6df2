//! What a path means.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::answer::Refused;
use crate::broker::{Name, Source, Token};

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/$standin/…`: the stand-in itself.
    Control(String),
    /// `/{entity}/messages`: where to send to.
    Messages(Name),
    /// `/{source}/messages/head`: the first message.
    Head(Source),
    /// `/{source}/messages/{message}/{lock}`: a locked message.
    Locked(Source, String, Token),
    /// `/$Resources/queues`.
    Queues,
    /// `/$Resources/topics`.
    Topics,
    /// `/{topic}/subscriptions`.
    Subscriptions(Name),
    /// `/{entity}`.
    Entity(Name),
    /// `/{topic}/subscriptions/{subscription}`.
    Subscription(Name, Name),
}

impl Route {
    /// Reads a path. Words of the interface may be in upper or lower case.
    pub(super) fn parse(path: &str) -> Result<Self, Refused> {
        let decode = |segment: &str| {
            let text = percent_decode_str(segment).decode_utf8();
            text.map(Cow::into_owned)
        };
        let segments: Result<Vec<_>, _> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decode)
            .collect();
        let segments = segments.map_err(|_| Refused::bad(format!("'{path}' is not UTF-8")))?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();

        match *segments.as_slice() {
            [] => Err(Refused::bad("name a queue, a topic or /$Resources/queues")),
            [first, ref rest @ ..] if is(first, "$standin") => Ok(Self::Control(rest.join("/"))),
            [first, what] if is(first, "$resources") && is(what, "queues") => Ok(Self::Queues),
            [first, what] if is(first, "$resources") && is(what, "topics") => Ok(Self::Topics),
            [ref entity @ .., last] if is(last, "messages") => {
                Ok(Self::Messages(Name::entity(&entity.join("/"))?))
            }
            [ref from @ .., messages, head] if is(messages, "messages") && is(head, "head") => {
                Ok(Self::Head(source(from)?))
            }
            [ref from @ .., messages, message, lock] if is(messages, "messages") => {
                let token = lock.parse();
                let token =
                    token.map_err(|_| Refused::bad(format!("'{lock}' is no lock token")))?;
                Ok(Self::Locked(source(from)?, message.to_owned(), token))
            }
            [ref topic @ .., last] if !topic.is_empty() && is(last, "subscriptions") => {
                Ok(Self::Subscriptions(Name::entity(&topic.join("/"))?))
            }
            ref path => match source(path)? {
                Source {
                    dead_letters: true, ..
                } => Err(Refused::bad(
                    "a dead-letter queue has no description: its count is in its queue's",
                )),
                Source {
                    entity,
                    subscription,
                    ..
                } => Ok(match subscription {
                    Some(subscription) => Self::Subscription(entity, subscription),
                    None => Self::Entity(entity),
                }),
            },
        }
    }

    /// Whether it is about messages rather than about entities.
    pub(super) fn is_for_messages(&self) -> bool {
        matches!(self, Self::Messages(_) | Self::Head(_) | Self::Locked(..))
    }
}

fn is(segment: &str, word: &str) -> bool {
    segment.eq_ignore_ascii_case(word)
}

fn source(segments: &[&str]) -> Result<Source, Refused> {
    let (segments, dead_letters) = match segments {
        [rest @ .., last] if is(last, "$deadletterqueue") => (rest, true),
        _ => (segments, false),
    };
    let (entity, subscription) = match segments {
        [topic @ .., word, name] if is(word, "subscriptions") => {
            (topic, Some(Name::subscription(name)?))
        }
        _ => (segments, None),
    };
    if entity.iter().any(|segment| is(segment, "subscriptions")) {
        let path = segments.join("/");
        return Err(Refused::bad(format!(
            "'{path}': the stand-in does not model rules"
        )));
    }
    Ok(Source {
        entity: Name::entity(&entity.join("/"))?,
        subscription,
        dead_letters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let entity = |text| Name::entity(text).unwrap();
        let from = |text, subscription: Option<&str>, dead_letters| Source {
            entity: entity(text),
            subscription: subscription.map(|name| Name::subscription(name).unwrap()),
            dead_letters,
        };
        let token: Token = "00000000-0000-0007-0000-000000000001".parse().unwrap();
        let cases = [
            ("/orders", Route::Entity(entity("orders"))),
            ("/folder/orders/", Route::Entity(entity("folder/orders"))),
            ("/folder%2Forders", Route::Entity(entity("folder/orders"))),
            ("/$Resources/queues", Route::Queues),
            ("/$resources/Topics", Route::Topics),
            (
                "/events/Subscriptions",
                Route::Subscriptions(entity("events")),
            ),
            (
                "/events/subscriptions/audit",
                Route::Subscription(entity("events"), Name::subscription("audit").unwrap()),
            ),
            ("/orders/messages", Route::Messages(entity("orders"))),
            (
                "/orders/messages/head",
                Route::Head(from("orders", None, false)),
            ),
            (
                "/orders/$DeadLetterQueue/messages/head",
                Route::Head(from("orders", None, true)),
            ),
            (
                "/events/Subscriptions/audit/messages/head",
                Route::Head(from("events", Some("audit"), false)),
            ),
            (
                "/a/b/subscriptions/audit/$deadletterqueue/messages/head",
                Route::Head(from("a/b", Some("audit"), true)),
            ),
            (
                "/orders/messages/a%20b/00000000-0000-0007-0000-000000000001",
                Route::Locked(from("orders", None, false), "a b".to_owned(), token),
            ),
            ("/$standin/fault", Route::Control("fault".to_owned())),
        ];
        for (path, route) in cases {
            assert_eq!(Route::parse(path).ok(), Some(route), "{path}");
        }
        let refused = [
            "/",
            "/messages",
            "/orders/$DeadLetterQueue",
            "/orders/messages/1/lock",
            "/$Resources/relays",
            "/two words",
            "/%FF",
            "/events/subscriptions/a/rules/b",
        ];
        for path in refused {
            assert!(Route::parse(path).is_err(), "{path}");
        }
    }
}
