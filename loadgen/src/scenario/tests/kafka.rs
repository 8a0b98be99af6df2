use ebbtide_brokers::kafka::Mechanism;

use super::{errors, load_text};
use crate::plan::{Broker, KafkaTopic, Secret, TargetKind};

/// The topic, and the one of its completions, of a scenario whose queue has these keys.
fn topic(keys: &str) -> (KafkaTopic, String) {
    let text = format!("targets: [{{queue: {{kafka: {{{keys}}}}}}}]\nburst: 1\n");
    let mut plan = load_text(&text)
        .unwrap_or_else(|error| panic!("{error}"))
        .plan;
    assert!(!format!("{plan:?}").contains("hunter2"));
    match plan.targets.remove(0).kind {
        TargetKind::Queue(queue) => match queue.broker {
            Broker::Kafka(of) => (*of, queue.completed),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_topic_is_a_queue() {
    let (found, completed) = topic("bootstrapServers: 'a:9092, [::1]:9092', topic: orders");
    assert_eq!(found.servers.reveal(), "a:9092, [::1]:9092");
    assert_eq!(
        (found.topic.as_str(), completed.as_str()),
        ("orders", "orders-completed")
    );
    assert!(found.partition.is_none() && found.login.is_none() && found.tls.is_none());
}

#[test]
fn who_logs_in_and_what_secures_connections_may_be_elsewhere() {
    let (found, completed) = topic(
        "bootstrapServers: {env: NOT_SET_ANYWHERE}, topic: orders, partition: 2, completed: done, \
         sasl: scram_sha512, username: me, password: hunter2, tls: enable, ca: {file: ca.pem}, \
         cert: {file: not-there}, key: {env: NOT_SET_ANYWHERE}, unsafeSsl: true",
    );
    assert_eq!((found.partition, completed.as_str()), (Some(2), "done"));
    let login = found.login.unwrap();
    assert_eq!(login.mechanism, Mechanism::ScramSha512);
    assert_eq!(
        (login.user.reveal(), login.password.reveal()),
        ("me", "hunter2")
    );
    let tls = found.tls.unwrap();
    assert!(tls.any_server);
    // It may be there only where the run is.
    let unknown = Some(Secret::new(String::new()));
    assert_eq!(
        [tls.ca, tls.cert, tls.key],
        [unknown.clone(), unknown.clone(), unknown]
    );
}

#[test]
fn what_a_topic_cannot_have_is_said() {
    let servers = "bootstrapServers: 'a:9092'";
    for (keys, expected) in [
        ("topic: a".to_owned(), "bootstrapServers"),
        (
            "bootstrapServers: 'kafka://x:hunter2@a', topic: a".to_owned(),
            "targets[0].queue.kafka.bootstrapServers: it is HOST:PORT, as in kafka:9092, or several of these with commas",
        ),
        (
            "bootstrapServers: '', topic: a".to_owned(),
            "targets[0].queue.kafka.bootstrapServers: it is empty",
        ),
        (
            format!("{servers}, topic: ''"),
            "targets[0].queue.kafka.topic: it is empty",
        ),
        (
            format!("{servers}, topic: 'a b'"),
            "targets[0].queue.kafka.topic: `a b` is not a topic: it has up to 249 letters, digits, `.`, `_` and `-`",
        ),
        (
            format!("{servers}, topic: a, completed: 'a/b'"),
            "targets[0].queue.kafka.completed: `a/b` is not a topic",
        ),
        (
            format!("{servers}, topic: a, completed: a"),
            "targets[0].queue.kafka.completed: it is another one, which has a name",
        ),
        (
            format!("{servers}, topic: a, partition: -1"),
            "targets[0].queue.kafka.partition: partitions are counted from 0",
        ),
        (
            format!("{servers}, topic: a, password: hunter2"),
            "targets[0].queue.kafka.password: without `sasl` nobody logs in: give `sasl`, or remove this",
        ),
        (
            format!("{servers}, topic: a, sasl: plaintext, username: me"),
            "targets[0].queue.kafka.password: it is missing beside `sasl`",
        ),
        (
            format!("{servers}, topic: a, sasl: oauthbearer"),
            "`oauthbearer` is no choice here",
        ),
        (
            format!("{servers}, topic: a, tls: disable, unsafeSsl: true"),
            "targets[0].queue.kafka.unsafeSsl: there is no TLS: give `tls: enable`, or remove this",
        ),
        (
            format!("{servers}, topic: a, tls: enable, cert: {{file: c}}"),
            "targets[0].queue.kafka.key: it is missing beside `cert`",
        ),
        (
            format!("{servers}, topic: a, password: {{variable: X}}"),
            "write the text, {env: VARIABLE} or {file: PATH}",
        ),
    ] {
        let found = errors(&format!(
            "targets: [{{queue: {{kafka: {{{keys}}}}}}}]\nburst: 1\n"
        ));
        assert!(found.contains(expected), "{keys}\n{found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}
