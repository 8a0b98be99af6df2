//! Entities as ATOM entries, with the elements and namespaces that the service's clients read.

use std::fmt::{self, Display, Write as _};

use jiff::Timestamp;

use super::xml::Escaped;
use crate::broker::{Counts, Dates, Found, Limits, NEVER, Queue, Topic};
use crate::iso8601;

const ATOM: &str = "http://www.w3.org/2005/Atom";
/// The namespace of descriptions.
pub(super) const SERVICE_BUS: &str =
    "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect";
const COUNTS: &str = "http://schemas.microsoft.com/netservices/2011/06/servicebus";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Where an answer comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// The host and port, as the client has them.
    pub(super) authority: &'a str,
    /// The namespace's name.
    pub(super) namespace: &'a str,
    pub(super) limits: Limits,
}

/// An entity's description.
#[derive(Clone, Copy)]
pub(super) enum Described<'a> {
    Queue(&'a Queue),
    Topic(&'a Topic),
    Subscription(&'a Queue),
}

impl<'a> From<Found<'a>> for Described<'a> {
    fn from(found: Found<'a>) -> Self {
        match found {
            Found::Queue(queue) => Self::Queue(queue),
            Found::Topic(topic) => Self::Topic(topic),
        }
    }
}

/// The entry of an entity: its path in the namespace, its own name, its description.
pub(super) fn entry(origin: Origin<'_>, path: &str, title: &str, what: Described<'_>) -> String {
    let (kind, dates) = match what {
        Described::Queue(queue) => ("QueueDescription", queue.dates()),
        Described::Topic(topic) => ("TopicDescription", topic.dates()),
        Described::Subscription(queue) => ("SubscriptionDescription", queue.dates()),
    };
    let description = match what {
        Described::Queue(queue) => described_queue(queue, origin.limits),
        Described::Topic(topic) => described_topic(topic, origin.limits),
        Described::Subscription(queue) => described_subscription(queue),
    };
    let link = format!("https://{}/{path}", origin.authority);
    let (link, title) = (Escaped(&link), Escaped(title));
    let author = Escaped(origin.namespace);
    let (published, updated) = (dates.created, dates.updated);
    format!(
        "<entry xmlns=\"{ATOM}\"><id>{link}</id><title type=\"text\">{title}</title>\
         <published>{published:.0}</published><updated>{updated:.0}</updated>\
         <author><name>{author}</name></author><link rel=\"self\" href=\"{link}\"/>\
         <content type=\"application/xml\">\
         <{kind} xmlns=\"{SERVICE_BUS}\" xmlns:i=\"{INSTANCE}\">{description}</{kind}>\
         </content></entry>"
    )
}

/// A page of entries. `next` is the path and query of the following page, if there is one.
pub(super) fn feed(
    origin: Origin<'_>,
    title: &str,
    (this, next): (&str, Option<&str>),
    entries: &[String],
    now: Timestamp,
) -> String {
    let link = |rel: &str, path: &str| {
        let href = format!("https://{}{path}", origin.authority);
        format!("<link rel=\"{rel}\" href=\"{}\"/>", Escaped(&href))
    };
    let id = format!("https://{}{this}", origin.authority);
    let mut links = link("self", this);
    links.extend(next.map(|path| link("next", path)));
    format!(
        "<feed xmlns=\"{ATOM}\"><title type=\"text\">{title}</title><id>{}</id>\
         <updated>{now:.0}</updated>{links}{}</feed>",
        Escaped(&id),
        entries.concat(),
    )
}

/// What the service answers, with status 200, where there is no such entity.
pub(super) fn nothing_listed(now: Timestamp) -> String {
    format!(
        "<feed xmlns=\"{ATOM}\"><title type=\"text\">Publicly Listed Services</title>\
         <subtitle type=\"text\">Nothing is listed here.</subtitle>\
         <id>uuid:00000000-0000-0000-0000-000000000000;id=0</id><updated>{now:.0}</updated>\
         <generator>Service Bus stand-in</generator></feed>"
    )
}

fn described_queue(queue: &Queue, limits: Limits) -> Elements {
    let settings = queue.settings();
    let mut xml = Elements::default();
    xml.add("LockDuration", iso8601::format(settings.lock_duration));
    xml.add("MaxSizeInMegabytes", limits.bytes >> 20);
    xml.add("RequiresDuplicateDetection", false);
    xml.add("RequiresSession", false);
    xml.add(
        "DefaultMessageTimeToLive",
        iso8601::format(settings.default_time_to_live),
    );
    xml.add(
        "DeadLetteringOnMessageExpiration",
        settings.dead_letter_on_expiration,
    );
    xml.add("DuplicateDetectionHistoryTimeWindow", "PT10M");
    xml.add("MaxDeliveryCount", settings.max_delivery_count);
    xml.add("EnableBatchedOperations", true);
    xml.add("SizeInBytes", queue.bytes());
    xml.add("MessageCount", queue.counts().total());
    xml.add("IsAnonymousAccessible", false);
    xml.add("AuthorizationRules", "");
    xml.add("Status", "Active");
    xml.dates(queue.dates());
    xml.add("SupportOrdering", true);
    xml.counts(queue.counts());
    xml.add("AutoDeleteOnIdle", iso8601::format(NEVER));
    xml.add("EnablePartitioning", false);
    xml.add("EntityAvailabilityStatus", "Available");
    xml.add("EnableExpress", false);
    xml
}

fn described_topic(topic: &Topic, limits: Limits) -> Elements {
    let mut xml = Elements::default();
    xml.add(
        "DefaultMessageTimeToLive",
        iso8601::format(topic.default_time_to_live()),
    );
    xml.add("MaxSizeInMegabytes", limits.bytes >> 20);
    xml.add("RequiresDuplicateDetection", false);
    xml.add("DuplicateDetectionHistoryTimeWindow", "PT10M");
    xml.add("EnableBatchedOperations", true);
    xml.add("SizeInBytes", topic.bytes());
    xml.add("FilteringMessagesBeforePublishing", false);
    xml.add("IsAnonymousAccessible", false);
    xml.add("AuthorizationRules", "");
    xml.add("Status", "Active");
    xml.dates(topic.dates());
    xml.add("SupportOrdering", true);
    xml.counts(Counts {
        scheduled: topic.scheduled(),
        ..Counts::default()
    });
    xml.add("SubscriptionCount", topic.subscriptions().len());
    xml.add("AutoDeleteOnIdle", iso8601::format(NEVER));
    xml.add("EnablePartitioning", false);
    xml.add("EntityAvailabilityStatus", "Available");
    xml.add("EnableSubscriptionPartitioning", false);
    xml.add("EnableExpress", false);
    xml
}

fn described_subscription(queue: &Queue) -> Elements {
    let settings = queue.settings();
    let mut xml = Elements::default();
    xml.add("LockDuration", iso8601::format(settings.lock_duration));
    xml.add("RequiresSession", false);
    xml.add(
        "DefaultMessageTimeToLive",
        iso8601::format(settings.default_time_to_live),
    );
    xml.add(
        "DeadLetteringOnMessageExpiration",
        settings.dead_letter_on_expiration,
    );
    xml.add("DeadLetteringOnFilterEvaluationExceptions", true);
    xml.add("MessageCount", queue.counts().total());
    xml.add("MaxDeliveryCount", settings.max_delivery_count);
    xml.add("EnableBatchedOperations", true);
    xml.add("Status", "Active");
    xml.dates(queue.dates());
    xml.counts(queue.counts());
    xml.add("AutoDeleteOnIdle", iso8601::format(NEVER));
    xml.add("EntityAvailabilityStatus", "Available");
    xml
}

/// Elements one after the other.
#[derive(Default)]
struct Elements(String);

impl Elements {
    fn add(&mut self, name: &str, value: impl Display) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "<{name}>{}</{name}>", Escaped(&value.to_string()));
    }

    fn dates(&mut self, dates: Dates) {
        self.add("CreatedAt", dates.created);
        self.add("UpdatedAt", dates.updated);
        self.add("AccessedAt", dates.accessed);
    }

    fn counts(&mut self, counts: Counts) {
        let _ = write!(self.0, "<CountDetails xmlns:d2p1=\"{COUNTS}\">");
        self.add("d2p1:ActiveMessageCount", counts.active);
        self.add("d2p1:DeadLetterMessageCount", counts.dead_letter);
        self.add("d2p1:ScheduledMessageCount", counts.scheduled);
        self.add("d2p1:TransferMessageCount", 0);
        self.add("d2p1:TransferDeadLetterMessageCount", 0);
        self.0 += "</CountDetails>";
    }
}

impl Display for Elements {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
