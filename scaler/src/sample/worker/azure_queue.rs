//! A consumer of a queue of Azure Storage.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use ebbtide_brokers::azure::{QueueMessage, QueueService, Signed};
use reqwest::{Client, Method, StatusCode};
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
                if let Some((completed, marker)) = work.completed.of(&message.text) {
                    // First this: what is done twice is seen, what is not given back would be taken for lost.
                    queue.give_back(completed, marker.as_bytes()).await?;
                }
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

impl Queue {
    async fn take(&self) -> anyhow::Result<Option<QueueMessage>> {
        let hold = self.hold.to_string();
        let (path, query) = (
            [self.name.as_str(), "messages"],
            [("visibilitytimeout", hold.as_str())],
        );
        let answer = self.send(&self.name, &Method::GET, &path, &query).await?;
        let messages = QueueMessage::list(answer.as_bytes()).map_err(anyhow::Error::msg)?;
        Ok(messages.into_iter().next())
    }

    /// Puts a marker into the queue of markers, which has to be there.
    async fn give_back(&self, queue: &str, marker: &[u8]) -> anyhow::Result<()> {
        let (method, body) = (Method::POST, QueueMessage::to_put(marker));
        let path = [queue, "messages"];
        let signed = self
            .service
            .request_with_xml(&method, &path, &[], body.len(), wall_now());
        let given = self.answer(queue, &method, signed, body).await;
        given.map(drop).context("a marker cannot be given back")
    }

    async fn delete(&self, message: &QueueMessage) -> anyhow::Result<()> {
        let path = [self.name.as_str(), "messages", &message.id];
        let query = [("popreceipt", message.receipt.as_str())];
        let deleted = self.send(&self.name, &Method::DELETE, &path, &query);
        deleted.await.map(drop)
    }

    async fn send(
        &self,
        queue: &str,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        let signed = self.service.request(method, path, query, wall_now());
        self.answer(queue, method, signed, String::new()).await
    }

    async fn answer(
        &self,
        queue: &str,
        method: &Method,
        signed: Signed,
        body: String,
    ) -> anyhow::Result<String> {
        let mut request = self.client.request(method.clone(), signed.url);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        // There may be a signature in the address.
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        match answer.status() {
            StatusCode::NOT_FOUND => bail!("there is no queue {queue}, or a message of it is gone"),
            status if !status.is_success() => {
                bail!("the queue {queue} cannot be used: {method} is answered {status}")
            }
            _ => Ok(answer.text().await.map_err(reqwest::Error::without_url)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_held_for_longer_than_the_work_takes() {
        for (work, expected) in [(0, 30), (20, 40), (u64::MAX, LONGEST_HOLD)] {
            assert_eq!(hold(Duration::from_secs(work)), expected);
        }
    }
}
