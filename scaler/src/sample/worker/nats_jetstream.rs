//! A consumer of a stream of NATS, in NATS's own protocol, which is lines of text.

mod connection;

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use tokio::time::timeout;

use self::connection::{Connection, Message};
use super::{Work, variable};
use crate::cli::arguments::NatsJetstreamWorker;

/// How long the server waits for a message; so long may the end take too.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// How often the server is told that a message is still worked on; by default it waits for 30 s.
const TERM: Duration = Duration::from_secs(10);

/// Takes messages until `work` is over.
pub(super) async fn run(of: &NatsJetstreamWorker, mut work: Work) -> anyhow::Result<()> {
    let address = variable("NATS_ADDRESS")?;
    let login = variable("NATS_USER")
        .ok()
        .zip(variable("NATS_PASSWORD").ok());
    let mut connection = Connection::open(&address, login).await?;
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", of.stream, of.consumer);
    let wanted = json!({"batch": 1, "expires": PATIENCE.as_nanos()}).to_string();
    while !work.is_over() {
        // For a consumer that there is not, nobody answers.
        let answer = timeout(LONGEST_SILENCE, connection.request(&next, &wanted)).await;
        let answer = answer.with_context(|| {
            let NatsJetstreamWorker { stream, consumer } = of;
            format!("no answer; is there a stream {stream} with the consumer {consumer}?")
        })??;
        let Some((acknowledge, body)) = taken(answer)? else {
            continue;
        };
        hold(&mut connection, &acknowledge, work.time).await?;
        if let Some((subject, marker)) = work.completed.of(&body) {
            // First this: what is done twice is seen, what is not given back would be taken for lost.
            connection.publish(subject, &marker).await?;
        }
        connection.request(&acknowledge, "+ACK").await?;
        Work::done(sequence(&acknowledge));
    }
    Ok(())
}

/// The subject on which a message that came is acknowledged, and its body, or none if none came.
fn taken(answer: Message) -> anyhow::Result<Option<(String, Vec<u8>)>> {
    match (answer.status, answer.reply) {
        // There is none, or none came in time.
        (Some(404 | 408), _) => Ok(None),
        (Some(503), _) => bail!("the account has no JetStream"),
        (Some(status), _) => bail!("NATS answers {status} when it is asked for a message"),
        (None, Some(reply)) => Ok(Some((reply, answer.body))),
        (None, None) => bail!("NATS sent a message that cannot be acknowledged"),
    }
}

/// Works, and says now and then that it still does.
async fn hold(connection: &mut Connection, reply: &str, work: Duration) -> anyhow::Result<()> {
    let mut left = work;
    while left > TERM {
        connection.idle(TERM).await?;
        connection.publish(reply, "+WPI").await?;
        left -= TERM;
    }
    connection.idle(left).await.context("while working")
}

/// The number of a message in its stream, which is in the subject on which it is acknowledged: the
/// fourth part from the end, before which a server with a domain puts more, and one at the end.
fn sequence(acknowledge: &str) -> &str {
    let parts: Vec<&str> = acknowledge.split('.').collect();
    let place = if parts.len() > 9 { 7 } else { 5 };
    parts.get(place).copied().unwrap_or(acknowledge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_number_in_the_stream() {
        for subject in [
            "$JS.ACK.ORDERS.workers.1.42.7.1795709965548201677.4",
            "$JS.ACK.hub.hash.ORDERS.workers.1.42.7.1795709965548201677.4.token",
        ] {
            assert_eq!(sequence(subject), "42");
        }
        assert_eq!(sequence("odd"), "odd");
    }

    #[test]
    fn only_a_message_is_taken() {
        let answer = |status, reply: Option<&str>| {
            let reply = reply.map(str::to_owned);
            let body = b"an order".to_vec();
            taken(Message {
                status,
                reply,
                body,
            })
            .map_err(|error| error.to_string())
        };
        let expected = ("r".to_owned(), b"an order".to_vec());
        assert_eq!(answer(None, Some("r")), Ok(Some(expected)));
        assert_eq!(answer(Some(404), None), Ok(None));
        assert_eq!(answer(Some(408), None), Ok(None));
        for (status, expected) in [
            (Some(503), "the account has no JetStream"),
            (Some(409), "NATS answers 409 when it is asked for a message"),
            (None, "NATS sent a message that cannot be acknowledged"),
        ] {
            assert_eq!(answer(status, None), Err(expected.to_owned()));
        }
    }
}
