//! `azure-servicebus`.

use super::{check_drain, check_faults, worker};
use crate::brokers::servicebus::{KEY, ServiceBus};
use crate::harness::machine;

#[test]
fn queues_and_subscriptions_of_service_bus_are_worked_off() {
    let _machine = machine();
    let servicebus = ServiceBus::start();
    let authority = servicebus.authority().replace('\n', "\\n");
    // Microsoft's client in the worker knows only this host; a variable says where it is.
    let of_worker = format!(
        "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey={KEY}"
    );
    let secrets = format!(
        "[{{name: read, value: '{}'}}, {{name: address, value: '{of_worker}'}}, {{name: authority, \
         value: \"{authority}\"}}]",
        servicebus.connection_string(KEY)
    );
    for (metadata, arguments, send, count) in [
        ("queueName: orders", "--queue, orders", "orders", "orders"),
        (
            "topicName: events, subscriptionName: audit",
            "--topic, events, --subscription, audit",
            "events",
            "events/Subscriptions/audit",
        ),
    ] {
        let container = format!(
            "command: ['$(EBBTIDE_PROGRAM)', sample-worker, azure-servicebus], args: [{arguments}, \
             --service-time, 1s], env: [{{name: SERVICEBUS_CONNECTION_STRING, secretRef: address}}, \
             {{name: EBBTIDE_SERVICEBUS_ADDRESS, value: '127.0.0.1:{}'}}, \
             {{name: EBBTIDE_SERVICEBUS_CA, value: '{}'}}]",
            servicebus.port,
            servicebus.authority_file().display()
        );
        let rule = format!(
            "{{type: azure-servicebus, metadata: {{{metadata}, messageCount: '10'}}, auth: \
             [{{secretRef: read, triggerParameter: connection}}, {{secretRef: authority, \
             triggerParameter: ca}}]}}"
        );
        check_drain(
            &worker(&secrets, &container, &rule),
            |number| servicebus.put(send, number),
            || servicebus.length(count),
        );
    }
}

#[test]
fn what_is_wrong_with_a_queue_of_service_bus_is_said() {
    let _machine = machine();
    let servicebus = ServiceBus::start();
    let authority = servicebus.authority().replace('\n', "\\n");
    let rule = |connection: &str, queue: &str, ca: &str| {
        format!(
            "{{type: azure-servicebus, metadata: {{queueName: {queue}, connection: '{connection}', \
             {ca}}}}}"
        )
    };
    let trusted = format!("ca: \"{authority}\"");
    let right = servicebus.connection_string(KEY);
    let wrong = servicebus.connection_string("hunter2");
    let closed = right.replace(&format!(":{}/", servicebus.port), ":1/");
    check_faults(
        &[
            (&rule(&right, "nothing", &trusted), "queueName: "),
            (&rule(&wrong, "orders", &trusted), "connection: "),
            (&rule(&closed, "orders", &trusted), "onnection refused"),
            (
                &rule(&right, "orders", "messageCount: '5'"),
                "invalid peer certificate",
            ),
        ],
        &["hunter2", KEY],
    );
}
