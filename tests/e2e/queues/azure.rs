//! Queues of Azure Storage and of Azure Service Bus.

use super::{LOAD, Scenario, Worker, check_all_completed, report};
use crate::brokers::azurite::{self, Azurite};
use crate::brokers::servicebus::{self, ServiceBus};
use crate::harness::{SOON, eventually, machine};

/// What Azurite's connection string is given to the worker by.
const STORAGE: &str = "AZURE_STORAGE_CONNECTION_STRING";

#[test]
fn every_message_of_azure_storage_is_completed() {
    let _machine = machine();
    let Some(azurite) = Azurite::start() else {
        return;
    };
    azurite.put("orders", 0);
    let connection = azurite.connection_string();
    let worker = Worker::start(
        (STORAGE, &connection),
        &["azure-queue", "--queue", "orders"],
    );
    let queue = |name: &str| {
        format!(
            "{{azureQueue: {{connection: {{env: BROKER_URL}}, queue: {name}, completed: orders-completed}}}}"
        )
    };
    // The first run makes the queue of markers, the second one finds it, with something that is no marker.
    let scenario = Scenario::new(&queue("orders"), LOAD);
    check_all_completed(&scenario.run(&connection), azurite::KEY);
    azurite.put("orders-completed", 1);
    check_all_completed(&scenario.run(&connection), azurite::KEY);
    assert_eq!(azurite.length("orders-completed"), 0);
    eventually(SOON, "the worker has deleted its last message", || {
        azurite.length("orders") == 0
    });
    drop(worker);

    let wrong = connection.replace(azurite::KEY, "aHVudGVyMmh1bnRlcjI=");
    let closed = connection.replace(&format!(":{}/", azurite.port), ":1/");
    for (connection, name, expected) in [
        (&connection, "other", "Azure Storage has no queue other"),
        (&wrong, "orders", "Azure Storage answers 403"),
        (&closed, "orders", "onnection refused"),
    ] {
        let output = Scenario::new(&queue(name), "burst: 1\n").run(connection);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        for secret in [azurite::KEY, "aHVudGVyMmh1bnRlcjI="] {
            assert!(!errors.contains(secret), "{errors}");
        }
    }
}

#[test]
fn a_message_that_azure_storage_does_not_take_is_counted() {
    let _machine = machine();
    let Some(azurite) = Azurite::start() else {
        return;
    };
    azurite.put("orders", 0);
    let connection = azurite.connection_string();
    let body = "x".repeat(64 << 10);
    let scenario = Scenario::with_body(
        "{azureQueue: {connection: {env: BROKER_URL}, queue: orders}}",
        &body,
        "burst: 2\n",
    );
    let report = report(&scenario.run(&connection), 2);
    assert_eq!(report["queues"][0]["enqueued"], 0, "{report:#}");
    assert_eq!(report["total"]["errors"]["protocol"], 2, "{report:#}");
    let why = report["total"]["errorSamples"]["protocol"]
        .as_str()
        .unwrap();
    assert!(why.starts_with("Azure Storage answers 4"), "{why}");
}

/// A worker of an entity of the namespace.
fn worker(servicebus: &ServiceBus, arguments: &[&str]) -> Worker {
    let connection = format!(
        "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey={}",
        servicebus::KEY
    );
    let address = format!("127.0.0.1:{}", servicebus.port);
    let authority = servicebus.authority_file();
    Worker::start_as(
        ("SERVICEBUS_CONNECTION_STRING", &connection),
        &[
            ("EBBTIDE_SERVICEBUS_ADDRESS", &address),
            ("EBBTIDE_SERVICEBUS_CA", authority.to_str().unwrap()),
        ],
        &[&["azure-servicebus"], arguments].concat(),
    )
}

#[test]
fn every_message_of_service_bus_is_completed() {
    let _machine = machine();
    let servicebus = ServiceBus::start();
    let connection = servicebus.connection_string(servicebus::KEY);
    let tls = format!(
        "    tls: {{ca: '{}'}}\n",
        servicebus.authority_file().display()
    );
    let queue = |entity: &str| {
        format!(
            "{{azureServicebus: {{connection: {{env: BROKER_URL}}, {entity}, completed: orders-completed}}}}"
        )
    };
    for (entity, arguments) in [
        ("queue: orders", &["--queue", "orders"][..]),
        (
            "topic: events",
            &["--topic", "events", "--subscription", "audit"],
        ),
    ] {
        let _worker = worker(&servicebus, arguments);
        let scenario = Scenario::new(&queue(entity), &format!("{tls}{LOAD}"));
        check_all_completed(&scenario.run(&connection), servicebus::KEY);
        // This is of no run.
        servicebus.put("orders-completed", 1);
    }

    let wrong = servicebus.connection_string("hunter2");
    let closed = connection.replace(&format!(":{}/", servicebus.port), ":1/");
    for (connection, entity, tls, expected) in [
        (
            &connection,
            "queue: other",
            &*tls,
            "Service Bus has no queue or topic other",
        ),
        (&wrong, "queue: orders", &tls, "Service Bus answers 401"),
        (&closed, "queue: orders", &tls, "onnection refused"),
        (&connection, "queue: orders", "", "invalid peer certificate"),
    ] {
        let output = Scenario::new(&queue(entity), &format!("{tls}burst: 1\n")).run(connection);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        for secret in [servicebus::KEY, "hunter2"] {
            assert!(!errors.contains(secret), "{errors}");
        }
    }
}
