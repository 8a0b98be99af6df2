//! Kafka.

use super::{LOAD, Scenario, Worker, check_all_completed, report};
use crate::brokers::kafka::{self, Kafka};
use crate::harness::{SOON, eventually, machine};

/// A scenario's queue, where a user of Kafka logs in with the password that is in the environment.
fn kafka_queue(port: u16, topics: &str) -> String {
    let user = kafka::USER;
    format!(
        "{{kafka: {{bootstrapServers: '127.0.0.1:{port}', sasl: scram_sha256, username: {user}, \
         password: {{env: BROKER_URL}}, {topics}}}}}"
    )
}

#[test]
fn every_record_of_kafka_is_completed() {
    let _machine = machine();
    let Some(kafka) = Kafka::start() else {
        return;
    };
    kafka.make_topic("orders", 3);
    kafka.make_topic("orders-completed", 2);
    // What is there already is left over from others.
    kafka.put("orders-completed", 2);
    let (user, password, port) = (kafka::USER, kafka::PASSWORD, kafka.sasl);
    let login = [
        ("KAFKA_SASL", "plaintext"),
        ("KAFKA_USERNAME", user),
        ("KAFKA_PASSWORD", password),
    ];
    let servers = format!("127.0.0.1:{port}");
    let _worker = Worker::start_as(
        ("KAFKA_BOOTSTRAP_SERVERS", &servers),
        &login,
        &["kafka", "--topic", "orders", "--group", "workers"],
    );
    let scenario = Scenario::new(&kafka_queue(port, "topic: orders"), LOAD);
    check_all_completed(&scenario.run(password), password);
    assert_eq!(kafka.length("orders"), 100);
    assert_eq!(kafka.length("orders-completed"), 102);
    // A record is committed after its marker was given back.
    eventually(SOON, "all is committed", || {
        kafka.lag("orders", "workers") == 0
    });

    for (topics, password, expected) in [
        ("topic: other", password, "topic: there is no topic other"),
        (
            "topic: orders, completed: other",
            password,
            "completed: there is no topic other, and the brokers do not make it",
        ),
        (
            "topic: orders, partition: 3",
            password,
            "partition: there is no partition 3, only those from 0 to 2",
        ),
        (
            "topic: orders",
            "hunter2",
            "password: the broker does not take the user and password",
        ),
    ] {
        let output = Scenario::new(&kafka_queue(port, topics), "burst: 1\n").run(password);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("cannot use the Kafka topic"), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert!(!errors.contains(password), "{errors}");
    }
}

#[test]
fn a_burst_of_thousands_is_written_to_kafka_and_a_topic_is_made_for_its_completions() {
    let _machine = machine();
    let Some(kafka) = Kafka::start_making_topics() else {
        return;
    };
    kafka.make_topic("orders", 3);
    let queue = format!(
        "{{kafka: {{bootstrapServers: {{env: BROKER_URL}}, topic: orders, partition: 1, completed: done}}}}"
    );
    // Nobody completes any.
    let scenario = Scenario::new(&queue, "    timeout: 20s\nburst: 5000\n");
    let report = report(&scenario.run(&format!("127.0.0.1:{}", kafka.port)), 2);
    let queue = &report["queues"][0];
    assert_eq!(queue["enqueued"], 5000, "{report:#}");
    assert_eq!(report["total"]["errors"]["timeout"], 5000, "{report:#}");
    assert_eq!(kafka.length("orders:1"), 5000);
    assert_eq!(kafka.partitions("done"), 2);
}
