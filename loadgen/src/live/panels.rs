//! The parts of the view.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph, Sparkline, Wrap};

use super::Judged;
use super::histogram::bins;
use super::state::{RECENT, State};
use crate::record::recording::{SecondTally, Times};
use crate::report::histogram::{as_float, as_millis};
use crate::report::text::printable;
use crate::report::words::{NONE, count, known, millis, number, percent};

const TIDE: Style = Style::new().fg(Color::Cyan);
const SUN: Style = Style::new().fg(Color::Yellow);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
const GOOD: Style = Style::new().fg(Color::Green);
const SOFT: Style = Style::new().add_modifier(Modifier::DIM);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// The width of a row of counts.
const COUNTS: u16 = 34;

fn block(title: &str) -> Block<'static> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(SOFT)
        .title(Span::styled(format!(" {title} "), STRONG))
}

/// How much of the schedule is over.
pub(super) fn gauge(state: &State, width: u16) -> Line<'static> {
    let part = match state.live.until {
        Some(until) if !until.is_zero() => {
            (state.live.at.as_secs_f64() / until.as_secs_f64()).min(1.0)
        }
        _ if state.live.ending => 1.0,
        _ => 0.0,
    };
    let width = usize::from(width);
    let done = cells(part, width);
    Line::from(vec![
        Span::styled("━".repeat(done), TIDE),
        Span::styled("─".repeat(width.saturating_sub(done)), SOFT),
    ])
}

/// Counts and rates, and the rates over time.
pub(super) fn requests(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let block = block("Requests");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let lines = request_lines(state);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    // Beside the numbers where there is room, else below them.
    let [top, line] = if inner.width >= 2 * COUNTS {
        Layout::horizontal([Constraint::Length(COUNTS + 2), Constraint::Min(0)]).areas(inner)
    } else {
        Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(inner)
    };
    frame.render_widget(Paragraph::new(lines), top);
    let seconds = &state.live.seconds;
    let complete = seconds.len().saturating_sub(1);
    let from = complete.saturating_sub(usize::from(line.width));
    let succeeded: Vec<u64> = seconds[from..complete]
        .iter()
        .map(|second| second.succeeded)
        .collect();
    let most = seconds
        .iter()
        .map(|second| second.offered.max(second.succeeded))
        .max();
    frame.render_widget(
        Sparkline::default()
            .data(succeeded)
            .max(most.unwrap_or(1).max(1))
            .style(TIDE),
        line,
    );
}

/// Each kind of request with its rate in the last second and its count.
pub(super) fn request_lines(state: &State) -> Vec<Line<'static>> {
    let total = &state.live.total;
    let last = state.last_second();
    let row = |name: &str, rate: fn(&SecondTally) -> u64, all: u64, style: Style| {
        let rate = known(last, |second| format!("{}/s", count(rate(second))));
        Line::from(vec![
            Span::raw(format!("{name:<11}")),
            Span::styled(format!("{rate:>10}"), style),
            Span::styled(format!("{:>13}", count(all)), SOFT),
        ])
    };
    let failed = state.failed();
    let mut lines = vec![
        row(
            "offered",
            |second| second.offered,
            total.offered,
            Style::new(),
        ),
        row("sent", |second| second.sent, total.sent, Style::new()),
        row(
            "succeeded",
            |second| second.succeeded,
            total.succeeded,
            STRONG,
        ),
        row(
            "failed",
            |second| second.failed,
            failed,
            if failed > 0 { BAD } else { Style::new() },
        ),
        row(
            "cold starts",
            |second| second.cold_starts,
            total.cold_starts,
            if total.cold_starts > 0 {
                SUN
            } else {
                Style::new()
            },
        ),
        Line::from(vec![
            Span::raw(format!("{:<11}", "outstanding")),
            Span::raw(format!("{:>10}", count(state.outstanding()))),
        ]),
    ];
    if let Some(sample) = total
        .failures
        .values()
        .find_map(|failure| failure.first.as_ref())
    {
        lines.push(Line::styled(
            format!("first failure: {}", printable(sample)),
            BAD,
        ));
    }
    lines
}

/// Percentiles of the whole run beside those of the last seconds.
pub(super) fn times(frame: &mut Frame<'_>, state: &State, area: Rect) {
    frame.render_widget(
        Paragraph::new(time_lines(state)).block(block("Response time")),
        area,
    );
}

pub(super) fn time_lines(state: &State) -> Vec<Line<'static>> {
    let all = Some(&state.live.total.response).filter(|times| !times.is_empty());
    let recent = state.recent().filter(|times| !times.is_empty());
    let recent = recent.as_ref();
    let row = |name: &str, of: &dyn Fn(&Times) -> u64, style: Style| {
        let value = |times: Option<&Times>| known(times, |times| millis(as_millis(of(times))));
        Line::from(vec![
            Span::raw(format!("{name:<10}")),
            Span::styled(format!("{:>11}", value(recent)), style),
            Span::styled(format!("{:>12}", value(all)), SOFT),
        ])
    };
    let lateness = &state.live.lateness;
    let lateness_p99 = lateness.value_at_quantile(0.99);
    let lags = u128::from(lateness_p99) > state.head.lateness_p99.as_micros();
    let last = format!("last {RECENT} s");
    vec![
        Line::styled(format!("{:<10}{last:>11}{:>12}", "", "all"), SOFT),
        row("p50", &|times| times.value_at_quantile(0.5), Style::new()),
        row("p90", &|times| times.value_at_quantile(0.9), Style::new()),
        row("p99", &|times| times.value_at_quantile(0.99), STRONG),
        row(
            "p99.9",
            &|times| times.value_at_quantile(0.999),
            Style::new(),
        ),
        row("max", &|times: &Times| times.max(), Style::new()),
        Line::default(),
        Line::from(vec![
            Span::raw("generator's lateness p99 "),
            Span::styled(
                if lateness.is_empty() {
                    NONE.to_owned()
                } else {
                    millis(as_millis(lateness_p99))
                },
                if lags { BAD } else { GOOD },
            ),
        ]),
    ]
}

/// How response times are spread.
pub(super) fn histogram(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let block = block("All response times");
    let inner = block.inner(area);
    let bins = bins(&state.live.total.response, inner.height.into());
    let most = bins
        .iter()
        .map(|bin| bin.share)
        .fold(f64::MIN_POSITIVE, f64::max);
    let room = usize::from(inner.width.saturating_sub(19));
    let lines = bins.iter().map(|bin| {
        let bar = bar(bin.share / most, room);
        Line::from(vec![
            Span::raw(format!("{:>11} ", bin.name)),
            Span::styled(format!("{bar:<room$}"), TIDE),
            Span::styled(format!("{:>7}", percent(bin.share * 100.0)), SOFT),
        ])
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

/// What each revision has.
pub(super) fn replicas(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let Some(scaling) = &state.scaling else {
        return;
    };
    let mut lines = Vec::new();
    for (revision, replicas) in &scaling.replicas {
        let ready = format!("{} of {} ready", replicas.ready, replicas.desired);
        let enough = replicas.ready >= replicas.desired;
        let mut line = vec![
            Span::raw(format!("{} ", printable(revision))),
            Span::styled(ready, if enough { GOOD } else { SUN }),
        ];
        if replicas.starting > 0 {
            line.push(Span::styled(
                format!(", {} starting", replicas.starting),
                SUN,
            ));
        }
        if replicas.draining > 0 {
            line.push(Span::styled(
                format!(", {} draining", replicas.draining),
                SOFT,
            ));
        }
        lines.push(Line::from(line));
    }
    if let Some(waiting) = scaling.waiting {
        let style = if waiting > 0 { SUN } else { SOFT };
        lines.push(Line::styled(format!("{} waiting", count(waiting)), style));
    }
    if let Some(queued) = scaling.queued {
        lines.push(Line::styled(format!("{} queued", number(queued)), SOFT));
    }
    frame.render_widget(
        Paragraph::new(lines)
            .wrap(Wrap { trim: true })
            .block(block("Replicas")),
        area,
    );
}

/// Whether each threshold holds so far.
pub(super) fn thresholds(frame: &mut Frame<'_>, state: &State, area: Rect) {
    frame.render_widget(
        Paragraph::new(threshold_lines(state))
            .wrap(Wrap { trim: true })
            .block(block("Thresholds so far")),
        area,
    );
}

pub(super) fn threshold_lines(state: &State) -> Vec<Line<'static>> {
    let line = |threshold: &Judged| {
        let (sign, style, expression, found) = match threshold {
            Judged::SoFar(of) if of.holds => ("✓ ", GOOD, &of.expression, of.found.as_str()),
            Judged::SoFar(of) => ("✗ ", BAD, &of.expression, of.found.as_str()),
            Judged::AtTheEnd(expression) => ("· ", SOFT, expression, "at the end"),
        };
        Line::from(vec![
            Span::styled(sign, style),
            Span::raw(printable(expression)),
            Span::styled(format!("  {}", printable(found)), SOFT),
        ])
    };
    state.thresholds.iter().map(line).collect()
}

/// The last decision in its own words.
pub(super) fn decision(state: &State) -> Line<'static> {
    let decision = state
        .scaling
        .as_ref()
        .and_then(|scaling| scaling.decision.as_deref());
    Line::styled(printable(decision.unwrap_or_default()), TIDE)
}

/// A bar of so much of `width`, to an eighth of a cell; what is not 0 has something.
fn bar(part: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = cells(part, width * 8).max(usize::from(part > 0.0));
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// So many cells of `width`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the width"
)]
fn cells(part: f64, width: usize) -> usize {
    (part.clamp(0.0, 1.0) * as_float(width as u64)).round() as usize
}
