//! `rabbitmq`.

use super::{check_drain, check_faults, sample_worker, worker};
use crate::brokers::rabbitmq::{DEFAULT_VHOST, PASSWORD, RabbitMq, SECOND_VHOST, USER};
use crate::harness::machine;

/// The address of the management plugin, or of AMQP.
fn address(broker: &RabbitMq, scheme: &str, password: &str, vhost: &str) -> String {
    let port = match scheme {
        "amqp" => broker.amqp,
        _ => broker.management,
    };
    format!("{scheme}://{USER}:{password}@127.0.0.1:{port}/{vhost}")
}

#[test]
fn a_queue_of_rabbitmq_is_worked_off_by_what_http_and_amqp_say() {
    let _machine = machine();
    let broker = RabbitMq::start();
    for (scheme, vhost, encoded) in [
        ("http", DEFAULT_VHOST, "%2F"),
        ("amqp", SECOND_VHOST, "second"),
    ] {
        broker.put(vhost, "orders", 0);
        let read = address(&broker, scheme, PASSWORD, encoded);
        let work = address(&broker, "amqp", PASSWORD, encoded);
        let secrets =
            format!("[{{name: read, value: '{read}'}}, {{name: address, value: '{work}'}}]");
        let rule = "{type: rabbitmq, metadata: {queueName: orders, mode: QueueLength, value: '10'}, \
                    auth: [{secretRef: read, triggerParameter: host}]}";
        let document = worker(
            &secrets,
            &sample_worker("rabbitmq", "--queue, orders", "RABBITMQ_URL"),
            rule,
        );
        check_drain(
            &document,
            |number| broker.put(vhost, "orders", number),
            || broker.length(vhost, "orders").unwrap_or(0),
        );
    }
}

#[test]
fn what_is_wrong_with_a_queue_of_rabbitmq_is_said() {
    let _machine = machine();
    let broker = RabbitMq::start();
    broker.put(DEFAULT_VHOST, "orders", 3);
    let rule = |host: &str, queue: &str, more: &str| {
        format!("{{type: rabbitmq, metadata: {{host: '{host}', queueName: '{queue}'{more}}}}}")
    };
    let http = address(&broker, "http", PASSWORD, "%2F");
    let amqp = address(&broker, "amqp", PASSWORD, "%2F");
    let wrong = |scheme| address(&broker, scheme, "hunter2", "%2F");
    let tls = http.replace("http://", "https://");
    let closed = format!("amqp://{USER}:{PASSWORD}@127.0.0.1:1/");
    check_faults(
        &[
            (
                &rule(&http, "nothing", ""),
                "queueName: there is no queue nothing in the virtual host /",
            ),
            (
                &rule(&amqp, "nothing", ""),
                "queueName: there is no queue nothing in the virtual host /",
            ),
            (
                &rule(&wrong("http"), "orders", ""),
                "is not let in with this password",
            ),
            (
                &rule(&wrong("amqp"), "orders", ""),
                "is not let in with this password",
            ),
            (&rule(&closed, "orders", ""), "host: cannot connect"),
            (&rule(&tls, "orders", ""), "host: "),
            (
                &rule(&amqp, "orders", ", mode: MessageRate, value: '1'"),
                "mode: ",
            ),
            (
                &rule(&http, "orders", ", protocol: amqp"),
                "host: is not of the protocol amqp",
            ),
        ],
        &["hunter2", PASSWORD],
    );
}
