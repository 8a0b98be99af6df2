//! Brokers that are reached by TLS, with a certificate of an authority that only the scenario knows. Their workers come
//! without it.

use super::outage::complete;
use super::{LOAD, Scenario, Worker, check_all_completed, redis_url, report};
use crate::brokers::nats::{self, Nats};
use crate::brokers::rabbitmq::{self, RabbitMq};
use crate::brokers::redis::Redis;
use crate::harness::machine;

/// What trusts the authority of a folder.
fn trust(folder: &std::path::Path) -> String {
    format!("    tls: {{ca: '{}'}}\n", folder.join("ca.crt").display())
}

/// What a run says that cannot begin.
fn refusal(queue: &str, tls: &str, url: &str) -> String {
    let output = Scenario::new(queue, &format!("{tls}burst: 1\n")).run(url);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    errors
}

#[test]
fn redis_is_loaded_by_tls() {
    let _machine = machine();
    let redis = Redis::start_with_tls();
    let url = redis_url(&redis).replace("redis://", "rediss://");
    let queue = "{redis: {url: {env: BROKER_URL}, list: orders}}";
    let trusted = trust(redis.folder());
    // Its folder is there until the run has read it.
    let scenario = Scenario::new(queue, &format!("{trusted}burst: 3\n"));
    let run = scenario.start(&url);
    complete(&redis, 3);
    let report = report(&run.wait_with_output().unwrap(), 0);
    assert_eq!(report["queues"][0]["completed"], 3, "{report:#}");

    let named = trusted.replace('}', ", serverName: redis.example}");
    for (tls, expected) in [
        ("", "invalid peer certificate: UnknownIssuer"),
        (&named, "certificate not valid for name \"redis.example\""),
    ] {
        let errors = refusal(queue, tls, &url);
        assert!(errors.contains(expected), "{errors}");
    }
    let scenario = Scenario::new(queue, "    tls: {insecure: true}\nburst: 1\n");
    let any = scenario.start(&url);
    complete(&redis, 1);
    assert_eq!(any.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn rabbitmq_is_loaded_by_tls() {
    let _machine = machine();
    let rabbitmq = RabbitMq::start();
    rabbitmq.put(rabbitmq::DEFAULT_VHOST, "orders", 0);
    let (user, password) = (rabbitmq::USER, rabbitmq::PASSWORD);
    let url = format!("amqp://{user}:{password}@127.0.0.1:{}/%2f", rabbitmq.amqp);
    let arguments = ["rabbitmq", "--queue", "orders"];
    let _worker = Worker::start(("RABBITMQ_URL", &url), &arguments);
    let queue = "{rabbitmq: {url: {env: BROKER_URL}, queue: orders}}";
    let url = format!("amqps://{user}:{password}@127.0.0.1:{}/%2f", rabbitmq.amqps);
    let load = format!("{}{LOAD}", trust(rabbitmq.folder()));
    check_all_completed(&Scenario::new(queue, &load).run(&url), password);
    let errors = refusal(queue, "", &url);
    assert!(errors.contains("invalid peer certificate"), "{errors}");
    assert!(!errors.contains(password), "{errors}");
}

#[test]
fn nats_is_loaded_by_tls() {
    let _machine = machine();
    let nats = Nats::start_with_tls();
    nats.make_stream("ORDERS", "orders");
    nats.make_consumer("ORDERS", "workers");
    let (user, password) = (nats::USER, nats::PASSWORD);
    let address = format!("127.0.0.1:{}", nats.port);
    let arguments = [
        "nats-jetstream",
        "--stream",
        "ORDERS",
        "--consumer",
        "workers",
    ];
    let login = [("NATS_USER", user), ("NATS_PASSWORD", password)];
    let _worker = Worker::start_as(("NATS_ADDRESS", &address), &login, &arguments);
    let queue = "{natsJetstream: {url: {env: BROKER_URL}, subject: orders}}";
    let url = format!("tls://{user}:{password}@{address}");
    let load = format!("{}{LOAD}", trust(nats.folder()));
    check_all_completed(&Scenario::new(queue, &load).run(&url), password);
    let errors = refusal(queue, "", &url);
    assert!(errors.contains("invalid peer certificate"), "{errors}");
    assert!(!errors.contains(password), "{errors}");
}
