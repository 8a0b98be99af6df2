//! Messages for one broker, which are written one request after the other.

use std::collections::BTreeMap;

use ebbtide_brokers::kafka::{Message, Producer, SendError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, spawn_local};

/// How many bytes go together in a request, with its records' heads. Brokers take 1 MiB by default for each partition.
const TOGETHER: usize = 128 << 10;
/// What a record has beside its value and its marker, at most.
const HEAD: usize = 64;

/// What becomes of a message.
type Sent = Result<(), SendError>;

/// A message that is to be written.
struct Pending {
    partition: i32,
    message: Message,
    sent: oneshot::Sender<Sent>,
}

/// Where messages wait while others are being written. How many there may be is bounded by the run, which has so many on
/// their way at most.
pub(super) struct Lane {
    pending: mpsc::UnboundedSender<Pending>,
    task: AbortHandle,
}

impl Lane {
    /// One that this producer writes from.
    pub(super) fn open(producer: Producer) -> Self {
        let (pending, queue) = mpsc::unbounded_channel();
        let task = spawn_local(write(producer, queue)).abort_handle();
        Self { pending, task }
    }

    /// Writes a message to a partition; none if nothing is written any more. A message that is given up before its turn
    /// is not written.
    pub(super) async fn send(&self, partition: i32, message: Message) -> Option<Sent> {
        let (sent, result) = oneshot::channel();
        let pending = Pending {
            partition,
            message,
            sent,
        };
        self.pending.send(pending).ok()?;
        result.await.ok()
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn write(mut producer: Producer, mut queue: mpsc::UnboundedReceiver<Pending>) {
    let mut held = None;
    loop {
        let first = match held.take() {
            Some(first) => first,
            None => match queue.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut request = Request::default();
        request.add(first);
        while let Ok(next) = queue.try_recv() {
            if request.bytes + bytes(&next.message) > TOGETHER {
                held = Some(next);
                break;
            }
            request.add(next);
        }
        let sent = producer.send(&request.messages).await;
        request.say(&sent);
    }
}

/// Messages that are written together.
#[derive(Default)]
struct Request {
    messages: BTreeMap<i32, Vec<Message>>,
    waiting: Vec<(i32, oneshot::Sender<Sent>)>,
    bytes: usize,
}

impl Request {
    fn add(&mut self, pending: Pending) {
        let Pending {
            partition,
            message,
            sent,
        } = pending;
        if sent.is_closed() {
            return;
        }
        self.bytes += bytes(&message);
        self.messages.entry(partition).or_default().push(message);
        self.waiting.push((partition, sent));
    }

    fn say(self, results: &BTreeMap<i32, Sent>) {
        for (partition, sent) in self.waiting {
            if let Some(result) = results.get(&partition) {
                // It may have been given up meanwhile.
                let _ = sent.send(result.clone());
            }
        }
    }
}

/// How long the record of a message is, at most.
fn bytes(message: &Message) -> usize {
    let headers = message.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    HEAD + headers + message.value.len()
}
