//! NATS: messages go to a subject that a stream of `JetStream` listens to, which acknowledges each; markers come back on
//! another subject. In NATS's own protocol, which is lines of text.

mod place;
mod wire;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, spawn_local};

use self::wire::{Link, Message, Writer};
use super::Failed;
use super::broker::marked;
use crate::plan::{QueueTls, Secret};
use crate::record::outcome::FailureKind;

/// A connection on which messages are published, and their acknowledgements come.
#[derive(Clone)]
pub(super) struct Nats(Rc<Publisher>);

struct Publisher {
    subject: String,
    /// What the subjects of acknowledgements begin with; a number follows.
    inbox: String,
    write: Writer,
    waiting: Rc<RefCell<Waiting>>,
    reader: AbortHandle,
}

/// Messages that the stream has not acknowledged.
#[derive(Default)]
struct Waiting {
    next: u64,
    messages: BTreeMap<u64, oneshot::Sender<Message>>,
    /// Why none will be acknowledged any more.
    broken: Option<String>,
}

impl Nats {
    pub(super) async fn open(url: &Secret, subject: &str, tls: &QueueTls) -> Result<Self, String> {
        let mut link = Link::open(url, tls).await?;
        let inbox = format!("{}.", link.inbox);
        link.subscribe(&format!("{inbox}*")).await?;
        let write = link.writer();
        let waiting = Rc::<RefCell<Waiting>>::default();
        let reading = acknowledge(link, inbox.clone(), Rc::clone(&waiting));
        Ok(Self(Rc::new(Publisher {
            subject: subject.to_owned(),
            inbox,
            write,
            waiting,
            reader: spawn_local(reading).abort_handle(),
        })))
    }

    pub(super) async fn send(&self, marker: &str, body: &[u8]) -> Result<(), Failed> {
        let Publisher { subject, inbox, .. } = &*self.0;
        let (number, acknowledged) = self.0.wait()?;
        let message = marked(marker, body);
        let reply = format!("{inbox}{number}");
        let sent = self.0.write.send(wire::message(subject, &reply, &message));
        sent.map_err(|_| self.0.broken())?;
        let acknowledged = acknowledged.await.map_err(|_| self.0.broken())?;
        stored(&acknowledged).map_err(|why| (FailureKind::Protocol, why))
    }
}

impl Publisher {
    fn wait(&self) -> Result<(u64, oneshot::Receiver<Message>), Failed> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.broken.is_some() {
            drop(waiting);
            return Err(self.broken());
        }
        let number = waiting.next;
        waiting.next += 1;
        let (send, receive) = oneshot::channel();
        waiting.messages.insert(number, send);
        Ok((number, receive))
    }

    fn broken(&self) -> Failed {
        let why = self.waiting.borrow().broken.clone();
        let why = why.unwrap_or_else(|| "NATS: the connection was given up".to_owned());
        (FailureKind::Reset, why)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Hands acknowledgements to those who wait for them, until the connection ends.
async fn acknowledge(mut link: Link, inbox: String, waiting: Rc<RefCell<Waiting>>) {
    loop {
        match link.next().await {
            Ok(message) => {
                let number = message.subject.strip_prefix(&inbox);
                let number = number.and_then(|number| number.parse().ok());
                let who =
                    number.and_then(|number: u64| waiting.borrow_mut().messages.remove(&number));
                if let Some(who) = who {
                    // Its request may have been given up.
                    let _ = who.send(message);
                }
            }
            Err(why) => {
                let mut waiting = waiting.borrow_mut();
                waiting.broken = Some(why);
                waiting.messages.clear();
                return;
            }
        }
    }
}

/// What a stream says to a message.
#[derive(Deserialize)]
struct Acknowledgement {
    seq: Option<u64>,
    error: Option<StreamError>,
}

#[derive(Deserialize)]
struct StreamError {
    description: Option<String>,
}

/// Whether a stream has stored a message, or why not.
fn stored(message: &Message) -> Result<(), String> {
    if message.status == Some(503) {
        return Err("NATS: no stream listens to the subject".to_owned());
    }
    let answer: Result<Acknowledgement, _> = serde_json::from_slice(&message.body);
    match answer {
        Ok(Acknowledgement {
            seq: Some(_),
            error: None,
        }) => Ok(()),
        Ok(Acknowledgement {
            error: Some(error), ..
        }) => {
            let why = error
                .description
                .unwrap_or_else(|| "no reason given".to_owned());
            Err(format!("NATS did not store the message: {why}"))
        }
        _ => Err("NATS: whoever answers is no stream".to_owned()),
    }
}

/// A connection on which markers come back.
pub(super) struct Completions {
    link: Link,
}

impl Completions {
    pub(super) async fn open(url: &Secret, subject: &str, tls: &QueueTls) -> Result<Self, String> {
        let mut link = Link::open(url, tls).await?;
        link.subscribe(subject).await?;
        Ok(Self { link })
    }

    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Ok(vec![self.link.next().await?.body])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_stream_has_stored_is_enqueued() {
        let message = |status: Option<u16>, body: &str| Message {
            subject: "i.1".to_owned(),
            status,
            body: body.as_bytes().to_vec(),
        };
        for (status, body, expected) in [
            (None, "{\"stream\":\"ORDERS\",\"seq\":7}", None),
            (Some(503), "", Some("no stream listens")),
            (
                None,
                "{\"error\":{\"code\":503,\"description\":\"maximum bytes exceeded\"},\"seq\":0}",
                Some("maximum bytes exceeded"),
            ),
            (None, "{}", Some("no stream")),
            (None, "hello", Some("no stream")),
        ] {
            let found = stored(&message(status, body)).err();
            let is_expected = match (&found, expected) {
                (None, None) => true,
                (Some(found), Some(expected)) => found.contains(expected),
                _ => false,
            };
            assert!(is_expected, "{body}: {found:?}");
        }
    }
}
