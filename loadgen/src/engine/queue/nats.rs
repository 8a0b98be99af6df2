//! NATS: messages go to a subject that a stream of `JetStream` listens to, which acknowledges each; markers come back on
//! another subject.

mod place;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ebbtide_brokers::nats::jetstream::stored;
use ebbtide_brokers::nats::{Client, Connection, Greeting, Message, Writer};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, spawn_local};

use self::place::Place;
use super::Failed;
use super::broker::marked;
use super::connect::{secured, tcp};
use crate::plan::{QueueTls, Secret};
use crate::record::outcome::FailureKind;

/// What the server calls connections.
const NAME: &str = "loadgen";

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

/// Forgets a message when nobody waits for its acknowledgement any more.
struct Forgets<'a> {
    waiting: &'a RefCell<Waiting>,
    number: u64,
}

impl Nats {
    pub(super) async fn open(url: &Secret, subject: &str, tls: &QueueTls) -> Result<Self, String> {
        let mut connection = connect(url, tls).await?;
        let inbox = format!("{}.", connection.inbox());
        let subscribed = connection.subscribe(&format!("{inbox}*")).await;
        subscribed.map_err(|why| why.to_string())?;
        let write = connection.writer();
        let waiting = Rc::<RefCell<Waiting>>::default();
        let reading = acknowledge(connection, inbox.clone(), Rc::clone(&waiting));
        Ok(Self(Rc::new(Publisher {
            subject: subject.to_owned(),
            inbox,
            write,
            waiting,
            reader: spawn_local(reading).abort_handle(),
        })))
    }

    pub(super) async fn send(&self, marker: &str, body: &[u8]) -> Result<(), Failed> {
        let publisher = &*self.0;
        let (number, acknowledged) = publisher.wait()?;
        let _forgets = Forgets {
            waiting: &publisher.waiting,
            number,
        };
        let message = marked(marker, body);
        let reply = format!("{}{number}", publisher.inbox);
        let write = &publisher.write;
        let sent = write.publish(&publisher.subject, Some(&reply), &message);
        sent.await
            .map_err(|why| publisher.broken(why.to_string()))?;
        let given_up = |_| publisher.broken("NATS: the connection was given up".to_owned());
        let acknowledged = acknowledged.await.map_err(given_up)?;
        stored(&acknowledged).map_err(|why| (FailureKind::Protocol, why.to_string()))
    }
}

impl Publisher {
    fn wait(&self) -> Result<(u64, oneshot::Receiver<Message>), Failed> {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(why) = &waiting.broken {
            return Err((FailureKind::Reset, why.clone()));
        }
        let number = waiting.next;
        waiting.next += 1;
        let (send, receive) = oneshot::channel();
        waiting.messages.insert(number, send);
        Ok((number, receive))
    }

    /// Why nothing comes any more, which who reads knows best.
    fn broken(&self, otherwise: String) -> Failed {
        let why = self.waiting.borrow().broken.clone();
        (FailureKind::Reset, why.unwrap_or(otherwise))
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        self.waiting.borrow_mut().messages.remove(&self.number);
    }
}

/// Connects and logs in.
async fn connect(url: &Secret, tls: &QueueTls) -> Result<Connection, String> {
    let place = Place::parse(url.reveal())?;
    let of_nats = |why| format!("NATS: {why}");
    let mut stream = tcp(&place.host, place.port).await.map_err(of_nats)?;
    let greeting = Greeting::hear(&mut stream)
        .await
        .map_err(|why| why.to_string())?;
    let client = Client {
        name: NAME,
        login: place.login.as_ref(),
    };
    let connected = if place.is_secured {
        let greeting = greeting.before_tls().map_err(|why| why.to_string())?;
        let stream = secured(stream, &place.host, tls).await.map_err(of_nats)?;
        Connection::login(stream, greeting, &client).await
    } else if greeting.requires_tls() {
        return Err("NATS: the server wants TLS: its URL begins with tls://".to_owned());
    } else {
        Connection::login(stream, greeting, &client).await
    };
    connected.map_err(|why| why.to_string())
}

/// Hands acknowledgements to those who wait for them, until the connection ends.
async fn acknowledge(mut connection: Connection, inbox: String, waiting: Rc<RefCell<Waiting>>) {
    loop {
        match connection.next().await {
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
                waiting.broken = Some(why.to_string());
                waiting.messages.clear();
                return;
            }
        }
    }
}

/// A connection on which markers come back.
pub(super) struct Completions(Connection);

impl Completions {
    pub(super) async fn open(url: &Secret, subject: &str, tls: &QueueTls) -> Result<Self, String> {
        let mut connection = connect(url, tls).await?;
        connection
            .subscribe(subject)
            .await
            .map_err(|why| why.to_string())?;
        Ok(Self(connection))
    }

    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let message = self.0.next().await.map_err(|why| why.to_string())?;
        Ok(vec![message.body])
    }
}
