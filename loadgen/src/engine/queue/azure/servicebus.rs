//! Queues and topics of Azure Service Bus, by its REST interface:
//! <https://learn.microsoft.com/rest/api/servicebus/service-bus-runtime-rest>.
//!
//! Who asks for a message waits for it as long as it says, so completions come without delay. Each request takes one,
//! so there are several at a time, as long as there are messages that are not completed.

use std::rc::Rc;
use std::time::Duration;

use ebbtide_brokers::azure::Namespace;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::{Method, StatusCode, Url};

use super::http::{Answer, Http, Request};
use crate::clock::now;
use crate::engine::queue::Failed;
use crate::engine::queue::broker::marked;
use crate::plan::{QueueTls, Secret};
use crate::record::outcome::FailureKind;

/// How many messages are sent at once.
const SENDING: usize = 256;
/// How many requests for completions wait at once.
const RECEIVING: usize = 16;
/// How long each waits for one.
const WAIT: Duration = Duration::from_secs(20);
/// How long the first one does, which asks whether the queue is there.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How much longer an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The version of management that is spoken.
const VERSION: &str = "api-version=2021-05";
/// What makes a queue that is as the service would have it.
const DESCRIPTION: &str = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content type=\"application/xml\">\
     <QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"/></content></entry>";
const ENTRY: &str = "application/atom+xml;type=entry;charset=utf-8";

/// A queue or topic. Clones share the connections.
#[derive(Clone)]
struct Entity {
    namespace: Rc<Namespace>,
    http: Http,
    name: Rc<str>,
}

impl Entity {
    fn open(connection: &Secret, name: &str, tls: &QueueTls, most: usize) -> Result<Self, String> {
        let namespace = Namespace::from_connection(connection.reveal());
        let namespace = namespace.map_err(|error| format!("the connection string {error}"))?;
        let http = Http::open(namespace.url(name, &[]).as_str(), tls, most)?;
        Ok(Self {
            namespace: Rc::new(namespace),
            http,
            name: name.into(),
        })
    }

    fn request(&self, method: Method, mut url: Url, query: Option<&str>) -> Request {
        let authorization = self.namespace.authorization(&url, now());
        url.set_query(query);
        Request {
            method,
            url: url.into(),
            headers: vec![("authorization", authorization)],
            body: Vec::new(),
            patience: None,
        }
    }

    /// A request that manages the entity.
    fn manage(&self, method: Method) -> Request {
        self.request(method, self.namespace.url(&self.name, &[]), Some(VERSION))
    }

    /// What is said of an answer that is none of these.
    fn check(&self, answer: &Answer, good: &[StatusCode]) -> Result<(), String> {
        if good.contains(&answer.status) {
            return Ok(());
        }
        // What the service says at length may have a signature in it.
        let hint = match answer.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(format!("Service Bus has no queue or topic {}", self.name));
            }
            StatusCode::UNAUTHORIZED => ": the credentials are not accepted, or not for this",
            StatusCode::FORBIDDEN => ": it is full, or the message is too large",
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => ": it is busy",
            _ => "",
        };
        Err(format!("Service Bus answers {}{hint}", answer.status))
    }
}

/// What sends messages to a queue or topic.
#[derive(Clone)]
pub(in crate::engine::queue) struct Sender(Entity);

impl Sender {
    /// Looks whether it is there, where the policy may know that.
    pub(in crate::engine::queue) async fn open(
        connection: &Secret,
        entity: &str,
        tls: &QueueTls,
    ) -> Result<Self, String> {
        let entity = Entity::open(connection, entity, tls, SENDING)?;
        let answer = entity.http.ask(entity.manage(Method::GET)).await;
        let answer = answer.map_err(in_words)?;
        // Who may only send is told so.
        entity.check(&answer, &[StatusCode::OK, StatusCode::UNAUTHORIZED])?;
        if answer.status == StatusCode::OK && !is_description(&answer.body) {
            return Err(format!("Service Bus has no queue or topic {}", entity.name));
        }
        Ok(Self(entity))
    }

    pub(in crate::engine::queue) async fn send(
        &self,
        marker: &str,
        body: &[u8],
    ) -> Result<(), Failed> {
        let url = self.0.namespace.url(&self.0.name, &["messages"]);
        let mut request = self.0.request(Method::POST, url, None);
        request.body = marked(marker, body);
        let answer = self.0.http.ask(request).await?;
        let sent = self.0.check(&answer, &[StatusCode::CREATED]);
        sent.map_err(|why| (FailureKind::Protocol, why))
    }
}

/// Whether an answer describes a queue or topic. Where there is none, it is a list of nothing.
fn is_description(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("QueueDescription") || text.contains("TopicDescription")
}

/// One request for a completion.
type Asking = LocalBoxFuture<'static, Result<Option<Vec<u8>>, String>>;

/// A queue to which workers send markers.
pub(in crate::engine::queue) struct Completions {
    queue: Entity,
    asking: FuturesUnordered<Asking>,
    /// What came when it was asked whether the queue is there.
    first: Option<Vec<u8>>,
}

impl Completions {
    /// Makes the queue, if it is not there and the policy may do so.
    pub(in crate::engine::queue) async fn open(
        connection: &Secret,
        queue: &str,
        tls: &QueueTls,
    ) -> Result<Self, String> {
        let queue = Entity::open(connection, queue, tls, RECEIVING)?;
        let answer = queue.http.ask(receive(&queue, FIRST_WAIT)).await;
        let answer = answer.map_err(in_words)?;
        let mut first = None;
        match answer.status {
            StatusCode::OK => first = Some(answer.body),
            StatusCode::NOT_FOUND | StatusCode::GONE => make(&queue).await?,
            _ => queue.check(&answer, &[StatusCode::NO_CONTENT])?,
        }
        Ok(Self {
            queue,
            asking: FuturesUnordered::new(),
            first,
        })
    }

    /// A completion, or none after a while. Whoever gives this up loses nothing.
    pub(in crate::engine::queue) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        if let Some(first) = self.first.take() {
            return Ok(vec![first]);
        }
        while self.asking.len() < RECEIVING {
            self.asking.push(ask(self.queue.clone()).boxed_local());
        }
        match self.asking.next().await {
            Some(answer) => Ok(answer?.into_iter().collect()),
            None => Ok(Vec::new()),
        }
    }
}

/// Takes the first message away, as soon as there is one.
fn receive(queue: &Entity, wait: Duration) -> Request {
    let url = queue.namespace.url(&queue.name, &["messages", "head"]);
    let query = format!("timeout={}", wait.as_secs());
    let mut request = queue.request(Method::DELETE, url, Some(&query));
    request.patience = Some(wait + PATIENCE);
    request
}

async fn ask(queue: Entity) -> Result<Option<Vec<u8>>, String> {
    let answer = queue.http.ask(receive(&queue, WAIT)).await;
    let answer = answer.map_err(in_words)?;
    queue.check(&answer, &[StatusCode::OK, StatusCode::NO_CONTENT])?;
    Ok((answer.status == StatusCode::OK).then_some(answer.body))
}

async fn make(queue: &Entity) -> Result<(), String> {
    let mut request = queue.manage(Method::PUT);
    request.headers.push(("content-type", ENTRY.to_owned()));
    request.body = DESCRIPTION.into();
    let answer = queue.http.ask(request).await.map_err(in_words)?;
    match answer.status {
        // Somebody else was faster.
        StatusCode::CREATED | StatusCode::CONFLICT => Ok(()),
        status => Err(format!(
            "Service Bus has no queue {}, through which workers give markers back, and it cannot be made ({status}): \
             make it, or give the connection string of a policy that may manage",
            queue.name
        )),
    }
}

fn in_words((_, why): Failed) -> String {
    format!("Service Bus: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_told_from_a_list_of_nothing() {
        for (body, expected) in [
            (
                "<entry><content><QueueDescription/></content></entry>",
                true,
            ),
            (
                "<entry><content><TopicDescription/></content></entry>",
                true,
            ),
            (
                "<feed><title>Publicly Listed Services</title></feed>",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(is_description(body.as_bytes()), expected, "{body}");
        }
    }
}
