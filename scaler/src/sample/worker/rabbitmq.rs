//! RabbitMQ: a consumer that has one message unacknowledged.

use anyhow::{Context as _, anyhow};
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::RabbitmqWorker;

/// Consumes until the worker is told to stop.
///
/// # Errors
/// The broker cannot be reached, has no such queue, or ends the connection.
pub(super) async fn run(of: &RabbitmqWorker, mut work: Work) -> anyhow::Result<()> {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(&variable("RABBITMQ_URL")?, properties).await;
    let connection = connection.context("cannot connect to RabbitMQ")?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let queue = of.queue.as_str().into();
    let (tag, options) = ("ebbtide-sample".into(), BasicConsumeOptions::default());
    let consumer = channel.basic_consume(queue, tag, options, FieldTable::default());
    let mut consumer = consumer
        .await
        .with_context(|| format!("cannot consume from the queue {}", of.queue))?;
    while let Some(delivery) = work.next(consumer.next()).await {
        let delivery = delivery.ok_or_else(|| anyhow!("RabbitMQ has ended the consumer"))??;
        sleep(work.time).await;
        let marker = marker(&delivery.properties);
        if let Some((queue, marker)) = work.completed.of(marker) {
            // First this: what is done twice is seen, what is not given back would be taken for lost.
            let options = BasicPublishOptions::default();
            let properties = BasicProperties::default();
            channel
                .basic_publish(
                    "".into(),
                    queue.into(),
                    options,
                    marker.as_bytes(),
                    properties,
                )
                .await?;
        }
        delivery.ack(BasicAckOptions::default()).await?;
        Work::done(&delivery.delivery_tag.to_string());
    }
    // What was delivered and not acknowledged goes back to the queue.
    connection.close(200, "stopped".into()).await?;
    Ok(())
}

/// The marker that loadgen has put on a message; empty if there is none.
fn marker(properties: &BasicProperties) -> &[u8] {
    let headers = properties.headers().as_ref();
    match headers.and_then(|headers| headers.inner().get("loadgen-marker")) {
        Some(AMQPValue::LongString(marker)) => marker.as_bytes(),
        _ => &[],
    }
}
