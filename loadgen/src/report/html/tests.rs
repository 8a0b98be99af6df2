//! The page of a fixed run, and that nothing in a report can leave its place.

use crate::report::fixture;
use crate::report::model::Report;
use crate::report::tests::snapshot;

const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;<!--";

fn page(report: &Report) -> String {
    let mut out = Vec::new();
    super::write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The elements of a page, in order; panics where one is closed that is not open.
fn elements(page: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let tag = &rest[..rest.find('>').unwrap()];
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap()
            .to_owned();
        if tag.starts_with('/') {
            assert_eq!(
                open.pop().as_ref(),
                Some(&name),
                "before {}",
                &rest[..60.min(rest.len())]
            );
        } else if !matches!(name.as_str(), "!doctype" | "meta") && !tag.ends_with('/') {
            open.push(name.clone());
            if matches!(name.as_str(), "script" | "style") {
                rest = &rest[rest.find(&format!("</{name}")).unwrap()..];
            }
        }
        seen.push(name);
    }
    assert!(open.is_empty(), "{open:?} are left open");
    seen
}

#[test]
fn the_page_is_as_committed() {
    snapshot("full.html", page(&fixture::full()).as_bytes());
    snapshot("plain.html", page(&fixture::plain()).as_bytes());
}

#[test]
fn a_queue_has_a_row_with_all_that_is_known_of_it() {
    let report = fixture::queued();
    let page = page(&report);
    elements(&page);
    let table = page.split("<caption>Queues</caption>").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    let texts: Vec<_> = (table.split('>'))
        .filter_map(|part| part.split('<').next())
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    let expected = [
        "enqueued",
        "completed",
        "failed",
        "completed again",
        "enqueue p99",
        "completion p50",
        "completion p99",
        "orders",
    ];
    assert_eq!(texts[..8], expected);
    let queue = &report.queues[0].value;
    let counts = [
        queue.enqueued,
        queue.completed,
        queue.failed,
        queue.repeated,
    ];
    let counts = counts.map(crate::report::words::count);
    assert_eq!(texts[8..12], counts);
    assert_eq!(texts.len(), 15, "{texts:?}");
}

#[test]
fn it_is_whole_and_needs_nothing_else() {
    for report in [fixture::full(), fixture::plain()] {
        let page = page(&report);
        let seen = elements(&page);
        for foreign in ["link", "img", "iframe", "object", "base"] {
            assert!(!seen.iter().any(|name| name == foreign), "{foreign}");
        }
        for reference in ["src=", "href=", "@import", "url(http"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut report = fixture::full();
    let hostile = || HOSTILE.to_owned();
    report.name = hostile();
    report.load = hostile();
    report.started = hostile();
    report.generator = hostile();
    report.destinations[0].what = hostile();
    report.destinations[1].target = hostile();
    report.invalid_reasons = vec![hostile()];
    report.valid = false;
    report.stages[1].name = hostile();
    report.targets[0].name = hostile();
    report.revisions[0].revision = hostile();
    report
        .total
        .error_samples
        .insert("reset".to_owned(), hostile());
    report.total.errors.insert(hostile(), 1);
    report.thresholds[0].expression = hostile();
    report.thresholds[0].found = hostile();
    let counted = report.counted_header.as_mut().unwrap();
    counted.name = hostile();
    counted.values.insert(hostile(), 1);
    let scaler = report.autoscaler.as_mut().unwrap();
    scaler.source = hostile();
    scaler.gaps = vec![hostile()];
    for event in &mut scaler.events {
        event.message = hostile();
        event.reason = if event.reason == "Decision" {
            event.reason.clone()
        } else {
            hostile()
        };
    }
    let hostile = page(&report);
    let ordinary = |name: &&String| !matches!(name.as_str(), "tr" | "td" | "th");
    let (found, expected) = (elements(&hostile), elements(&page(&fixture::full())));
    for name in ["script", "img", "style"] {
        let count = |all: &[String]| all.iter().filter(|each| *each == name).count();
        assert_eq!(count(&found), count(&expected), "{name}");
    }
    assert!(found.iter().filter(ordinary).count() >= expected.iter().filter(ordinary).count());
    assert!(!hostile.contains("<script>alert") && !hostile.contains("<!--"));
}

#[test]
fn a_run_without_answers_has_a_page() {
    let mut report = fixture::plain();
    report.total = crate::report::model::Summary::default();
    report.seconds.clear();
    let page = page(&report);
    elements(&page);
    assert!(page.contains("No request was answered.") && page.contains("No second was recorded."));
}

/// An hour is drawn with as few points as a minute, nearly.
#[test]
fn a_long_run_is_no_larger_than_it_can_be_seen() {
    let mut report = fixture::full();
    let minute = report.seconds.clone();
    report.seconds = minute.iter().cycle().take(7200).cloned().collect();
    let page = page(&report);
    elements(&page);
    assert!(page.len() < 400_000, "{}", page.len());
    assert!(page.contains("each point is 30 seconds"));
}
