//! RabbitMQ.

mod bed;
mod wrong;

use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{Amount, Flow};
use lapin::options::{BasicGetOptions, BasicNackOptions};

use self::bed::{PASSWORD, RabbitMq, USER, eventually, take};
use crate::bed::{Case, refusing};
use crate::certificates::Certificates;

/// The default virtual host in a path.
const DEFAULT: &str = "%2F";

/// A queue by the management plugin; nothing flows.
fn still(value: f64, in_process: f64) -> Amount {
    Amount {
        in_process: Some(in_process),
        arrivals: Some(Flow::PerSecond(0.0)),
        completions: Some(Flow::PerSecond(0.0)),
        ..Amount::from(value)
    }
}

/// The number and how many messages are in process, of a queue through which messages may flow.
async fn counted(case: &Case) -> (f64, Option<f64>) {
    let amount = case.read().await.expect("it can be read");
    (amount.value, amount.in_process)
}

#[tokio::test]
async fn messages_count_by_http_and_by_amqp() {
    let rabbitmq = RabbitMq::start().await;
    rabbitmq.make_vhost("shop").await;
    rabbitmq.fill(DEFAULT, "empty", 0).await;
    rabbitmq.fill(DEFAULT, "orders", 5).await;
    rabbitmq.fill("shop", "orders", 2).await;
    let (by_http, by_amqp) = (rabbitmq.by_http("orders"), rabbitmq.by_amqp("orders"));
    assert_eq!(rabbitmq.by_http("empty").read().await, Ok(still(0.0, 0.0)));
    assert_eq!(
        rabbitmq.by_amqp("empty").read().await,
        Ok(Amount::from(0.0))
    );
    assert_eq!(counted(&by_http).await, (5.0, Some(0.0)));
    assert_eq!(by_amqp.read().await, Ok(Amount::from(5.0)));
    for (case, scheme, port) in [
        (&by_http, "http", rabbitmq.ports.http),
        (&by_amqp, "amqp", rabbitmq.ports.amqp),
    ] {
        let in_path = RabbitMq::address(scheme, port, "/shop");
        for case in [
            case.with("vhostName", "shop"),
            case.secret("host", &in_path),
            case.secret("host", &format!("{scheme}://127.0.0.1:{port}/shop"))
                .with("username", USER)
                .secret("password", PASSWORD),
        ] {
            assert_eq!(case.read().await.map(|read| read.value), Ok(2.0));
        }
        let default = RabbitMq::address(scheme, port, "/%2f");
        let default = case.secret("host", &default).with("protocol", scheme);
        assert_eq!(default.read().await.map(|read| read.value), Ok(5.0));
    }
    // Somebody has two of them, and is not done.
    let (_connection, channel) = rabbitmq.channel().await;
    take(&channel, "orders", false).await;
    take(&channel, "orders", false).await;
    eventually("two are in process", async || {
        (counted(&by_http).await == (5.0, Some(2.0))).then_some(())
    })
    .await;
    let ready = by_http.with("excludeUnacknowledged", "true");
    assert_eq!(counted(&ready).await, (3.0, Some(2.0)));
    assert_eq!(by_amqp.read().await, Ok(Amount::from(3.0)));
}

#[tokio::test]
async fn several_queues_are_one_number() {
    let rabbitmq = RabbitMq::start().await;
    for (queue, number) in [("orders-1", 4), ("orders-2", 1), ("refunds", 9)] {
        rabbitmq.fill(DEFAULT, queue, number).await;
    }
    let orders = rabbitmq.by_http("^orders-[0-9]$").with("useRegex", "true");
    for (operation, value) in [("sum", 5.0), ("max", 4.0), ("avg", 2.0)] {
        let case = orders.with("operation", operation);
        assert_eq!(counted(&case).await, (value, Some(0.0)), "{operation}");
    }
    let none = rabbitmq.by_http("nothing-.*").with("useRegex", "true");
    assert_eq!(none.read().await, Ok(still(0.0, 0.0)));
    for (case, expected) in [
        (
            orders.with("pageSize", "1"),
            "pageSize: more than 1 queues match; raise it, up to 500, or let fewer match",
        ),
        (
            orders.with("pageSize", "501"),
            "pageSize: is not 1 to 500, which is as many as RabbitMQ lists",
        ),
        (
            rabbitmq.by_http("(").with("useRegex", "true"),
            "queueName: is not a regular expression that RabbitMQ takes",
        ),
        (
            orders.with("vhostName", "nowhere"),
            "vhostName: there is no virtual host nowhere",
        ),
        (
            rabbitmq.by_amqp("orders").with("useRegex", "true"),
            "useRegex: asks for what AMQP does not say",
        ),
    ] {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
    }
}

#[tokio::test]
async fn rates_are_read_by_mode() {
    let rabbitmq = RabbitMq::start().await;
    rabbitmq.fill(DEFAULT, "orders", 3).await;
    let mode = |mode: &str| {
        let case = rabbitmq.by_http("orders").with("mode", mode);
        case.with("value", "2").with("activationValue", "7")
    };
    // Nothing was delivered yet.
    let undelivered = Amount {
        activity: Some(8.0),
        in_process: Some(0.0),
        ..Amount::from(7.0)
    };
    let time = mode("ExpectedQueueConsumptionTime");
    assert_eq!(time.read().await, Ok(undelivered));
    let none = Amount {
        in_process: Some(0.0),
        ..Amount::from(0.0)
    };
    assert_eq!(mode("DeliverGetRate").read().await, Ok(none));
    let (_connection, channel) = rabbitmq.channel().await;
    let flow = async |what: &str, case: Case, found: fn(&Amount) -> bool| {
        eventually(what, async || {
            rabbitmq.publish(DEFAULT, "orders").await;
            take(&channel, "orders", true).await;
            let amount = case.read().await.expect("it can be read");
            found(&amount).then_some(())
        })
        .await;
    };
    flow("messages are published", mode("MessageRate"), |amount| {
        amount.value > 0.0 && amount.activity >= Some(3.0)
    })
    .await;
    flow("messages are delivered", mode("DeliverGetRate"), |amount| {
        amount.value > 0.0 && amount.activity.is_none()
    })
    .await;
    flow(
        "there is a ratio",
        mode("PublishedToDeliveredRatio"),
        |amount| amount.value > 0.0 && amount.activity.is_none(),
    )
    .await;
    flow("there is a time", time, |amount| {
        amount.value > 0.0 && amount.activity.is_none()
    })
    .await;
    flow("messages come and go", mode("QueueLength"), |amount| {
        let is_some = |flow| matches!(flow, Some(Flow::PerSecond(rate)) if rate > 0.0);
        is_some(amount.arrivals) && is_some(amount.completions)
    })
    .await;
    let error = rabbitmq.by_amqp("orders").with("mode", "MessageRate");
    let error = error.with("value", "2").error().await;
    assert!(
        error.starts_with("mode: asks for what AMQP does not say"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_given_back_was_delivered_and_is_not_done() {
    let rabbitmq = RabbitMq::start().await;
    let (_connection, channel) = rabbitmq.channel().await;
    rabbitmq.fill(DEFAULT, "refunds", 1).await;
    let refunds = rabbitmq.by_http("refunds");
    eventually("messages are delivered and not done", async || {
        let options = BasicGetOptions::default();
        let message = channel.basic_get("refunds".into(), options).await.unwrap();
        let back = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        message.expect("a message").nack(back).await.unwrap();
        let delivered = refunds.with("mode", "DeliverGetRate").with("value", "1");
        let delivered = delivered.read().await.unwrap().value;
        let completions = refunds.read().await.unwrap().completions;
        assert_eq!(completions, Some(Flow::PerSecond(0.0)));
        (delivered > 0.0).then_some(())
    })
    .await;
}
