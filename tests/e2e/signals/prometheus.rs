//! `prometheus`.

use super::{changes, check_faults, until_read, until_ready, worker};
use crate::brokers::prometheus::{METRIC, Prometheus};
use crate::harness::{Ebbtide, SOON, eventually, machine};

#[test]
fn a_query_of_prometheus_scales_from_zero_and_back() {
    let _machine = machine();
    let prometheus = Prometheus::start();
    let address = format!("http://127.0.0.1:{}", prometheus.port);
    let rule = format!(
        "{{type: prometheus, metadata: {{serverAddress: '{address}', query: 'sum({METRIC})', \
         threshold: '10', activationThreshold: '4'}}}}"
    );
    let document = worker("[]", "command: [sleep, '1000']", &rule);
    let ebbtide = Ebbtide::up(&[("worker.yaml", &document)]);
    until_read(&ebbtide, 0.0);
    // As much as the activation is not more than it.
    prometheus.put(4);
    until_read(&ebbtide, 4.0);
    assert_eq!(ebbtide.ready("worker", "worker--v1"), 0);
    prometheus.put(35);
    until_ready(&ebbtide, 4);
    prometheus.put(12);
    until_ready(&ebbtide, 2);
    prometheus.put(0);
    until_ready(&ebbtide, 0);
    let changes = changes(&ebbtide);
    let ends = changes
        .iter()
        .map(|one| one.starts_with("worker--v1 4 → 2: "));
    assert_eq!(ends.filter(|is| *is).count(), 1, "{changes:#?}");
    assert!(
        changes[0].starts_with(
            "worker--v1 0 → 1: orders is active; prometheus orders 35 / target 10 = 4"
        ),
        "{changes:#?}"
    );

    // Without it the number is unknown, and what runs goes on.
    prometheus.put(12);
    until_ready(&ebbtide, 2);
    drop(prometheus);
    eventually(SOON, "the rule is unknown", || {
        super::rule(&ebbtide)["state"] == "unknown"
    });
    let because = super::rule(&ebbtide)["because"].to_string();
    assert!(because.contains("serverAddress: "), "{because}");
    assert_eq!(ebbtide.ready("worker", "worker--v1"), 2);
}

#[test]
fn what_is_wrong_with_a_query_of_prometheus_is_said() {
    let _machine = machine();
    let prometheus = Prometheus::start();
    let address = format!("http://user:hunter2@127.0.0.1:{}", prometheus.port);
    let rule = |address: &str, query: &str| {
        format!(
            "{{type: prometheus, metadata: {{serverAddress: '{address}', query: '{query}', \
             threshold: '10'}}}}"
        )
    };
    check_faults(
        &[
            (
                &rule(&address, "sum("),
                "query: is refused: invalid parameter",
            ),
            (&rule(&address, "\"text\""), "query: "),
            (&rule("http://127.0.0.1:1", METRIC), "serverAddress: "),
            (&rule("https://127.0.0.1:1", METRIC), "onnection refused"),
        ],
        &["hunter2"],
    );
}
