//! `RabbitMQ`: messages go to a queue through the default exchange, and the broker confirms each.

use ebbtide_brokers::amqp::{self, Carrier};
use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};

use super::Failed;
use super::connect::{secured, tcp};
use crate::plan::{QueueTls, Secret};
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
    _connection: std::rc::Rc<Open>,
}

impl Rabbitmq {
    pub(super) async fn open(url: &Secret, queue: &str, tls: &QueueTls) -> Result<Self, String> {
        let (connection, channel) = connect(url, tls).await?;
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
    _connection: Open,
}

impl Completions {
    pub(super) async fn open(url: &Secret, queue: &str, tls: &QueueTls) -> Result<Self, String> {
        let (connection, channel) = connect(url, tls).await?;
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

/// A connection, and what carries it if it has TLS.
type Open = (Connection, Option<Carrier>);

async fn connect(url: &Secret, tls: &QueueTls) -> Result<(Open, Channel), String> {
    let properties = ConnectionProperties::default();
    let open = if url.reveal().starts_with("amqps://") {
        let (connection, carrier) = connect_secured(url, tls, properties).await?;
        (connection, Some(carrier))
    } else {
        let connection = Connection::connect(url.reveal(), properties).await;
        (connection.map_err(|error| words(&error))?, None)
    };
    let channel = open.0.create_channel().await;
    Ok((open, channel.map_err(|error| words(&error))?))
}

/// The library's own TLS has other settings than targets.
async fn connect_secured(
    url: &Secret,
    tls: &QueueTls,
    properties: ConnectionProperties,
) -> Result<(Connection, Carrier), String> {
    let uri: Result<AMQPUri, String> = url.reveal().parse();
    // What is wrong with it may have parts of it.
    let not_a_url = |_| "RabbitMQ: its URL is not amqps://USER:PASSWORD@HOST:PORT/VHOST".to_owned();
    let mut uri = uri.map_err(not_a_url)?;
    uri.scheme = AMQPScheme::AMQP;
    let of_rabbitmq = |why| format!("RabbitMQ: {why}");
    let (host, port) = (&uri.authority.host, uri.authority.port);
    let stream = tcp(host, port).await.map_err(of_rabbitmq)?;
    let stream = secured(stream, host, tls).await.map_err(of_rabbitmq)?;
    let connected = amqp::connect(stream, uri, properties).await;
    connected.map_err(|error| words(&error))
}

fn words(error: &lapin::Error) -> String {
    format!("RabbitMQ: {error}")
}
