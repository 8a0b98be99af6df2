//! A consumer of a stream that is asked for its messages.

use std::time::Duration;

use serde_json::json;

use super::NO_RESPONDERS;
use crate::error::ReadError;
use crate::nats::{Connection, Message};

/// There is no message, or none came in time.
const NONE: [u16; 2] = [404, 408];

/// A consumer of a stream that is asked for its messages, one at a time.
pub struct Consumer {
    next: String,
}

/// A message that comes again if it is not acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    acknowledge: String,
    /// What it says.
    pub body: Vec<u8>,
}

impl Consumer {
    /// The consumer of this name.
    pub fn new(stream: &str, consumer: &str) -> Self {
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        Self { next }
    }

    /// Takes a message, for which the server waits so long. The connection has a subscription of its inbox. For a
    /// consumer that there is not, nobody answers at all.
    ///
    /// # Errors
    /// The consumer cannot be asked, or the connection is of no use any more.
    pub async fn next(
        &self,
        connection: &mut Connection,
        wait: Duration,
    ) -> Result<Option<Delivery>, ReadError> {
        let wanted = json!({"batch": 1, "expires": wait.as_nanos()}).to_string();
        let answer = connection.request(&self.next, wanted.as_bytes()).await?;
        Delivery::of(answer)
    }
}

impl Delivery {
    fn of(answer: Message) -> Result<Option<Self>, ReadError> {
        let message = match (answer.status, answer.reply) {
            (Some(status), _) if NONE.contains(&status) => return Ok(None),
            (Some(NO_RESPONDERS), _) => "the account has no JetStream".to_owned(),
            (Some(status), _) => format!("NATS answers {status} when it is asked for a message"),
            (None, None) => "NATS sent a message that cannot be acknowledged".to_owned(),
            (None, Some(acknowledge)) => {
                let body = answer.body;
                return Ok(Some(Self { acknowledge, body }));
            }
        };
        Err(ReadError::new(message))
    }

    /// Says that it is done with, and waits until the server knows that.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn acknowledge(&self, connection: &mut Connection) -> Result<(), ReadError> {
        let answered = connection.request(&self.acknowledge, b"+ACK").await;
        answered.map(drop)
    }

    /// Says that it is still worked on, so that the server waits as long again.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn in_progress(&self, connection: &Connection) -> Result<(), ReadError> {
        let writer = connection.writer();
        writer.publish(&self.acknowledge, None, b"+WPI").await
    }

    /// The number of the message in its stream, which is in the subject on which it is acknowledged: the fourth part
    /// from the end, before which a server with a domain puts more, and one at the end.
    pub fn sequence(&self) -> &str {
        let parts: Vec<&str> = self.acknowledge.split('.').collect();
        let place = if parts.len() > 9 { 7 } else { 5 };
        parts.get(place).copied().unwrap_or(&self.acknowledge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_number_in_the_stream() {
        for (subject, expected) in [
            ("$JS.ACK.ORDERS.workers.1.42.7.1795709965548201677.4", "42"),
            (
                "$JS.ACK.hub.hash.ORDERS.workers.1.42.7.1795709965548201677.4.token",
                "42",
            ),
            ("odd", "odd"),
        ] {
            let delivery = Delivery {
                acknowledge: subject.to_owned(),
                body: Vec::new(),
            };
            assert_eq!(delivery.sequence(), expected);
        }
    }

    #[test]
    fn only_a_message_is_taken() {
        let taken = |status, reply: Option<&str>| {
            let answer = Message {
                subject: "i".to_owned(),
                reply: reply.map(str::to_owned),
                status,
                body: b"an order".to_vec(),
            };
            Delivery::of(answer).map_err(|error| error.to_string())
        };
        let expected = Delivery {
            acknowledge: "r".to_owned(),
            body: b"an order".to_vec(),
        };
        assert_eq!(taken(None, Some("r")), Ok(Some(expected)));
        assert_eq!(taken(Some(404), None), Ok(None));
        assert_eq!(taken(Some(408), None), Ok(None));
        for (status, expected) in [
            (Some(503), "the account has no JetStream"),
            (Some(409), "NATS answers 409 when it is asked for a message"),
            (None, "NATS sent a message that cannot be acknowledged"),
        ] {
            assert_eq!(taken(status, None), Err(expected.to_owned()));
        }
    }
}
