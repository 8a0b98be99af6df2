//! The metrics as a Prometheus has them that reads them.

use super::bed::{App, each, ready, up};
use crate::brokers::prometheus::Prometheus;
use crate::harness::{SOON, curl, eventually, machine};

/// What a query is answered with, as Prometheus prints the number.
fn value(prometheus: &Prometheus, query: &str) -> Option<String> {
    let url = format!("http://127.0.0.1:{}/api/v1/query", prometheus.port);
    let query = format!("query={query}");
    let answer = curl(&["--get", "--data-urlencode", &query, &url]);
    let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let value = answer["data"]["result"][0]["value"][1].as_str()?;
    Some(value.to_owned())
}

#[test]
fn prometheus_counts_requests_and_has_their_times_in_histograms() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    let prometheus = Prometheus::reading(ebbtide.status);
    assert_eq!(each(&ebbtide, "web", "/busy?[1-30]", 3, "").len(), 30);
    let of = "app=\"web\", revision=\"web--one\"";
    let classes = format!("ebbtide_request_classes_total{{{of}, class=\"2xx\"}}");
    eventually(SOON, "Prometheus has read all", || {
        value(&prometheus, &classes).as_deref() == Some("30")
    });
    for (query, expected) in [
        (
            format!("ebbtide_requests_total{{{of}, code=\"200\"}}"),
            "30",
        ),
        (
            format!("ebbtide_request_duration_seconds_count{{{of}}}"),
            "30",
        ),
        (
            format!("ebbtide_request_first_byte_seconds_count{{{of}}}"),
            "30",
        ),
        (format!("ebbtide_replicas{{{of}, state=\"ready\"}}"), "1"),
        // Each took 10 ms at least, and none of them the twenty seconds that are more than the test has.
        (
            format!(
                "histogram_quantile(0.5, ebbtide_request_duration_seconds_bucket{{{of}}}) > bool 0.005"
            ),
            "1",
        ),
        ("ebbtide_build_info".to_owned(), "1"),
        ("up".to_owned(), "1"),
    ] {
        assert_eq!(
            value(&prometheus, &query).as_deref(),
            Some(expected),
            "{query}"
        );
    }
}
