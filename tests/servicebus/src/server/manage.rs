//! Describing, creating and deleting entities.

use http::{HeaderMap, StatusCode};

use super::answer::{Answer, Refused, empty, typed};
use super::describe::{Described, Origin, entry, feed, nothing_listed};
use super::description::Description;
use super::shared::{Counters, Shared};
use crate::broker::{Failure, Found, Name, Namespace};

const ENTRY: &str = "application/atom+xml;type=entry;charset=utf-8";
const FEED: &str = "application/atom+xml;type=feed;charset=utf-8";
/// How many entities a page has at most, and without `$top`.
const PAGE: usize = 100;

/// The path of an entity: a queue or topic, or a subscription of a topic.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) entity: &'a Name,
    pub(super) subscription: Option<&'a Name>,
}

/// What is listed.
#[derive(Clone, Copy)]
pub(super) enum List<'a> {
    Queues,
    Topics,
    Subscriptions(&'a Name),
}

fn origin<'a>(shared: &'a Shared, authority: &'a str, namespace: &Namespace) -> Origin<'a> {
    Origin {
        authority,
        namespace: &shared.name,
        limits: namespace.limits(),
    }
}

impl Path<'_> {
    fn text(&self) -> String {
        let entity = self.entity;
        self.subscription.map_or_else(
            || entity.to_string(),
            |name| format!("{entity}/Subscriptions/{name}"),
        )
    }

    fn title(&self) -> String {
        self.subscription.unwrap_or(self.entity).to_string()
    }

    fn missing(&self) -> Refused {
        Failure::NoSuchEntity(self.text()).into()
    }
}

pub(super) fn get(shared: &Shared, path: Path<'_>, authority: &str) -> Result<Answer, Refused> {
    Counters::add(&shared.counters.descriptions);
    let described = described(shared, path, authority);
    match described {
        Some(text) => Ok(typed(StatusCode::OK, ENTRY, text)),
        None if shared.missing_is_404 => Err(path.missing()),
        None => {
            let text = shared.read(|_, now| nothing_listed(now));
            Ok(typed(StatusCode::OK, FEED, text))
        }
    }
}

fn described(shared: &Shared, path: Path<'_>, authority: &str) -> Option<String> {
    shared.read(|namespace, now| {
        let origin = origin(shared, authority, namespace);
        let described = match (namespace.find(path.entity, now)?, path.subscription) {
            (found, None) => Described::from(found),
            (Found::Topic(topic), Some(name)) => {
                Described::Subscription(topic.subscriptions().get(name)?)
            }
            (Found::Queue(_), Some(_)) => return None,
        };
        Some(entry(origin, &path.text(), &path.title(), described))
    })
}

/// Creates an entity, or with `If-Match` changes one.
pub(super) fn put(
    shared: &Shared,
    path: Path<'_>,
    (headers, body): (&HeaderMap, &[u8]),
    authority: &str,
) -> Result<Answer, Refused> {
    let update = headers.contains_key(http::header::IF_MATCH);
    let description = Description::read(body)?;
    let name = path.entity;
    shared.change(name, |namespace, now| {
        match (description, path.subscription) {
            (Description::Queue(settings), None) => {
                Ok(namespace.put_queue(name, settings, update, now)?)
            }
            (Description::Topic(time_to_live), None) => {
                Ok(namespace.put_topic(name, time_to_live, update, now)?)
            }
            (Description::Subscription(settings), Some(subscription)) => {
                Ok(namespace.put_subscription(name, subscription, settings, update, now)?)
            }
            (_, None) => Err(Refused::bad(
                "a subscription is put at /{topic}/subscriptions/{name}",
            )),
            (_, Some(_)) => Err(Refused::bad("only a subscription can be put below a topic")),
        }
    })?;
    let text = described(shared, path, authority).ok_or_else(|| path.missing())?;
    let status = if update {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(typed(status, ENTRY, text))
}

pub(super) fn delete(shared: &Shared, path: Path<'_>) -> Result<Answer, Refused> {
    shared.change(path.entity, |namespace, _| match path.subscription {
        Some(name) => namespace.delete_subscription(path.entity, name),
        None => namespace.delete(path.entity),
    })?;
    Ok(empty(StatusCode::OK))
}

pub(super) fn list(
    shared: &Shared,
    list: List<'_>,
    (path, query): (&str, &str),
    authority: &str,
) -> Result<Answer, Refused> {
    Counters::add(&shared.counters.descriptions);
    let skip = number(query, "$skip")?.unwrap_or(0);
    let top = number(query, "$top")?.unwrap_or(PAGE).min(PAGE);
    let (title, mut entries) = shared.read(|namespace, now| {
        let origin = origin(shared, authority, namespace);
        // One more than the page has, to know whether there is a next one.
        let wanted = top.saturating_add(1);
        match list {
            List::Subscriptions(topic) => match namespace.find(topic, now) {
                Some(Found::Topic(found)) => {
                    let page = found.subscriptions().iter().skip(skip).take(wanted);
                    let entries = page.map(|(name, queue)| {
                        let path = format!("{topic}/Subscriptions/{name}");
                        entry(
                            origin,
                            &path,
                            &name.to_string(),
                            Described::Subscription(queue),
                        )
                    });
                    Ok(("Subscriptions", entries.collect::<Vec<_>>()))
                }
                _ => Err(Failure::NoSuchEntity(topic.to_string())),
            },
            List::Queues | List::Topics => {
                let queues = matches!(list, List::Queues);
                let all = namespace.all(now);
                let page = all.filter(|(_, found)| matches!(found, Found::Queue(_)) == queues);
                let entries = page.skip(skip).take(wanted).map(|(name, found)| {
                    let name = name.to_string();
                    entry(origin, &name, &name, found.into())
                });
                Ok((if queues { "Queues" } else { "Topics" }, entries.collect()))
            }
        }
    })?;
    let more = entries.len() > top;
    entries.truncate(top);
    let this = format!("{path}?{query}");
    let next = format!("{path}?$skip={}&$top={top}", skip.saturating_add(top));
    let text = shared.read(|namespace, now| {
        let origin = origin(shared, authority, namespace);
        feed(
            origin,
            title,
            (&this, more.then_some(&*next)),
            &entries,
            now,
        )
    });
    Ok(typed(StatusCode::OK, FEED, text))
}

/// A number of the query, whose key may be percent-encoded.
fn number(query: &str, key: &str) -> Result<Option<usize>, Refused> {
    let decode = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(name, _)| decode(name) == key);
    let wrong = |text: &str| Refused::bad(format!("{key} is '{text}', and has to be a number"));
    value
        .map(|(_, text)| text.parse().map_err(|_| wrong(text)))
        .transpose()
}
