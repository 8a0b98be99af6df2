//! Rules that read from real servers: from zero, up as the formula says, and back.

mod azure_queue;
mod azure_servicebus;
mod cron;
mod external;
mod kafka;
mod metrics_api;
mod mysql;
mod nats_jetstream;
mod postgresql;
mod prometheus;
mod rabbitmq;
mod redis;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Ebbtide, SOON, ebbtide, eventually};

/// An app `worker` in a file, whose rule `orders` a test reads, with quick limits.
///
/// `secrets` and `rule` are YAML in one line; `container` is what its one container has beside its name.
pub(crate) fn worker(secrets: &str, container: &str, rule: &str) -> String {
    format!(
        "
name: worker
tags: {{ebbtide.scaleInStabilizationSeconds: '2'}}
properties:
  configuration: {{secrets: {secrets}}}
  template:
    revisionSuffix: v1
    containers: [{{name: worker, {container}}}]
    scale:
      maxReplicas: 8
      pollingInterval: 1
      cooldownPeriod: 3
      rules:
      - {{name: orders, custom: {rule}}}
"
    )
}

/// What the container of an app has that works on a queue, a second for each message: the broker, what
/// says which queue, and the variable that has the secret `address`.
pub(crate) fn sample_worker(broker: &str, queue: &str, variable: &str) -> String {
    format!(
        "command: ['$(EBBTIDE_PROGRAM)', sample-worker, {broker}], args: [{queue}, --service-time, \
         1s], env: [{{name: {variable}, secretRef: address}}]"
    )
}

/// Runs an app whose replicas work a queue off, of which one is there for ten messages: 40 messages
/// bring four, and each is finished once; then there are none again.
pub(crate) fn check_drain(document: &str, put: impl Fn(usize), length: impl Fn() -> u64) {
    let ebbtide = Ebbtide::up(&[("worker.yaml", document)]);
    until_read(&ebbtide, 0.0);
    assert_eq!(ebbtide.ready("worker", "worker--v1"), 0);
    put(40);
    until_ready(&ebbtide, 4);
    eventually(SOON, "the queue is empty", || length() == 0);
    until_ready(&ebbtide, 0);
    let changes = changes(&ebbtide);
    assert!(
        changes[0].starts_with("worker--v1 0 → 1: orders is active; "),
        "{changes:#?}"
    );
    assert!(changes[1].contains(" / target 10 = 4"), "{changes:#?}");
    let last = changes.last().map(String::as_str).unwrap_or_default();
    assert!(last.contains("→ 0: no activity for "), "{changes:#?}");
    assert_eq!(done(&ebbtide), 40);
}

const PAUSE: Duration = Duration::from_millis(50);

/// Lets a moment pass, which is no success.
fn pause() -> bool {
    std::thread::park_timeout(PAUSE);
    false
}

/// The rule `orders` of the app `worker`.
pub(crate) fn rule(ebbtide: &Ebbtide) -> Value {
    ebbtide.revision("worker", "worker--v1")["rules"][0].clone()
}

/// Waits until the rule has read this number.
pub(crate) fn until_read(ebbtide: &Ebbtide, number: f64) {
    let mut seen = Value::Null;
    let mut is_read = || {
        seen = rule(ebbtide);
        seen["value"] == number
    };
    let tries = SOON.as_millis() / PAUSE.as_millis();
    let read = (0..tries).any(|_| is_read() || pause());
    assert!(read, "{number} is not read: {seen}");
}

/// Waits until as many replicas are ready.
pub(crate) fn until_ready(ebbtide: &Ebbtide, replicas: u64) {
    eventually(SOON, &format!("{replicas} are ready"), || {
        ebbtide.ready("worker", "worker--v1") == replicas
    });
}

/// The sentences of all decisions so far, oldest first.
pub(crate) fn decisions(ebbtide: &Ebbtide) -> Vec<String> {
    let decisions = ebbtide.api("/api/v1/apps/worker/decisions");
    let all = decisions["value"].as_array().cloned().unwrap_or_default();
    let sentences = all.iter().rev().filter_map(|one| one["sentence"].as_str());
    sentences.map(str::to_owned).collect()
}

/// Those of decisions that changed the number.
pub(crate) fn changes(ebbtide: &Ebbtide) -> Vec<String> {
    let mut sentences = decisions(ebbtide);
    sentences.retain(|sentence| sentence.contains(" → "));
    sentences
}

/// The number of messages that replicas of the app `worker` say they are done with.
pub(crate) fn done(ebbtide: &Ebbtide) -> usize {
    let logs = ebbtide.cli_text(&["logs", "worker", "--tail", "1000"]);
    logs.lines().filter(|line| line.contains("done ")).count()
}

/// Runs an app for each fault, whose rule is YAML in one line, and checks what each one says. None of
/// them may say any of `secrets`, in an answer or in the log.
pub(crate) fn check_faults(faults: &[(&str, &str)], secrets: &[&str]) {
    let documents: Vec<(String, String)> = faults
        .iter()
        .enumerate()
        .map(|(number, (rule, _))| {
            let text = worker("[]", "command: [sleep, '1000']", rule);
            let name = format!("worker{number}");
            let text = text.replace("name: worker\n", &format!("name: {name}\n"));
            (format!("{name}.yaml"), text)
        })
        .collect();
    let documents: Vec<(&str, &str)> = documents
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let ebbtide = Ebbtide::up(&documents);
    for (number, (fault, expected)) in faults.iter().enumerate() {
        let app = format!("worker{number}");
        let read = || {
            let rule = ebbtide.revision(&app, &format!("{app}--v1"))["rules"][0].clone();
            assert_eq!(rule["value"], Value::Null, "{fault}: {rule}");
            rule["because"].as_str().unwrap_or_default().to_owned()
        };
        eventually(
            SOON,
            &format!("{fault} says {expected}: {}", read()),
            || read().contains(expected),
        );
        let decision = ebbtide.revision(&app, &format!("{app}--v1"))["decision"].to_string();
        assert!(decision.contains("unknown"), "{fault}: {decision}");
    }
    let answers = ebbtide.api("/api/v1/apps").to_string();
    let log = ebbtide.stop();
    for secret in secrets {
        assert!(!answers.contains(secret), "{answers}");
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn the_local_examples_are_valid() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/local");
    let output = ebbtide()
        .args(["validate", "--set", "authority=-----BEGIN CERTIFICATE-----"])
        .arg(&examples)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("warning"), "{said}");
}
