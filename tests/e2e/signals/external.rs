//! `external` and `external-push`: another Ebbtide is the scaler.

use super::{changes, check_faults, until_read, until_ready, worker};
use crate::brokers::prometheus::{METRIC, Prometheus};
use crate::harness::{Ebbtide, machine};
use crate::load::Document;

#[test]
fn what_another_scaler_decides_is_done() {
    let _machine = machine();
    let prometheus = Prometheus::start();
    let rule = format!(
        "{{type: prometheus, metadata: {{serverAddress: 'http://127.0.0.1:{}', query: {METRIC}, \
         threshold: '10'}}}}",
        prometheus.port
    );
    let scaler = Ebbtide::up(&[(
        "worker.yaml",
        &worker("[]", "command: [sleep, '1000']", &rule),
    )]);
    let rule = format!(
        "{{type: external, metadata: {{scalerAddress: '127.0.0.1:{}', app: worker}}}}",
        scaler.keda
    );
    let ebbtide = Ebbtide::up(&[(
        "worker.yaml",
        &worker("[]", "command: [sleep, '1000']", &rule),
    )]);
    until_read(&ebbtide, 0.0);
    prometheus.put(35);
    until_ready(&ebbtide, 4);
    prometheus.put(0);
    until_ready(&ebbtide, 0);
    let changes = changes(&ebbtide);
    assert!(
        changes[0].starts_with("worker--v1 0 → 1: orders is active; external orders "),
        "{changes:#?}"
    );
}

#[test]
fn a_scaler_that_pushes_wakes_at_once() {
    let _machine = machine();
    let scaler = Ebbtide::up(&[("web.yaml", &Document::default().yaml())]);
    let rule = format!(
        "{{type: external-push, metadata: {{scalerAddress: '127.0.0.1:{}', app: web}}}}",
        scaler.keda
    );
    // It is not asked again for an hour.
    let document = worker("[]", "command: [sleep, '1000']", &rule)
        .replace("pollingInterval: 1\n", "pollingInterval: 3600\n");
    let ebbtide = Ebbtide::up(&[("worker.yaml", &document)]);
    until_read(&ebbtide, 0.0);
    assert_eq!(scaler.request("web.localhost", "/").status, 200);
    until_ready(&ebbtide, 1);
}

#[test]
fn what_is_wrong_with_another_scaler_is_said() {
    let _machine = machine();
    let scaler = Ebbtide::up(&[("web.yaml", &Document::default().yaml())]);
    let rule = |address: &str, app: &str, more: &str| {
        format!("{{type: external, metadata: {{scalerAddress: '{address}', app: {app}{more}}}}}")
    };
    let address = format!("127.0.0.1:{}", scaler.keda);
    check_faults(
        &[
            (
                &rule(&address, "nothing", ", token: hunter2"),
                "scalerAddress: GetMetricSpec fails",
            ),
            (
                &rule("127.0.0.1:1", "web", ""),
                "scalerAddress: cannot connect to 127.0.0.1:1",
            ),
            (
                &rule(&address, "web", ", enableTLS: 'true'"),
                "scalerAddress: TLS with ",
            ),
        ],
        &[],
    );
}
