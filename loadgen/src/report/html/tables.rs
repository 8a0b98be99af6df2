//! The requests by stage, target and revision.

use super::escape::escape;
use super::panel;
use super::table::{Table, cell, fault_cell, number_cell};
use crate::report::model::{Distribution, Named, QueueSummary, Report, RevisionShare, Summary};
use crate::report::words::{clock, count, known, millis, number, percent};

const TITLES: [&str; 9] = [
    "",
    "sent",
    "answers/s",
    "failed",
    "lost",
    "p50",
    "p99",
    "max",
    "cold starts",
];

pub(super) fn parts(report: &Report) -> String {
    let mut content = String::new();
    if !report.stages.is_empty() {
        let mut table = Table::new("Stages", &TITLES);
        for stage in &report.stages {
            let times = format!(
                "{} ({}–{})",
                stage.name,
                clock(stage.from_seconds),
                clock(stage.until_seconds)
            );
            table.row(row(&times, &stage.value));
        }
        content += &table.html();
    }
    if !report.targets.is_empty() {
        let mut table = Table::new("Targets", &TITLES);
        for target in &report.targets {
            table.row(row(&target.name, &target.value));
        }
        content += &table.html();
    }
    if !report.queues.is_empty() {
        content += &queues(&report.queues);
    }
    if content.is_empty() {
        return content;
    }
    panel("parts", "Parts of the load", "", &content)
}

fn row(name: &str, part: &Summary) -> Vec<String> {
    let time = |of: fn(&Distribution) -> f64| {
        number_cell(&known(part.response_time.as_ref(), |times| {
            millis(of(times))
        }))
    };
    vec![
        cell(name),
        number_cell(&count(part.sent)),
        number_cell(&number(part.answers_per_second)),
        fault_cell(part.failed),
        fault_cell(part.lost),
        time(|times| times.p50_ms),
        time(|times| times.p99_ms),
        time(|times| times.max_ms),
        number_cell(&count(part.cold_starts)),
    ]
}

fn queues(queues: &[Named<QueueSummary>]) -> String {
    let mut table = Table::new(
        "Queues",
        &[
            "",
            "enqueued",
            "completed",
            "failed",
            "completed again",
            "enqueue p99",
            "completion p50",
            "completion p99",
        ],
    );
    for Named { name, value } in queues {
        let time = |times: &Option<Distribution>, of: fn(&Distribution) -> f64| {
            number_cell(&known(times.as_ref(), |times| millis(of(times))))
        };
        table.row(vec![
            cell(name),
            number_cell(&count(value.enqueued)),
            number_cell(&count(value.completed)),
            fault_cell(value.failed),
            number_cell(&count(value.repeated)),
            time(&value.enqueue_time, |times| times.p99_ms),
            time(&value.completion_time, |times| times.p50_ms),
            time(&value.completion_time, |times| times.p99_ms),
        ]);
    }
    table.html()
}

pub(super) fn revisions(report: &Report) -> String {
    if report.revisions.is_empty() {
        return String::new();
    }
    let bars: String = report.revisions.iter().map(bar).collect();
    let mut table = Table::new(
        "Answers by revision",
        &[
            "",
            "answers",
            "failed",
            "share",
            "95% interval",
            "weight",
            "p50",
            "p99",
            "replicas",
        ],
    );
    for share in &report.revisions {
        let times = share.response_time.as_ref();
        table.row(vec![
            cell(&share.revision),
            number_cell(&count(share.answered)),
            fault_cell(share.answered.saturating_sub(share.succeeded)),
            number_cell(&percent(share.percent)),
            number_cell(&format!(
                "{} to {}",
                percent(share.percent_low),
                percent(share.percent_high)
            )),
            number_cell(&known(share.weight_percent, percent)),
            number_cell(&known(times, |times| millis(times.p50_ms))),
            number_cell(&known(times, |times| millis(times.p99_ms))),
            number_cell(&count(share.replicas.len() as u64)),
        ]);
    }
    let content = format!("<div class=\"weights\">{bars}</div>\n{}", table.html());
    panel(
        "revisions",
        "Revisions",
        "share of the answers, its 95% interval, and the weight",
        &content,
    )
}

fn bar(share: &RevisionShare) -> String {
    let weight = share.weight_percent.map(|weight| {
        let inside = weight >= share.percent_low && weight <= share.percent_high;
        let as_it = if inside {
            "as weighted"
        } else {
            "not as weighted"
        };
        (
            format!("<i class=\"bar-set\" style=\"left:{weight:.2}%\"></i>"),
            format!(", weight {}: {as_it}", percent(weight)),
        )
    });
    let (mark, words) = weight.unwrap_or_default();
    format!(
        "<div><div class=\"weight-name\"><b>{}</b><span class=\"muted\">{} of the answers{words}</span></div>\
         <div class=\"bar\" aria-hidden=\"true\"><i class=\"bar-seen\" style=\"width:{:.2}%\"></i><i class=\"bar-interval\" style=\"left:{:.2}%;width:{:.2}%\"></i>{mark}</div></div>\n",
        escape(&share.revision),
        percent(share.percent),
        share.percent,
        share.percent_low,
        share.percent_high - share.percent_low,
    )
}
