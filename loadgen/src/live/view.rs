//! Where each part is on the screen: what matters most is left in where there is little room.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::panels;
use super::state::State;
use crate::report::model::LoopKind;
use crate::report::text::printable;
use crate::report::words::{clock, count, plural};

/// Rows of the two panels at the top, with their frames.
const UPPER: u16 = 10;
/// Below this there are no frames.
const WIDE: u16 = 72;

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    if area.width < WIDE || area.height < 3 + UPPER {
        return draw_small(frame, state);
    }
    let decision = u16::from(
        state
            .scaling
            .as_ref()
            .is_some_and(|scaling| scaling.decision.is_some()),
    );
    let [head, gauge, upper, lower, sentence, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(UPPER),
        Constraint::Min(0),
        Constraint::Length(decision),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(title(state, head.width), head);
    frame.render_widget(panels::gauge(state, gauge.width), gauge);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(36)]).areas(upper);
    panels::requests(frame, state, left);
    panels::times(frame, state, right);
    if lower.height >= 3 {
        draw_lower(frame, state, lower);
    }
    frame.render_widget(panels::decision(state), sentence);
    frame.render_widget(keys(state), foot);
}

fn draw_lower(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let scaling = state.scaling.is_some();
    let thresholds = !state.thresholds.is_empty();
    let columns = [true, scaling, thresholds]
        .into_iter()
        .filter(|there| *there);
    let mut areas = Layout::horizontal(columns.map(|_| Constraint::Fill(1)))
        .split(area)
        .iter()
        .copied()
        .collect::<Vec<_>>()
        .into_iter();
    if let Some(area) = areas.next() {
        panels::histogram(frame, state, area);
    }
    if let Some(area) = scaling.then(|| areas.next()).flatten() {
        panels::replicas(frame, state, area);
    }
    if let Some(area) = thresholds.then(|| areas.next()).flatten() {
        panels::thresholds(frame, state, area);
    }
}

/// Lines only, the most important first.
fn draw_small(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    let mut lines = vec![title(state, area.width), panels::gauge(state, area.width)];
    lines.extend(panels::request_lines(state));
    lines.extend(panels::time_lines(state));
    lines.extend(panels::threshold_lines(state));
    let room = usize::from(area.height.saturating_sub(1));
    lines.truncate(room);
    lines.push(keys(state));
    frame.render_widget(Paragraph::new(lines), area);
}

/// The name at the left, the time at the right.
fn title(state: &State, width: u16) -> Line<'static> {
    let at = state.live.at;
    let time = match state.live.until {
        _ if state.live.ending => format!("{} · ending", clock(at.as_secs_f64())),
        Some(until) => {
            let left = until.saturating_sub(at).as_secs_f64().ceil();
            format!(
                "{} of {} · {} left",
                clock(at.as_secs_f64()),
                clock(until.as_secs_f64()),
                clock(left)
            )
        }
        None => clock(at.as_secs_f64()),
    };
    let closed = match state.head.loop_kind {
        LoopKind::Open => "",
        LoopKind::Closed => " (CLOSED LOOP)",
    };
    let room = usize::from(width).saturating_sub(time.chars().count() + 1);
    let name: String = format!("{}{closed}", state.head.name)
        .chars()
        .take(room)
        .collect();
    let load = format!("  {}", state.head.load);
    let load: String = load.chars().take(room - name.chars().count()).collect();
    let used = name.chars().count() + load.chars().count() + time.chars().count();
    Line::from(vec![
        Span::styled(printable(&name), Style::new().add_modifier(Modifier::BOLD)),
        Span::styled(printable(&load), Style::new().add_modifier(Modifier::DIM)),
        Span::raw(" ".repeat(usize::from(width).saturating_sub(used))),
        Span::raw(time),
    ])
}

fn keys(state: &State) -> Line<'static> {
    let outstanding = plural(state.outstanding(), "request");
    let words = match state.ends {
        0 if state.live.ending => format!("waiting for {outstanding} · q gives them up"),
        0 => "q or Ctrl-C ends the schedule and waits for what is outstanding".to_owned(),
        1 => format!("ending: waiting for {outstanding} · q again gives them up"),
        _ => format!("giving up {} outstanding", count(state.outstanding())),
    };
    Line::styled(words, Style::new().add_modifier(Modifier::DIM))
}
