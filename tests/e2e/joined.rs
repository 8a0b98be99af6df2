//! A ready scenario of loadgen against the bundled example: what it sent, joined with what Ebbtide did.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Ebbtide, folder, machine};
use crate::load::Load;

const SCENARIO: &str = include_str!("../../manifests/load/spike.yaml");

/// The scenario at the ports of this Ebbtide and a fifth as long, with a page. Its thresholds are of how fast a machine
/// is; these are not.
fn scenario(ebbtide: &Ebbtide, page: &Path) -> String {
    let (text, _) = SCENARIO.split_once("thresholds:").expect("it has some");
    let ingress = format!("http://127.0.0.1:{}/", ebbtide.ingress);
    let mut text = text.to_owned();
    for (from, to) in [
        ("http://127.0.0.1:8080/", ingress.as_str()),
        ("http://127.0.0.1:8081", &ebbtide.api_url("")),
        ("duration: 20s", "duration: 4s"),
        ("duration: 10s", "duration: 2s"),
    ] {
        assert!(text.contains(from), "{from} is not in the scenario");
        text = text.replace(from, to);
    }
    let page = page.display();
    format!(
        "{text}thresholds: [failed == 0, coldStarts > 0, mostReady >= 2, stages.spike.lost == 0]\n\
         outputs: {{html: {page}}}\n"
    )
}

fn list<'a>(value: &'a Value, path: &str) -> &'a Vec<Value> {
    let found = value.pointer(path).and_then(Value::as_array);
    found.unwrap_or_else(|| panic!("there is no {path} in {value:#}"))
}

#[test]
fn a_ready_scenario_has_requests_and_replicas_on_one_time_line() {
    let _machine = machine();
    let ebbtide = Ebbtide::up_in(folder(&[]), &[]);
    let pages = folder(&[]);
    let page = pages.path().join("spike.html");
    let report = Load::of_scenario(&scenario(&ebbtide, &page)).without_loss();

    let scaler = &report["autoscaler"];
    assert_eq!(scaler["source"], ebbtide.api_url(""));
    assert_eq!(list(scaler, "/gaps").len(), 0, "{scaler:#}");
    let holds = |threshold: &Value| threshold["holds"] == true;
    assert!(list(&report, "/thresholds").iter().all(holds), "{report:#}");

    let messages = list(scaler, "/events").iter();
    let messages: Vec<_> = messages.filter_map(|one| one["message"].as_str()).collect();
    let raised = "hello--blue 0 → 1: 1 request waits";
    assert!(
        messages.iter().any(|one| one.starts_with(raised)),
        "{messages:#?}"
    );
    let figures = &scaler["figures"];
    assert!(figures["timeToFirstReplicaSeconds"].is_f64(), "{figures:#}");
    assert!(figures["timeToZeroSeconds"].is_f64(), "{figures:#}");
    let seconds = list(scaler, "/seconds");
    let ready = |second: &Value| second["ready"].as_u64() >= Some(2);
    assert!(seconds.iter().any(ready), "{seconds:#?}");
    assert!(figures["waitedPercent"].as_f64() > Some(0.0), "{figures:#}");
    assert_eq!(seconds.last().map(|last| &last["ready"]), Some(&0.into()));

    let weights = list(&report, "/revisions").iter();
    let weights: Vec<_> = weights
        .map(|one| (one["revision"].as_str(), one["weightPercent"].as_f64()))
        .collect();
    let expected = [
        (Some("hello--blue"), Some(80.0)),
        (Some("hello--green"), Some(20.0)),
    ];
    assert_eq!(weights, expected);

    let page = std::fs::read_to_string(page).expect("it was written");
    for text in [raised, "time to first replica", "hello--green"] {
        assert!(page.contains(text), "{text} is not on the page");
    }
}
