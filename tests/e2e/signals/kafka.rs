//! `kafka`.

use super::{check_drain, check_faults, worker};
use crate::brokers::kafka::{Kafka, PASSWORD, USER};
use crate::harness::machine;

#[test]
fn a_topic_of_kafka_is_worked_off_by_its_group() {
    let _machine = machine();
    let Some(kafka) = Kafka::start() else {
        return;
    };
    kafka.make_topic("orders", 4);
    let container = format!(
        "command: ['$(EBBTIDE_PROGRAM)', sample-worker, kafka], args: [--topic, orders, --group, workers, \
         --service-time, 1s], env: [{{name: KAFKA_BOOTSTRAP_SERVERS, value: '127.0.0.1:{}'}}, \
         {{name: KAFKA_SASL, value: scram_sha256}}, {{name: KAFKA_USERNAME, value: {USER}}}, \
         {{name: KAFKA_PASSWORD, secretRef: password}}]",
        kafka.sasl
    );
    let rule = format!(
        "{{type: kafka, metadata: {{bootstrapServers: '127.0.0.1:{}', topic: orders, consumerGroup: \
         workers, offsetResetPolicy: earliest, sasl: plaintext, username: {USER}}}, \
         auth: [{{secretRef: password, triggerParameter: password}}]}}",
        kafka.sasl
    );
    let secrets = format!("[{{name: password, value: {PASSWORD}}}]");
    check_drain(
        &worker(&secrets, &container, &rule),
        |number| kafka.put("orders", number),
        || kafka.lag("orders", "workers"),
    );
}

#[test]
fn what_is_wrong_with_a_topic_of_kafka_is_said() {
    let _machine = machine();
    let Some(kafka) = Kafka::start() else {
        return;
    };
    kafka.make_topic("orders", 1);
    let rule = |port: u16, topic: &str, more: &str| {
        format!(
            "{{type: kafka, metadata: {{bootstrapServers: '127.0.0.1:{port}', topic: {topic}, \
             consumerGroup: workers{more}}}}}"
        )
    };
    let login =
        |password: &str| format!(", sasl: scram_sha256, username: {USER}, password: {password}");
    let servers = "bootstrapServers: ";
    check_faults(
        &[
            (
                &rule(kafka.port, "nothing", ""),
                "topic: there is no topic nothing",
            ),
            (
                &rule(kafka.sasl, "orders", &login("hunter2")),
                "password: the broker does not take the user and password",
            ),
            (&rule(kafka.sasl, "orders", ""), servers),
            (&rule(1, "orders", ""), "bootstrapServers: cannot connect"),
            (&rule(kafka.port, "orders", ", tls: enable"), servers),
        ],
        &["hunter2", PASSWORD],
    );
}
