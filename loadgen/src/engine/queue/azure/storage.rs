//! Queues of Azure Storage: <https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api>.
//!
//! The service tells nobody that there is a message. So the queue of completions is asked again and again, as long as
//! there are messages that are not completed.

use std::rc::Rc;
use std::time::Duration;

use ebbtide_brokers::azure::{QueueMessage, QueueService, Signed};
use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::http::{Answer, Http, Request};
use crate::clock::now;
use crate::engine::queue::Failed;
use crate::engine::queue::broker::marked;
use crate::plan::{QueueTls, Secret};
use crate::record::outcome::FailureKind;

/// How many messages are put at once.
const SENDING: usize = 256;
/// How many requests about completions there are at once.
const RECEIVING: usize = 33;
/// The most messages that may be taken at once.
const AT_ONCE: &str = "32";
/// How long nobody else sees completions that were taken, in seconds, which are deleted meanwhile.
const HOLD: &str = "30";
/// How many completions may be being deleted.
const DELETING: usize = 128;
/// How long until a queue without completions is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// A queue. Clones share the connections.
#[derive(Clone)]
struct Queue {
    service: Rc<QueueService>,
    http: Http,
    name: Rc<str>,
}

impl Queue {
    fn open(connection: &Secret, name: &str, tls: &QueueTls, most: usize) -> Result<Self, String> {
        let service = QueueService::from_connection(connection.reveal());
        let service = service.map_err(|error| format!("the connection string {error}"))?;
        let address = service.request(&Method::GET, &[], &[], now()).url;
        Ok(Self {
            service: Rc::new(service),
            http: Http::open(&address, tls, most)?,
            name: name.into(),
        })
    }

    /// The answer to a request about the queue, or about its messages.
    async fn ask(
        &self,
        method: Method,
        below: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Failed> {
        let path = [&[&*self.name], below].concat();
        let signed = self.service.request(&method, &path, query, now());
        self.send(method, signed, Vec::new()).await
    }

    async fn put(&self, text: &[u8]) -> Result<Answer, Failed> {
        let body = QueueMessage::to_put(text);
        let (method, path) = (Method::POST, [&*self.name, "messages"]);
        let signed = self
            .service
            .request_with_xml(&method, &path, &[], body.len(), now());
        self.send(method, signed, body.into_bytes()).await
    }

    async fn send(&self, method: Method, signed: Signed, body: Vec<u8>) -> Result<Answer, Failed> {
        let request = Request {
            method,
            url: signed.url,
            headers: signed.headers,
            body,
            patience: None,
        };
        self.http.ask(request).await
    }

    /// Fails unless the status is one of these.
    fn check(&self, answer: &Answer, good: &[StatusCode]) -> Result<(), String> {
        if good.contains(&answer.status) {
            return Ok(());
        }
        let name = &self.name;
        let code = answer.code.as_deref();
        Err(match (answer.status, code) {
            (StatusCode::NOT_FOUND, None | Some("QueueNotFound")) => {
                format!("Azure Storage has no queue {name}")
            }
            (status, Some(code)) => format!("Azure Storage answers {status}: {code}"),
            (status, None) => format!("Azure Storage answers {status}"),
        })
    }
}

/// What puts messages into a queue.
#[derive(Clone)]
pub(in crate::engine::queue) struct Sender(Queue);

impl Sender {
    /// Looks whether the queue is there.
    pub(in crate::engine::queue) async fn open(
        connection: &Secret,
        queue: &str,
        tls: &QueueTls,
    ) -> Result<Self, String> {
        let queue = Queue::open(connection, queue, tls, SENDING)?;
        let answer = queue.ask(Method::GET, &[], &[("comp", "metadata")]).await;
        let answer = answer.map_err(in_words)?;
        // A shared access signature may be good for adding alone.
        queue.check(&answer, &[StatusCode::OK, StatusCode::FORBIDDEN])?;
        Ok(Self(queue))
    }

    pub(in crate::engine::queue) async fn send(
        &self,
        marker: &str,
        body: &[u8],
    ) -> Result<(), Failed> {
        let answer = self.0.put(&marked(marker, body)).await?;
        let put = self.0.check(&answer, &[StatusCode::CREATED]);
        put.map_err(|why| (FailureKind::Protocol, why))
    }
}

/// A queue into which workers put markers.
pub(in crate::engine::queue) struct Completions {
    queue: Queue,
    deleting: JoinSet<Result<(), String>>,
    /// The queue had nothing when it was asked last.
    was_empty: bool,
}

impl Completions {
    /// Makes the queue, if it is not there.
    pub(in crate::engine::queue) async fn open(
        connection: &Secret,
        queue: &str,
        tls: &QueueTls,
    ) -> Result<Self, String> {
        let queue = Queue::open(connection, queue, tls, RECEIVING)?;
        let answer = queue.ask(Method::PUT, &[], &[]).await.map_err(in_words)?;
        let is_there = answer.code.as_deref() == Some("QueueAlreadyExists");
        if !is_there {
            let made = queue.check(&answer, &[StatusCode::CREATED, StatusCode::NO_CONTENT]);
            made.map_err(|why| format!("the queue {} cannot be made: {why}", queue.name))?;
        }
        Ok(Self {
            queue,
            deleting: JoinSet::new(),
            was_empty: false,
        })
    }

    /// What the queue has. Whoever gives this up loses nothing.
    pub(in crate::engine::queue) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        while self.deleting.len() >= DELETING {
            deleted(self.deleting.join_next().await)?;
        }
        while let Some(ended) = self.deleting.try_join_next() {
            deleted(Some(ended))?;
        }
        if self.was_empty {
            sleep(PAUSE).await;
        }
        let query = [("numofmessages", AT_ONCE), ("visibilitytimeout", HOLD)];
        let answer = self.queue.ask(Method::GET, &["messages"], &query).await;
        let answer = answer.map_err(in_words)?;
        self.queue.check(&answer, &[StatusCode::OK])?;
        let messages = QueueMessage::list(&answer.body)?;
        self.was_empty = messages.is_empty();
        let mut texts = Vec::new();
        for message in messages {
            texts.push(message.text);
            let delete = delete(self.queue.clone(), message.id, message.receipt);
            self.deleting.spawn_local(delete);
        }
        Ok(texts)
    }

    /// Waits until what was read is deleted.
    pub(in crate::engine::queue) async fn close(mut self) {
        while self.deleting.join_next().await.is_some() {}
    }
}

async fn delete(queue: Queue, id: String, receipt: String) -> Result<(), String> {
    let query = [("popreceipt", receipt.as_str())];
    let answer = queue.ask(Method::DELETE, &["messages", &id], &query).await;
    // One that is gone is one that nobody gets again.
    let good = [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND];
    queue.check(&answer.map_err(in_words)?, &good)
}

fn deleted(
    ended: Option<Result<Result<(), String>, tokio::task::JoinError>>,
) -> Result<(), String> {
    match ended {
        Some(Ok(Err(why))) => Err(format!("a completion cannot be deleted: {why}")),
        _ => Ok(()),
    }
}

fn in_words((_, why): Failed) -> String {
    format!("Azure Storage: {why}")
}
