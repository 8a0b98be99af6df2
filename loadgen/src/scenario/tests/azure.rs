//! Queues of Azure.

use super::{errors, load_text};
use crate::plan::TargetKind;

const STORAGE: &str = "AccountName=shop;AccountKey=aHVudGVyMg==";
const SERVICEBUS: &str =
    "Endpoint=sb://ns.example/;SharedAccessKeyName=root;SharedAccessKey=hunter2";

#[test]
fn queues_of_azure_are_targets() {
    let text = format!(
        "targets:
  - name: orders
    queue: {{azureQueue: {{connection: '{STORAGE}', queue: orders}}}}
  - name: bus
    queue: {{azureServicebus: {{connection: '{SERVICEBUS}', queue: folder/orders}}}}
    tls: {{insecure: true}}
  - name: events
    queue: {{azureServicebus: {{connection: {{env: NOT_SET_ANYWHERE}}, topic: events, completed: done}}}}
burst: 1
"
    );
    let plan = load_text(&text)
        .unwrap_or_else(|error| panic!("{error}"))
        .plan;
    let found: Vec<_> = (plan.targets.iter())
        .map(|target| match &target.kind {
            TargetKind::Queue(queue) => (
                queue.broker.in_words(),
                queue.completed.clone(),
                queue.tls.insecure,
            ),
            _ => panic!("{target:?}"),
        })
        .collect();
    let expected = [
        ("Azure Storage queue orders", "orders-completed", false),
        (
            "Service Bus queue or topic folder/orders",
            "folder/orders-completed",
            true,
        ),
        ("Service Bus queue or topic events", "done", false),
    ];
    let expected =
        expected.map(|(words, completed, any)| (words.to_owned(), completed.to_owned(), any));
    assert_eq!(found, expected);
    let printed = format!("{plan:?}");
    assert!(
        !printed.contains("hunter2") && !printed.contains("aHVudGVyMg"),
        "{printed}"
    );
}

#[test]
fn what_a_queue_of_azure_cannot_have_is_said() {
    let emulator = "Endpoint=sb://h;UseDevelopmentEmulator=true;SharedAccessSignature=hunter2";
    for (target, expected) in [
        (
            "queue: {azureQueue: {connection: 'AccountName=hunter2', queue: orders}}".to_owned(),
            "targets[0].queue.azureQueue.connection: it has no AccountKey",
        ),
        (
            format!("queue: {{azureQueue: {{connection: '{STORAGE}', queue: Orders}}}}"),
            "targets[0].queue.azureQueue.queue: `Orders` is no name of a queue of Azure Storage",
        ),
        (
            format!(
                "queue: {{azureQueue: {{connection: '{STORAGE}', queue: a-queue, completed: '-'}}}}"
            ),
            "targets[0].queue.azureQueue.completed: `-` is no name of a queue of Azure Storage",
        ),
        (
            format!("queue: {{azureQueue: {{connection: '{STORAGE}', queue: ''}}}}"),
            "targets[0].queue.azureQueue.queue: it is empty",
        ),
        (
            format!("queue: {{azureQueue: {{url: '{STORAGE}', queue: orders}}}}"),
            "targets[0].queue.azureQueue.url: `url` is no field here",
        ),
        (
            format!(
                "{{queue: {{azureQueue: {{connection: '{STORAGE}', queue: orders}}}}, tls: {{serverName: a}}}}"
            ),
            "targets[0].tls.serverName: with Azure it is the host of the connection string",
        ),
        (
            "queue: {azureServicebus: {connection: 'Endpoint=sb://hunter2', queue: orders}}"
                .to_owned(),
            "targets[0].queue.azureServicebus.connection: it has no SharedAccessKeyName",
        ),
        (
            format!("queue: {{azureServicebus: {{connection: '{SERVICEBUS}'}}}}"),
            "targets[0].queue.azureServicebus.queue: it is empty",
        ),
        (
            format!(
                "queue: {{azureServicebus: {{connection: '{SERVICEBUS}', queue: a, topic: b}}}}"
            ),
            "targets[0].queue.azureServicebus.topic: there is a `queue` too",
        ),
        (
            format!(
                "{{queue: {{azureServicebus: {{connection: '{emulator}', queue: a}}}}, tls: {{insecure: true}}}}"
            ),
            "targets[0].tls: the connection to the broker is without TLS",
        ),
    ] {
        let target = if target.starts_with('{') {
            target
        } else {
            format!("{{{target}}}")
        };
        let found = errors(&format!("targets: [{target}]\nburst: 1\n"));
        assert!(found.contains(expected), "{target}\n{found}");
        assert!(
            !found.contains("hunter2") && !found.contains("aHVudGVyMg"),
            "{found}"
        );
    }
}
