//! Every output of a fixed run, as committed. `EBBTIDE_GENERATE=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::serialization::{Serializer as _, V2Serializer};

use super::model::{LoopKind, Report, VERSION};
use super::{csv, fixture, hgrm, histogram, schema, text};

/// Compares with the committed file, or writes it.
pub(crate) fn snapshot(name: &str, found: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/report/snapshots")
        .join(name);
    if std::env::var_os("EBBTIDE_GENERATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read(&path).unwrap_or_default();
    let (found, expected) = (
        String::from_utf8_lossy(found),
        String::from_utf8_lossy(&expected),
    );
    for (line, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
        assert_eq!(
            found, expected,
            "{name}, line {line}; EBBTIDE_GENERATE=1 writes it anew"
        );
    }
    assert_eq!(
        found.lines().count(),
        expected.lines().count(),
        "{name} has other lines"
    );
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    out
}

#[test]
fn text_is_as_committed() {
    let (full, plain) = (fixture::full(), fixture::plain());
    snapshot("full.txt", &written(|out| text::write(&full, out, false)));
    snapshot("plain.txt", &written(|out| text::write(&plain, out, false)));
    let queued = fixture::queued();
    snapshot(
        "queued.txt",
        &written(|out| text::write(&queued, out, false)),
    );
}

#[test]
fn only_colour_differs_with_colour() {
    let report = fixture::full();
    let coloured = String::from_utf8(written(|out| text::write(&report, out, true))).unwrap();
    assert!(coloured.contains("\x1b[1;31mFAILED: 1 of 3 thresholds does not hold\x1b[0m"));
    let mut bare = coloured;
    for code in ["\x1b[1;31m", "\x1b[1;32m", "\x1b[1m", "\x1b[0m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(
        bare.into_bytes(),
        written(|out| text::write(&report, out, false))
    );
}

#[test]
fn a_server_does_not_command_the_terminal() {
    let mut report = fixture::full();
    let hostile = "\x1b]0;title\x07\x1b[2J";
    report
        .total
        .error_samples
        .insert("reset".to_owned(), hostile.to_owned());
    report.revisions[0].revision = hostile.to_owned();
    report.autoscaler.as_mut().unwrap().events[0].message = hostile.to_owned();
    let text = written(|out| text::write(&report, out, false));
    assert!(!text.contains(&0x1b) && !text.contains(&0x07));
}

#[test]
fn csv_is_as_committed() {
    let report = fixture::full();
    let rows = written(|out| csv::write(&report, out));
    snapshot("full.csv", &rows);
    let rows = String::from_utf8(rows).unwrap();
    assert!(rows.lines().all(|row| row.split(',').count() == 17));
    assert_eq!(rows.lines().count(), 86);
    let plain = String::from_utf8(written(|out| csv::write(&fixture::plain(), out))).unwrap();
    assert!(plain.lines().all(|row| row.split(',').count() == 17));
}

#[test]
fn hgrm_is_as_committed() {
    let times = fixture::full()
        .total
        .response_time
        .unwrap()
        .times()
        .unwrap();
    snapshot(
        "response.hgrm",
        &written(|out| hgrm::write(&times, LoopKind::Open, out)),
    );
}

/// The same report with its histograms as they are before DEFLATE: which of several texts that makes of one histogram
/// is up to the library, and which library is there to the rest of the build.
fn without_compression(json: &str) -> String {
    let mut plain = String::new();
    for line in json.lines() {
        match line.split_once("\"histogram\": \"") {
            Some((indent, rest)) => {
                let text = rest.trim_end_matches(',').trim_end_matches('"');
                let after = &rest[text.len()..];
                let bare = uncompressed(text);
                writeln!(plain, "{indent}\"histogram\": \"{bare}{after}").unwrap();
            }
            None => writeln!(plain, "{line}").unwrap(),
        }
    }
    plain
}

/// A histogram in the V2 encoding without DEFLATE, in base64.
fn uncompressed(text: &str) -> String {
    let times = histogram::decode(text).unwrap();
    assert_eq!(histogram::encode(&times).unwrap(), text);
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&times, &mut bytes).unwrap();
    let bare = BASE64_STANDARD.encode(bytes);
    assert_eq!(histogram::decode(&bare).unwrap(), times);
    bare
}

#[test]
fn json_is_as_committed_and_is_read_back() {
    let report = fixture::full();
    let json = serde_json::to_string_pretty(&report).unwrap();
    snapshot("full.json", without_compression(&json).as_bytes());
    let back: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string_pretty(&back).unwrap(), json);
    assert_eq!(back.schema_version, VERSION);
}

#[test]
fn the_schema_has_every_field() {
    let schema = serde_json::to_value(schema()).unwrap();
    let report = serde_json::to_value(fixture::full()).unwrap();
    for (name, _) in report.as_object().unwrap() {
        assert!(
            schema["properties"].get(name).is_some(),
            "{name} is not in the schema"
        );
    }
    assert!(schema["properties"]["elapsedSeconds"]["description"].is_string());
}

#[test]
fn counts_add_up() {
    let report = fixture::full();
    let total = &report.total;
    assert_eq!(total.sent, total.succeeded + total.failed + total.abandoned);
    assert_eq!(total.lost, total.errors["reset"]);
    let stages: u64 = report.stages.iter().map(|stage| stage.value.sent).sum();
    assert_eq!(stages, total.sent);
    let seconds = |of: fn(&super::model::Second) -> u64| report.seconds.iter().map(of).sum::<u64>();
    assert_eq!(seconds(|second| second.sent), total.sent);
    assert_eq!(
        seconds(|second| second.succeeded + second.failed),
        total.sent
    );
    assert_eq!(report.seconds.last().unwrap().outstanding, 0);
    assert!(report.valid && report.invalid_reasons.is_empty());
}

#[test]
fn a_lagging_generator_makes_a_run_invalid() {
    let mut recording = fixture::recording();
    recording
        .lateness
        .record_n(1_600, recording.lateness.len() / 50)
        .unwrap();
    let weights = std::collections::BTreeMap::new();
    let report = super::make::report(&fixture::head(), &recording, None, &weights).unwrap();
    assert!(!report.valid);
    assert!(
        report.invalid_reasons[0].contains("1.600 ms or more"),
        "{:?}",
        report.invalid_reasons
    );
    let plain = fixture::plain();
    assert!(plain.invalid_reasons[0].starts_with("12 requests of the schedule"));
}

#[test]
fn the_head_says_what_is_sent_and_how() {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use crate::plan::{
        Connections, HttpTarget, Load, Plan, Target, TargetKind, Template, Validity, Version,
    };
    let target = |name: &str, share, version, connections| Target {
        name: name.to_owned(),
        share,
        kind: TargetKind::Http(HttpTarget {
            url: format!("http://hello.localhost/{name}"),
            address: "127.0.0.1:80".parse().unwrap(),
            tls: None,
            authority: "hello.localhost".to_owned(),
            version,
            connections,
            method: http::Method::POST,
            path: Template::Fixed("/".into()),
            headers: Vec::new(),
            body: Template::Fixed(if name == "a" {
                "four".into()
            } else {
                "".into()
            }),
            count_header: (name == "b").then_some(http::header::SERVER),
        }),
        timeout: Duration::from_secs(1),
        checks: Vec::new(),
    };
    let number = |number| NonZeroUsize::new(number).unwrap();
    let plan = Plan {
        until: Duration::ZERO,
        name: "two".to_owned(),
        seed: 3,
        load: Load::Closed {
            clients: number(2),
            duration: Duration::from_secs(1),
            pause: Duration::ZERO,
        },
        stages: Vec::new(),
        targets: vec![
            target("a", 3.0, Version::Http1, Connections::PerRequest(number(9))),
            target("b", 1.0, Version::Http2, Connections::Fixed(number(4))),
        ],
        workers: number(1),
        validity: Validity {
            lateness_p99: Duration::from_millis(2),
        },
    };
    let head = super::head::Head::of(&plan, "closed".to_owned(), jiff::Timestamp::UNIX_EPOCH);
    let found: Vec<_> = (head.destinations.iter())
        .map(|each| (each.what.as_str(), each.how.as_str(), each.share_percent))
        .collect();
    assert_eq!(
        found,
        [
            (
                "POST http://hello.localhost/a",
                "Host hello.localhost, HTTP/1.1, a connection for each request, at most 9, body of 4 bytes",
                75.0
            ),
            (
                "POST http://hello.localhost/b",
                "Host hello.localhost, HTTP/2, 4 connections",
                25.0
            ),
        ]
    );
    assert_eq!(head.count_header.as_deref(), Some("server"));
    assert_eq!(head.loop_kind, super::model::LoopKind::Closed);
}

#[test]
fn a_run_that_goes_on_can_be_judged() {
    let report = super::make::interim(&fixture::head(), &fixture::live(12)).unwrap();
    let threshold = crate::threshold::Threshold::parse("lost == 0").unwrap();
    assert!(!threshold.evaluate(&report).holds);
    assert!((report.elapsed_seconds - 12.0).abs() < 1e-9);
}
