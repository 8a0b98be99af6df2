//! The head of the page: what it was, how it went, and the numbers that matter most.

use super::escape::escape;
use crate::report::histogram::as_float;
use crate::report::model::{LoopKind, Report};
use crate::report::verdict::{Tone, Verdict};
use crate::report::words::{count, known, millis, number, percent, plural, seconds};

/// The mark of Ebbtide.
const BRAND: &str = r#"<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false"><path class="brand-far" d="M1 10c2.8-3.4 5.2-3.4 7.6-.9s4.8 2.5 7.2 0 4.7-2.4 7.2.9v11H1z"/><path class="brand-near" d="M1 15c2.8 2.6 5.2 2.6 7.6.5s4.8-2.1 7.2 0 4.7 2.1 7.2-.5v7H1z"/></svg>"#;

pub(super) fn hero(report: &Report) -> String {
    let Verdict {
        tone,
        word,
        because,
    } = Verdict::of(report);
    let (tone, sign) = match tone {
        Tone::Good => ("good", "✓"),
        Tone::Bad => ("bad", "✕"),
        Tone::Invalid => ("warn", "▲"),
    };
    let kind = match report.loop_kind {
        LoopKind::Open => "Open loop",
        LoopKind::Closed => "Closed loop",
    };
    // Said once is enough.
    let load = report
        .load
        .strip_prefix("closed loop, ")
        .unwrap_or(&report.load);
    let merged = match report.runs {
        0 | 1 => String::new(),
        runs => format!(" · {runs} runs merged"),
    };
    let interrupted = if report.interrupted {
        "<p class=\"sentence\">Interrupted: the schedule was ended early.</p>\n"
    } else {
        ""
    };
    let destinations = report.destinations.iter().map(|each| {
        let share = match report.destinations.len() {
            0 | 1 => String::new(),
            _ => format!(
                " <span class=\"tag\">{} {}</span>",
                escape(&each.target),
                percent(each.share_percent)
            ),
        };
        format!(
            "<li><code>{}</code>{share} <span class=\"muted\">{}</span></li>\n",
            escape(&each.what),
            escape(&each.how)
        )
    });
    format!(
        "<header class=\"hero\" data-tone=\"{tone}\">\n\
         <p class=\"brand\">{BRAND}<span>Load report</span><span class=\"facts\">{started} · {elapsed}{merged}</span></p>\n\
         <h1>{name}</h1>\n\
         <p class=\"verdict\"><span class=\"badge\" data-tone=\"{tone}\"><span aria-hidden=\"true\">{sign}</span> {word}</span> <span>{because}</span></p>\n\
         {interrupted}<p class=\"load\"><b>{kind}</b>: {load}</p>\n<ul class=\"destinations\">\n{destinations}</ul>\n</header>\n",
        started = escape(&started(report)),
        elapsed = seconds(report.elapsed_seconds),
        name = escape(&report.name),
        because = escape(&because),
        load = escape(load),
        destinations = destinations.collect::<String>(),
    )
}

/// As people write it, where it can be read.
fn started(report: &Report) -> String {
    let Ok(started) = report.started.parse::<jiff::Timestamp>() else {
        return report.started.clone();
    };
    started.strftime("%-d %b %Y %H:%M:%S UTC").to_string()
}

pub(super) fn thresholds(report: &Report) -> String {
    if report.thresholds.is_empty() {
        return String::new();
    }
    let rows = report.thresholds.iter().map(|threshold| {
        let (tone, sign, word) = if threshold.holds {
            ("good", "✓", "holds")
        } else {
            ("bad", "✕", "does not hold")
        };
        format!(
            "<li data-tone=\"{tone}\"><span class=\"sign\" aria-hidden=\"true\">{sign}</span><code>{}</code><span class=\"hidden\">{word}</span><span class=\"muted\">{}</span></li>\n",
            escape(&threshold.expression),
            escape(&threshold.found),
        )
    });
    let rows: String = rows.collect();
    format!(
        "<section class=\"panel\" aria-labelledby=\"thresholds\">\n<header><h2 id=\"thresholds\">Thresholds</h2></header>\n<ul class=\"thresholds\">\n{rows}</ul>\n</section>\n"
    )
}

pub(super) fn tiles(report: &Report) -> String {
    let total = &report.total;
    let response = total.response_time.as_ref();
    let waited = 100.0 * as_float(total.cold_starts) / as_float(total.answered.max(1));
    let fault = |count: u64| if count > 0 { "bad" } else { "quiet" };
    let mut tiles = vec![
        (
            "answers",
            count(total.answered),
            format!("{}/s", number(total.answers_per_second)),
            "",
        ),
        (
            "p50",
            known(response, |times| millis(times.p50_ms)),
            "response time".to_owned(),
            "",
        ),
        (
            "p99",
            known(response, |times| millis(times.p99_ms)),
            "response time".to_owned(),
            "",
        ),
        (
            "failed",
            count(total.failed),
            format!("of {}", plural(total.sent, "request")),
            fault(total.failed),
        ),
        (
            "lost",
            count(total.lost),
            "without any answer".to_owned(),
            fault(total.lost),
        ),
        (
            "cold starts",
            count(total.cold_starts),
            format!("{} of answers", percent(waited)),
            "",
        ),
    ];
    if let Some(scaler) = &report.autoscaler {
        let figures = &scaler.figures;
        tiles.extend([
            (
                "first replica",
                known(figures.time_to_first_replica_seconds, seconds),
                "after the first request".to_owned(),
                "",
            ),
            (
                "to zero",
                known(figures.time_to_zero_seconds, seconds),
                "after the last request".to_owned(),
                "",
            ),
            (
                "replica-seconds",
                number(figures.replica_seconds),
                format!("at most {} ready", figures.most_ready),
                "",
            ),
        ]);
    }
    let tiles = tiles.into_iter().map(|(name, value, note, tone)| {
        format!("<div class=\"tile\" data-tone=\"{tone}\"><dt>{name}</dt><dd>{}</dd><dd class=\"muted\">{}</dd></div>\n", escape(&value), escape(&note))
    });
    format!("<dl class=\"tiles\">\n{}</dl>\n", tiles.collect::<String>())
}
