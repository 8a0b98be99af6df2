//! Texts that say where a broker is and who logs in, as `validate` and `run` read them.

use super::*;
use crate::plan::{Broker, Secret};

/// Targets whose text, at this field, is `TEXT`, and one that is in order.
const TARGETS: [(&str, &str, &str); 10] = [
    (
        "azureQueue.connection",
        "azureQueue: {connection: TEXT, queue: jobs}",
        "AccountName=shop;AccountKey=c2VzYW1l",
    ),
    (
        "azureServicebus.connection",
        "azureServicebus: {connection: TEXT, queue: jobs}",
        "Endpoint=sb://ns.example/;SharedAccessKeyName=root;SharedAccessKey=sesame",
    ),
    (
        "redis.url",
        "redis: {url: TEXT, list: jobs}",
        "redis://localhost",
    ),
    (
        "redisStreams.url",
        "redisStreams: {url: TEXT, stream: jobs}",
        "rediss://localhost",
    ),
    (
        "natsJetstream.url",
        "natsJetstream: {url: TEXT, subject: jobs}",
        "nats://localhost",
    ),
    (
        "rabbitmq.url",
        "rabbitmq: {url: TEXT, queue: jobs}",
        "amqp://localhost",
    ),
    (
        "kafka.bootstrapServers",
        "kafka: {bootstrapServers: TEXT, topic: jobs}",
        "a:9092, b:9092",
    ),
    (
        "kafka.password",
        "kafka: {bootstrapServers: 'a:9092', topic: jobs, sasl: plaintext, username: me, password: TEXT}",
        "sesame",
    ),
    (
        "postgresql.connection",
        "postgresql: {connection: TEXT, table: jobs}",
        "postgresql://u@db/shop",
    ),
    (
        "mysql.connection",
        "mysql: {connection: TEXT, table: jobs}",
        "u@tcp(db)/shop",
    ),
];

/// Who reads a scenario.
const READERS: [(&str, Resolve); 2] = [("validate", Resolve::Nothing), ("run", Resolve::Addresses)];

/// What is read of a target whose text is this, or the errors.
fn read(queue: &str, text: &str, resolve: Resolve) -> Result<Secret, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.yaml");
    let queue = queue.replace("TEXT", text);
    std::fs::write(
        &file,
        format!("targets: [{{queue: {{{queue}}}}}]\nburst: 1\n"),
    )
    .unwrap();
    std::fs::write(folder.path().join("blank"), " \n").unwrap();
    let loaded = load(&file, resolve, |_| {});
    let mut plan = loaded.map_err(|error| error.to_string())?.plan;
    let TargetKind::Queue(queue) = plan.targets.remove(0).kind else {
        panic!("{plan:?}");
    };
    Ok(match queue.broker {
        Broker::Kafka(of) => match of.login {
            Some(login) => login.password,
            None => of.servers,
        },
        broker => broker.url().clone(),
    })
}

#[test]
fn spaces_around_a_text_do_not_count() {
    for (field, queue, right) in TARGETS {
        for (who, resolve) in READERS {
            for given in [right.to_owned(), format!("  {right}\\n\\t ")] {
                let text = format!("\"{given}\"");
                let found = read(queue, &text, resolve);
                let found = found.unwrap_or_else(|error| panic!("{who}: {field}: {error}"));
                assert_eq!(found.reveal(), right, "{who}: {field}: {text}");
            }
        }
    }
}

#[test]
fn an_empty_text_is_an_error_of_its_field() {
    for (field, queue, _) in TARGETS {
        for (who, resolve) in READERS {
            for text in ["''", "'  '", "\"\\n\""] {
                let found = read(queue, text, resolve).unwrap_err();
                let expected = format!("targets[0].queue.{field}: it is empty");
                assert!(found.contains(&expected), "{who}: {text}\n{found}");
                assert_eq!(found.matches(field).count(), 1, "{who}: {text}\n{found}");
            }
        }
    }
}

#[test]
fn a_text_in_a_file_is_read_by_the_run_alone() {
    for (field, queue, _) in TARGETS {
        for file in ["blank", "missing"] {
            let text = format!("{{file: {file}}}");
            assert_eq!(
                read(queue, &text, Resolve::Nothing).unwrap().reveal(),
                "",
                "{field}"
            );
            let found = read(queue, &text, Resolve::Addresses).unwrap_err();
            assert!(found.contains(&format!("{field}: ")), "{found}");
            let why = if file == "blank" {
                "blank` is empty"
            } else {
                "missing`: "
            };
            assert!(found.contains(why), "{found}");
        }
    }
}
