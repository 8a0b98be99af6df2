//! Reading the description with which an entity is created.

use std::time::Duration;

use roxmltree::{Document, Node};

use super::answer::Refused;
use super::describe::SERVICE_BUS;
use crate::broker::{NEVER, Settings};
use crate::iso8601;

/// What is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Description {
    Queue(Settings),
    /// A topic, with the time to live of its messages.
    Topic(Duration),
    Subscription(Settings),
}

/// Elements that ask for what the stand-in does not model, unless they are empty or `false`.
const NOT_MODELLED: [&str; 5] = [
    "ForwardDeadLetteredMessagesTo",
    "ForwardTo",
    "RequiresDuplicateDetection",
    "RequiresSession",
    "DefaultRuleDescription",
];

impl Description {
    /// Reads the body of a request. What it does not set has the service's defaults.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refused> {
        let text = std::str::from_utf8(body).map_err(|_| Refused::bad("the body is not UTF-8"))?;
        let document = Document::parse(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Refused::bad(format!("the body is not XML: {error}")))?;
        let description = document.descendants().find(|node| {
            let name = node.tag_name();
            name.namespace() == Some(SERVICE_BUS) && name.name().ends_with("Description")
        });
        let description = description.ok_or_else(|| {
            Refused::bad(format!(
                "the body has no QueueDescription, TopicDescription or \
                                  SubscriptionDescription in the namespace {SERVICE_BUS}"
            ))
        })?;
        for name in NOT_MODELLED {
            let element = child(description, name);
            if element.is_some_and(|node| asks(node)) {
                return Err(Refused::bad(format!(
                    "the stand-in does not model {name}: leave it out"
                )));
            }
        }
        match description.tag_name().name() {
            "QueueDescription" => Ok(Self::Queue(settings(description)?)),
            "SubscriptionDescription" => Ok(Self::Subscription(settings(description)?)),
            "TopicDescription" => {
                let time_to_live = duration(description, "DefaultMessageTimeToLive")?;
                Ok(Self::Topic(time_to_live.unwrap_or(NEVER)))
            }
            other => Err(Refused::bad(format!("the stand-in does not model {other}"))),
        }
    }
}

fn settings(description: Node<'_, '_>) -> Result<Settings, Refused> {
    let default = Settings::default();
    let lock_duration = duration(description, "LockDuration")?;
    let default_time_to_live = duration(description, "DefaultMessageTimeToLive")?;
    let max_delivery_count = value(description, "MaxDeliveryCount", "a number", |text| {
        text.parse().ok()
    })?;
    let dead_letter = value(
        description,
        "DeadLetteringOnMessageExpiration",
        "true or false",
        |text| text.parse().ok(),
    )?;
    Ok(Settings {
        lock_duration: lock_duration.unwrap_or(default.lock_duration),
        max_delivery_count: max_delivery_count.unwrap_or(default.max_delivery_count),
        default_time_to_live: default_time_to_live.unwrap_or(default.default_time_to_live),
        dead_letter_on_expiration: dead_letter.unwrap_or(default.dead_letter_on_expiration),
    })
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children()
        .find(|child| child.has_tag_name((SERVICE_BUS, name)))
}

fn asks(node: Node<'_, '_>) -> bool {
    let text = node.text().unwrap_or_default().trim();
    node.has_children() && !text.is_empty() && text != "false"
        || node.children().any(|child| child.is_element())
}

fn duration(description: Node<'_, '_>, name: &str) -> Result<Option<Duration>, Refused> {
    let rule = "a duration like PT1M30S";
    // The longest one is sometimes sent with its last digits rounded up.
    let read = |text: &str| iso8601::parse(text).map(|duration| duration.min(NEVER));
    value(description, name, rule, read)
}

fn value<T>(
    description: Node<'_, '_>,
    name: &str,
    rule: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    let Some(text) = child(description, name).and_then(|node| node.text()) else {
        return Ok(None);
    };
    let wrong = || Refused::bad(format!("{name} is '{text}', and has to be {rule}"));
    read(text.trim()).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(description: &str) -> Result<Description, Refused> {
        let body = format!(
            "<?xml version=\"1.0\"?><entry xmlns=\"http://www.w3.org/2005/Atom\">\
             <content type=\"application/xml\">{description}</content></entry>"
        );
        Description::read(body.as_bytes())
    }

    #[test]
    fn descriptions() {
        let xmlns = format!("xmlns=\"{SERVICE_BUS}\"");
        let settings = Settings {
            lock_duration: Duration::from_secs(5),
            max_delivery_count: 3,
            default_time_to_live: Duration::from_hours(24),
            dead_letter_on_expiration: true,
        };
        let cases = [
            (
                format!("<QueueDescription {xmlns}/>"),
                Description::Queue(Settings::default()),
            ),
            (
                format!(
                    "<SubscriptionDescription {xmlns}><LockDuration>PT5S</LockDuration>\
                     <RequiresSession>false</RequiresSession><DefaultMessageTimeToLive> P1D \
                     </DefaultMessageTimeToLive><DeadLetteringOnMessageExpiration>true\
                     </DeadLetteringOnMessageExpiration><MaxDeliveryCount>3</MaxDeliveryCount>\
                     <ForwardTo/></SubscriptionDescription>"
                ),
                Description::Subscription(settings),
            ),
            (
                format!(
                    "<b:TopicDescription xmlns:b=\"{SERVICE_BUS}\"><b:DefaultMessageTimeToLive>\
                     P10675199DT2H48M5.477581S</b:DefaultMessageTimeToLive></b:TopicDescription>"
                ),
                Description::Topic(NEVER),
            ),
        ];
        for (xml, description) in cases {
            assert_eq!(read(&xml).unwrap(), description, "{xml}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let inside = |xml: &str| {
            format!("<QueueDescription xmlns=\"{SERVICE_BUS}\">{xml}</QueueDescription>")
        };
        let cases = [
            ("<QueueDescription/>".to_owned(), "no QueueDescription"),
            ("<QueueDescription>".to_owned(), "not XML"),
            (
                inside("<LockDuration>1m</LockDuration>"),
                "LockDuration is '1m'",
            ),
            (
                inside("<MaxDeliveryCount>-1</MaxDeliveryCount>"),
                "MaxDeliveryCount is '-1'",
            ),
            (
                inside("<RequiresSession>true</RequiresSession>"),
                "does not model RequiresSession",
            ),
            (
                inside("<ForwardTo>other</ForwardTo>"),
                "does not model ForwardTo",
            ),
            (
                format!("<RuleDescription xmlns=\"{SERVICE_BUS}\"/>"),
                "model RuleDescription",
            ),
        ];
        for (xml, part) in cases {
            let refused = read(&xml).unwrap_err().to_string();
            assert!(refused.contains(part), "{xml}: {refused}");
        }
    }
}
