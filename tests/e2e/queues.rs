//! Queues that loadgen loads and the sample worker works off: on real brokers, with the worker's own markers and with
//! those that somebody else gives back.

mod azure;
mod databases;
mod kafka;
mod outage;
mod tls;

use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::brokers::nats::{self, Nats};
use crate::brokers::rabbitmq::{self, RabbitMq};
use crate::brokers::redis::{PASSWORD, Redis};
use crate::harness::{SOON, ebbtide, eventually, folder, machine, program};

/// What another run has left.
const LEFT_OVER: &str = "loadgen1:00000000000000ab:0:0";

/// The sample worker, until it is dropped.
struct Worker(Child);

impl Worker {
    fn start(url: (&str, &str), arguments: &[&str]) -> Self {
        Self::start_as(url, &[], arguments)
    }

    fn start_as(url: (&str, &str), login: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = ebbtide();
        command
            .args(["sample-worker", "--service-time", "5ms"])
            .args(["--completed", "orders-completed"])
            .args(arguments)
            .env(url.0, url.1)
            .envs(login.iter().copied())
            .env("CONTAINER_APP_REVISION", "worker--v1")
            .env("CONTAINER_APP_REPLICA_NAME", "worker--v1-a")
            .stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A scenario with one target, `orders`, in a folder of its own.
struct Scenario(TempDir);

impl Scenario {
    fn new(queue: &str, rest: &str) -> Self {
        Self::with_body(queue, "order ${sequence}", rest)
    }

    fn with_body(queue: &str, body: &str, rest: &str) -> Self {
        let text =
            format!("targets:\n  - name: orders\n    queue: {queue}\n    body: '{body}'\n{rest}");
        Self(folder(&[("queue.yaml", &text)]))
    }

    fn start(&self, url: &str) -> Child {
        let mut command = Command::new(program("LOADGEN_BIN", "loadgen"));
        command
            .args(["run", "queue.yaml", "--output", "json", "--quiet"])
            .env("BROKER_URL", url)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn run(&self, url: &str) -> Output {
        self.start(url).wait_with_output().unwrap()
    }
}

/// The report. The code is 3 if the machine was so busy that the generator lagged.
fn report(output: &Output, code: i32) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"));
    let code = if report["valid"] == true { code } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{report:#}");
    report
}

fn redis_url(redis: &Redis) -> String {
    format!("redis://:{PASSWORD}@127.0.0.1:{}/0", redis.port)
}

/// 60 messages at once and 40 in two seconds: all of them are completed by one worker, one after the other.
const LOAD: &str = "    timeout: 60s\nburst: 60\nschedule: {constant: {rate: 20, duration: 2s}}\n\
                    thresholds: [queues.orders.completed == 100, queues.orders.failed == 0]\n";

fn check_all_completed(output: &Output, secret: &str) {
    let report = report(output, 0);
    let queue = &report["queues"][0];
    assert_eq!(queue["name"], "orders");
    for (figure, expected) in [
        ("enqueued", 100),
        ("completed", 100),
        ("failed", 0),
        ("repeated", 0),
    ] {
        assert_eq!(queue[figure], expected, "{figure}: {report:#}");
    }
    // The last of the burst has waited for 60 times 5 ms.
    assert!(
        queue["completionTime"]["maxMs"].as_f64().unwrap() >= 299.0,
        "{queue:#}"
    );
    assert_eq!(queue["enqueueTime"]["count"], 100, "{queue:#}");
    assert!(
        queue["enqueueTime"]["maxMs"].as_f64() < queue["completionTime"]["maxMs"].as_f64(),
        "{queue:#}"
    );
    let revision = &report["revisions"][0];
    assert_eq!(revision["revision"], "worker--v1", "{report:#}");
    assert_eq!(revision["replicas"]["worker--v1-a"], 100, "{report:#}");
    let seconds = report["seconds"].as_array().unwrap();
    let sum = |key: &str| {
        seconds
            .iter()
            .filter_map(|second| second[key].as_u64())
            .sum::<u64>()
    };
    assert_eq!(
        (sum("sent"), sum("succeeded"), sum("failed")),
        (100, 100, 0)
    );
    assert!(!report.to_string().contains(secret));
}

#[test]
fn every_element_of_a_list_is_completed() {
    let _machine = machine();
    let redis = Redis::start();
    redis.cli(&["rpush", "orders-completed", LEFT_OVER, "nonsense"]);
    let url = redis_url(&redis);
    let _worker = Worker::start(("REDIS_URL", &url), &["redis", "--list", "orders"]);
    let scenario = Scenario::new("{redis: {url: {env: BROKER_URL}, list: orders}}", LOAD);
    check_all_completed(&scenario.run(&url), PASSWORD);
    for list in ["orders", "orders:processing", "orders-completed"] {
        assert_eq!(redis.length(list), 0, "{list}");
    }
}

#[test]
fn every_entry_of_a_stream_is_completed() {
    let _machine = machine();
    let redis = Redis::start();
    let url = redis_url(&redis);
    let arguments = ["redis-streams", "--stream", "orders", "--group", "workers"];
    let _worker = Worker::start(("REDIS_URL", &url), &arguments);
    let scenario = Scenario::new(
        "{redisStreams: {url: {env: BROKER_URL}, stream: orders}}",
        LOAD,
    );
    check_all_completed(&scenario.run(&url), PASSWORD);
}

#[test]
fn every_message_of_rabbitmq_is_completed() {
    let _machine = machine();
    let rabbitmq = RabbitMq::start();
    rabbitmq.put(rabbitmq::DEFAULT_VHOST, "orders", 0);
    let (user, password, port) = (rabbitmq::USER, rabbitmq::PASSWORD, rabbitmq.amqp);
    let url = format!("amqp://{user}:{password}@127.0.0.1:{port}/%2f");
    let arguments = ["rabbitmq", "--queue", "orders"];
    let _worker = Worker::start(("RABBITMQ_URL", &url), &arguments);
    let scenario = Scenario::new("{rabbitmq: {url: {env: BROKER_URL}, queue: orders}}", LOAD);
    check_all_completed(&scenario.run(&url), password);

    let missing = Scenario::new(
        "{rabbitmq: {url: {env: BROKER_URL}, queue: other}}",
        "burst: 1\n",
    );
    let output = missing.run(&url);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("RabbitMQ has no queue other"), "{errors}");
    assert!(!errors.contains(password), "{errors}");
}

#[test]
fn every_message_of_nats_is_completed() {
    let _machine = machine();
    let nats = Nats::start();
    nats.make_stream("ORDERS", "orders");
    nats.make_consumer("ORDERS", "workers");
    let (user, password, port) = (nats::USER, nats::PASSWORD, nats.port);
    let address = format!("127.0.0.1:{port}");
    let arguments = [
        "nats-jetstream",
        "--stream",
        "ORDERS",
        "--consumer",
        "workers",
    ];
    let login = [("NATS_USER", user), ("NATS_PASSWORD", password)];
    let _worker = Worker::start_as(("NATS_ADDRESS", &address), &login, &arguments);
    let url = format!("nats://{user}:{password}@{address}");
    let queue = |subject: &str| {
        format!("{{natsJetstream: {{url: {{env: BROKER_URL}}, subject: {subject}}}}}")
    };
    check_all_completed(&Scenario::new(&queue("orders"), LOAD).run(&url), password);

    let nobody = Scenario::new(&queue("other"), "burst: 1\n").run(&url);
    let report = report(&nobody, 2);
    assert_eq!(report["queues"][0]["enqueued"], 0, "{report:#}");
    let why = report["total"]["errorSamples"]["protocol"]
        .as_str()
        .unwrap();
    assert!(why.contains("no stream listens to the subject"), "{why}");
}

#[test]
fn what_nobody_completes_is_lost_and_what_is_completed_twice_is_seen() {
    let _machine = machine();
    let redis = Redis::start();
    let url = redis_url(&redis);
    let queue = "{redis: {url: {env: BROKER_URL}, list: orders, completed: done}}";
    let scenario = Scenario::new(queue, "    timeout: 20s\nburst: 3\n");
    let run = scenario.start(&url);
    eventually(SOON, "three messages are there", || {
        redis.length("orders") == 3
    });
    let element = redis.cli(&["lpop", "orders"]);
    let (marker, body) = element.split_once(' ').unwrap();
    assert!(body.starts_with("order "), "{element}");
    redis.cli(&["rpush", "done", marker, marker]);
    let report = report(&run.wait_with_output().unwrap(), 2);
    let queue = &report["queues"][0];
    for (figure, expected) in [
        ("enqueued", 3),
        ("completed", 1),
        ("failed", 2),
        ("repeated", 1),
    ] {
        assert_eq!(queue[figure], expected, "{figure}: {report:#}");
    }
    assert_eq!(report["total"]["lost"], 2, "{report:#}");
    assert_eq!(report["total"]["errors"]["timeout"], 2, "{report:#}");
    let why = report["total"]["errorSamples"]["timeout"].as_str().unwrap();
    assert_eq!(why, "not completed within 20s");
}

#[test]
fn what_cannot_be_used_is_said_without_the_password() {
    let _machine = machine();
    let redis = Redis::start();
    let port = redis.port;
    drop(redis);
    let queue = "{redis: {url: {env: BROKER_URL}, list: orders}}";
    let scenario = Scenario::new(queue, "    timeout: 5s\nburst: 1\n");
    let output = scenario.run(&format!("redis://:hunter2@127.0.0.1:{port}/0"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("cannot use the Redis list orders"),
        "{errors}"
    );
    assert!(!errors.contains("hunter2"), "{errors}");
}
