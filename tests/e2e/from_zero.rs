//! From zero, under load, split 80 to 20, and back to zero, with the reason for each step.

use std::time::Duration;

use crate::harness::{Ebbtide, SOON, eventually, folder, machine};
use crate::load::{Document, Load};

#[test]
fn the_bundled_example_goes_from_zero_to_some_and_back() {
    let _machine = machine();
    let ebbtide = Ebbtide::up_in(folder(&[]), &[]);
    let ready = ["blue", "green"].map(|one| ebbtide.ready("hello", &format!("hello--{one}")));
    assert_eq!(ready, [0, 0]);

    let first = ebbtide.request("hello.localhost", "/");
    assert_eq!(first.status, 200, "{first:?}");
    let timing = first
        .header("server-timing")
        .expect("the first request waited");
    assert!(timing.starts_with("coldstart;dur="), "{timing}");
    // Its label leads to a revision, whatever the weights.
    let green = ebbtide.request("hello---green.localhost", "/");
    assert_eq!(
        green.header("x-revision"),
        Some("hello--green"),
        "{green:?}"
    );

    let arguments =
        "--rate 200 --duration 12s --arrival poisson --seed 7 --count-header x-revision";
    let report = Load::start(&ebbtide, "hello.localhost", arguments).without_loss();
    let traffic = &ebbtide.api("/api/v1/apps/hello")["traffic"];
    let observed = |place: usize| traffic[place]["observedPercent"].as_f64().unwrap();
    let (blue, green) = (observed(0), observed(1));
    assert!(
        (blue - 80.0).abs() < 1.0 && (green - 20.0).abs() < 1.0,
        "{traffic}: {report:#}"
    );

    let decisions = ebbtide.api("/api/v1/apps/hello/decisions?limit=100");
    let sentences: Vec<&str> = decisions["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["revision"] == "hello--blue" && one["from"] != one["to"])
        .map(|one| one["sentence"].as_str().unwrap())
        .collect();
    let first = sentences.last().expect("there are decisions");
    assert!(
        first.starts_with("hello--blue 0 → 1: 1 request waits; http "),
        "{sentences:#?}"
    );
    let reasons = sentences
        .iter()
        .filter(|one| one.contains(" / target 4 = "));
    assert!(reasons.count() >= 3, "{sentences:#?}");
    eventually(SOON, "both revisions are at zero again", || {
        let zero = |one: &str| ebbtide.ready("hello", one) == 0;
        zero("hello--blue") && zero("hello--green")
    });
    let log = ebbtide.stop();
    assert!(log.contains("hello--blue 0 → 1"), "{log}");
}

#[test]
fn a_thousand_requests_at_once_to_an_app_at_zero_are_all_answered() {
    let _machine = machine();
    let document = Document {
        args: "[--start-delay, 300ms]",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    let report = Load::start(
        &ebbtide,
        "web.localhost",
        "--burst 1000 --rate 1 --duration 1s",
    )
    .without_loss();
    assert_eq!(
        report["total"]["statusCodes"]["200"].as_u64().unwrap_or(0),
        1001,
        "{report:#}"
    );
    eventually(SOON, "every request is counted", || {
        ebbtide.revision("web", "web--one")["finishedRequests"] == 1001
    });
}

#[test]
fn a_revision_with_a_minimum_is_there_before_the_first_request() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 2, maxReplicas: 3}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    eventually(SOON, "two replicas are ready", || {
        ebbtide.ready("web", "web--one") == 2
    });
    let answer = ebbtide.request("web.localhost", "/");
    assert_eq!(
        (answer.status, answer.header("server-timing")),
        (200, None),
        "{answer:?}"
    );
}

#[test]
fn http2_with_prior_knowledge_is_served_and_metrics_count_it() {
    let _machine = machine();
    let ebbtide = Ebbtide::up(&[("web.yaml", &Document::default().yaml())]);
    let url = format!("http://127.0.0.1:{}/", ebbtide.ingress);
    let host = "Host: web.localhost";
    let answer = crate::harness::curl(&["--http2-prior-knowledge", "-H", host, &url]);
    assert!(answer.head.starts_with("HTTP/2 200"), "{answer:?}");
    let counted = r#"ebbtide_requests_total{app="web",revision="web--one",code="200"} 1"#;
    eventually(Duration::from_secs(10), "the request is counted", || {
        let metrics = crate::harness::curl(&[&ebbtide.api_url("/metrics")]).body;
        metrics.contains(counted) && metrics.contains("ebbtide_cold_start_seconds_count")
    });
}
