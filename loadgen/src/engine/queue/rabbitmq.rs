//! `RabbitMQ`: messages go to a queue through the default exchange, and the broker confirms each.

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};

use super::Failed;
use crate::plan::Secret;
use crate::record::outcome::FailureKind;

/// The header that has the marker.
const HEADER: &str = "loadgen-marker";
/// A message outlives the broker.
const PERSISTENT: u8 = 2;
/// How many completions may be under way.
const PREFETCH: u16 = 1000;

/// A channel with confirmations.
#[derive(Clone)]
pub(super) struct Rabbitmq {
    channel: Channel,
    queue: String,
    /// Closed when it is dropped.
    _connection: std::rc::Rc<Connection>,
}

impl Rabbitmq {
    pub(super) async fn open(url: &Secret, queue: &str) -> Result<Self, String> {
        let (connection, channel) = connect(url).await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
        if let Err(error) = declared.await {
            return Err(format!(
                "RabbitMQ has no queue {queue} that can be used: {error}"
            ));
        }
        let confirm = channel.confirm_select(ConfirmSelectOptions::default());
        confirm.await.map_err(|error| words(&error))?;
        Ok(Self {
            channel,
            queue: queue.to_owned(),
            _connection: std::rc::Rc::new(connection),
        })
    }

    pub(super) async fn send(&self, marker: &str, body: &[u8]) -> Result<(), Failed> {
        let mut headers = FieldTable::default();
        headers.insert(HEADER.into(), AMQPValue::LongString(marker.into()));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let queue = self.queue.as_str().into();
        let published = self
            .channel
            .basic_publish("".into(), queue, options, body, properties);
        let broken = |error: lapin::Error| (FailureKind::Reset, words(&error));
        let confirmed = published.await.map_err(broken)?.await.map_err(broken)?;
        let refused = |why: &str| Err((FailureKind::Protocol, why.to_owned()));
        match confirmed {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => {
                refused("RabbitMQ returned the message: its queue is gone")
            }
            _ => refused("RabbitMQ did not take the message"),
        }
    }
}

/// A queue to which workers publish markers.
pub(super) struct Completions {
    consumer: Consumer,
    /// Closed when it is dropped.
    _connection: Connection,
}

impl Completions {
    pub(super) async fn open(url: &Secret, queue: &str) -> Result<Self, String> {
        let (connection, channel) = connect(url).await?;
        let opened = async {
            let options = QueueDeclareOptions {
                durable: true,
                ..QueueDeclareOptions::default()
            };
            let none = FieldTable::default;
            channel.queue_declare(queue.into(), options, none()).await?;
            channel
                .basic_qos(PREFETCH, BasicQosOptions::default())
                .await?;
            let options = BasicConsumeOptions::default();
            channel
                .basic_consume(queue.into(), "loadgen".into(), options, none())
                .await
        };
        let opened: Result<_, lapin::Error> = opened.await;
        Ok(Self {
            consumer: opened.map_err(|error| words(&error))?,
            _connection: connection,
        })
    }

    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let delivery = self.consumer.next().await;
        let delivery = delivery.ok_or("RabbitMQ has ended the consumer")?;
        let delivery = delivery.map_err(|error| words(&error))?;
        let acknowledged = delivery.ack(BasicAckOptions::default()).await;
        acknowledged.map_err(|error| words(&error))?;
        Ok(vec![delivery.data])
    }
}

async fn connect(url: &Secret) -> Result<(Connection, Channel), String> {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(url.reveal(), properties).await;
    let connection = connection.map_err(|error| words(&error))?;
    let channel = connection.create_channel().await;
    Ok((connection, channel.map_err(|error| words(&error))?))
}

fn words(error: &lapin::Error) -> String {
    format!("RabbitMQ: {error}")
}
