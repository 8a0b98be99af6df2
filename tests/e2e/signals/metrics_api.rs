//! `metrics-api`, by the API of Prometheus.

use super::{changes, check_faults, until_read, until_ready, worker};
use crate::brokers::prometheus::{METRIC, Prometheus};
use crate::harness::{Ebbtide, machine};

/// A rule that reads what is at a path of the answer to a query.
fn rule(port: u16, query: &str, path: &str, more: &str) -> String {
    format!(
        "{{type: metrics-api, metadata: {{url: 'http://127.0.0.1:{port}/api/v1/query?query={query}', \
         valueLocation: '{path}', targetValue: '10'{more}}}}}"
    )
}

const PATH: &str = "data.result.0.value.1";

#[test]
fn a_number_in_an_answer_scales_from_zero_and_back() {
    let _machine = machine();
    let prometheus = Prometheus::start();
    let rule = rule(
        prometheus.port,
        METRIC,
        PATH,
        ", activationTargetValue: '4'",
    );
    let document = worker("[]", "command: [sleep, '1000']", &rule);
    let ebbtide = Ebbtide::up(&[("worker.yaml", &document)]);
    until_read(&ebbtide, 0.0);
    prometheus.put(4);
    until_read(&ebbtide, 4.0);
    assert_eq!(ebbtide.ready("worker", "worker--v1"), 0);
    prometheus.put(35);
    until_ready(&ebbtide, 4);
    prometheus.put(0);
    until_ready(&ebbtide, 0);
    let changes = changes(&ebbtide);
    assert!(
        changes[0].starts_with(
            "worker--v1 0 → 1: orders is active; metrics-api orders 35 / target 10 = 4"
        ),
        "{changes:#?}"
    );
}

#[test]
fn what_is_wrong_with_a_number_in_an_answer_is_said() {
    let _machine = machine();
    let prometheus = Prometheus::start();
    let port = prometheus.port;
    let key = ", authModes: apiKey, apiKey: hunter2, method: query";
    check_faults(
        &[
            (
                &rule(port, "sum(", PATH, ""),
                "url: the server answered 400",
            ),
            (
                &rule(port, METRIC, "data.nothing", ""),
                "valueLocation: leads to nothing",
            ),
            (
                &rule(port, METRIC, "data.result", ""),
                "valueLocation: leads to a list",
            ),
            (
                &rule(port, METRIC, PATH, ", format: xml"),
                "format: the answer is not XML",
            ),
            (
                &rule(port, "vector(-2)", PATH, ""),
                "-2 was read, which is not an amount",
            ),
            (&rule(1, METRIC, PATH, key), "url: "),
            (&rule(port, "sum(", PATH, key), "the server answered 400"),
        ],
        &["hunter2"],
    );
}
