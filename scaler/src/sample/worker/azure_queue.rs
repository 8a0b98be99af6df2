//! A consumer of a queue of Azure Storage.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use ebbtide_brokers::azure::QueueService;
use reqwest::{Client, Method};
use roxmltree::Document;
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::AzureQueueWorker;
use crate::clock::wall_now;

/// How long to wait before looking again at a queue that has nothing.
const PAUSE: Duration = Duration::from_millis(500);
/// How long nobody else sees a message at least, in seconds, and at most.
const SHORTEST_HOLD: u64 = 30;
const LONGEST_HOLD: u64 = 7 * 24 * 3600;

/// Takes messages until `work` is over.
pub(super) async fn run(of: &AzureQueueWorker, mut work: Work) -> anyhow::Result<()> {
    const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";
    let service = QueueService::from_connection(&variable(CONNECTION)?);
    let queue = Queue {
        client: Client::builder().build()?,
        service: service.map_err(|error| anyhow!("{CONNECTION} {error}"))?,
        name: of.queue.clone(),
        hold: hold(work.time),
    };
    while !work.is_over() {
        match queue.take().await? {
            Some(message) => {
                sleep(work.time).await;
                queue.delete(&message).await?;
                Work::done(&message.id);
            }
            None => work.pause(PAUSE).await,
        }
    }
    Ok(())
}

/// How long nobody else is to see a message, in seconds: much longer than the work takes.
fn hold(work: Duration) -> u64 {
    let twice = work.as_secs().saturating_mul(2);
    twice.clamp(SHORTEST_HOLD, LONGEST_HOLD)
}

struct Queue {
    client: Client,
    service: QueueService,
    name: String,
    hold: u64,
}

/// A message that nobody else sees for a while.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    id: String,
    /// What proves that it was taken.
    receipt: String,
}

impl Queue {
    async fn take(&self) -> anyhow::Result<Option<Message>> {
        let hold = self.hold.to_string();
        let path = [self.name.as_str(), "messages"];
        let answer = self
            .send(&Method::GET, &path, &[("visibilitytimeout", &hold)])
            .await?;
        first(&answer)
    }

    async fn delete(&self, message: &Message) -> anyhow::Result<()> {
        let path = [self.name.as_str(), "messages", &message.id];
        let query = [("popreceipt", message.receipt.as_str())];
        self.send(&Method::DELETE, &path, &query).await.map(drop)
    }

    async fn send(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        let signed = self.service.request(method, path, query, wall_now());
        let mut request = self.client.request(method.clone(), signed.url);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        // There may be a signature in the address.
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        if !status.is_success() {
            bail!(
                "the queue {} cannot be used: {method} is answered {status}",
                self.name
            );
        }
        Ok(answer.text().await.map_err(reqwest::Error::without_url)?)
    }
}

/// The first message of a list, if it has one.
fn first(list: &str) -> anyhow::Result<Option<Message>> {
    let document = Document::parse(list.trim_start_matches('\u{feff}'));
    let document = document.context("the answer is no list of messages")?;
    let mut nodes = document.descendants();
    let Some(message) = nodes.find(|node| node.has_tag_name("QueueMessage")) else {
        return Ok(None);
    };
    let child = |name: &str| {
        let found = message.children().find(|node| node.has_tag_name(name));
        let text = found.and_then(|node| node.text()).map(str::to_owned);
        text.with_context(|| format!("a message has no {name}"))
    };
    Ok(Some(Message {
        id: child("MessageId")?,
        receipt: child("PopReceipt")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_taken() {
        let list = |messages: &str| {
            first(&format!(
                "\u{feff}<?xml version=\"1.0\"?><QueueMessagesList>{messages}</QueueMessagesList>"
            ))
        };
        assert_eq!(list("").unwrap(), None);
        let one =
            "<QueueMessage><MessageId>a</MessageId><PopReceipt>b+/=</PopReceipt></QueueMessage>";
        let message = Message {
            id: "a".to_owned(),
            receipt: "b+/=".to_owned(),
        };
        assert_eq!(list(&one.repeat(2)).unwrap(), Some(message));
        let error = list("<QueueMessage><MessageId>a</MessageId></QueueMessage>").unwrap_err();
        assert_eq!(error.to_string(), "a message has no PopReceipt");
        assert!(first("nonsense").is_err());
    }

    #[test]
    fn a_message_is_held_for_longer_than_the_work_takes() {
        for (work, expected) in [(0, 30), (20, 40), (u64::MAX, LONGEST_HOLD)] {
            assert_eq!(hold(Duration::from_secs(work)), expected);
        }
    }
}
