//! What one reads after the pictures: decisions, errors, and how the run was made.

use std::fmt::Write as _;

use super::escape::escape;
use super::panel;
use super::table::{Table, cell, fault_cell, number_cell};
use crate::report::model::{Report, ScaleEvent};
use crate::report::text::figures;
use crate::report::words::{clock, count, millis, plural};

/// Rows of a table of events; JSON has all.
const ROWS: usize = 500;

pub(super) fn autoscaler(report: &Report) -> String {
    let Some(scaler) = &report.autoscaler else {
        return String::new();
    };
    let mut content = "<dl class=\"figures\">\n".to_owned();
    for (name, value) in figures(&scaler.figures) {
        let _ = writeln!(
            content,
            "<div><dt>{name}</dt><dd>{}</dd></div>",
            escape(&value)
        );
    }
    content += "</dl>\n";
    let (decisions, others): (Vec<_>, Vec<_>) = scaler
        .events
        .iter()
        .partition(|event| event.reason == "Decision");
    content += &events("Decisions", &decisions);
    if !others.is_empty() {
        let title = plural(others.len() as u64, "other event");
        let _ = write!(
            content,
            "<details><summary>{title}</summary>\n{}</details>\n",
            events("Other events", &others)
        );
    }
    panel(
        "autoscaler",
        "What the autoscaler did",
        &scaler.source,
        &content,
    )
}

fn events(caption: &str, events: &[&ScaleEvent]) -> String {
    if events.is_empty() {
        return "<p class=\"muted\">No decision changed the number of replicas.</p>\n".to_owned();
    }
    let decisions = caption == "Decisions";
    let titles: &[&str] = if decisions {
        &["time", "decision"]
    } else {
        &["time", "event", "what happened"]
    };
    let mut table = Table::new(caption, titles);
    for event in events.iter().take(ROWS) {
        let mut row = vec![cell(&clock(event.at_seconds))];
        if !decisions {
            row.push(cell(&event.reason));
        }
        row.push(cell(&event.message));
        table.row(row);
    }
    let more = match events.len().saturating_sub(ROWS) {
        0 => String::new(),
        more => format!(
            "<p class=\"muted\">and {} more, in the JSON report</p>\n",
            count(more as u64)
        ),
    };
    table.html() + &more
}

pub(super) fn errors(report: &Report) -> String {
    let total = &report.total;
    let mut content = String::new();
    if !total.errors.is_empty() {
        let mut table = Table::new("Failures", &["kind", "requests", "the first"]);
        for (kind, count) in &total.errors {
            let sample = total.error_samples.get(kind).map_or("", String::as_str);
            table.row(vec![cell(kind), fault_cell(*count), cell(sample)]);
        }
        content += &table.html();
    }
    let mut table = Table::new("Answers by status", &["status", "answers"]);
    for (status, answers) in &total.status_codes {
        table.row(vec![
            cell(&status.to_string()),
            number_cell(&count(*answers)),
        ]);
    }
    if !total.status_codes.is_empty() {
        content += &table.html();
    }
    if let Some(counted) = &report.counted_header {
        let mut table = Table::new(
            &format!("Answers by {}", counted.name),
            &["value", "answers"],
        );
        for (value, answers) in counted.values.iter().take(ROWS) {
            table.row(vec![cell(value), number_cell(&count(*answers))]);
        }
        content += &table.html();
    }
    if content.is_empty() {
        return content;
    }
    panel(
        "answers",
        "Answers and failures",
        "",
        &format!("<div class=\"side\">{content}</div>\n"),
    )
}

pub(super) fn run(report: &Report) -> String {
    let lateness = &report.lateness;
    let total = &report.total;
    let facts = [
        ("generator", report.generator.clone()),
        ("seed", report.seed.to_string()),
        ("started", report.started.clone()),
        (
            "lateness of the generator",
            format!(
                "p99 {} of at most {}; {} later than {}; {} dropped",
                millis(lateness.times.p99_ms),
                millis(lateness.limit_ms),
                count(lateness.late),
                millis(lateness.threshold_ms),
                count(lateness.dropped),
            ),
        ),
        (
            "connections",
            format!(
                "{} opened; {} waited for one",
                count(total.connections_opened),
                plural(total.waited_for_connection, "request")
            ),
        ),
        (
            "received",
            crate::report::words::bytes(total.bytes_received),
        ),
    ];
    let facts = facts
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value)));
    panel(
        "run",
        "How the run was made",
        "",
        &format!("<dl class=\"figures\">\n{}</dl>\n", facts.concat()),
    )
}
