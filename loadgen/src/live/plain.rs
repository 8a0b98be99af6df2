//! A line now and then, for logs.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Sources;
use super::state::State;
use crate::report::histogram::as_millis;
use crate::report::words::{clock, count, known, millis};

/// Between lines, of the run's time.
const EVERY: Duration = Duration::from_secs(2);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(100);

/// Writes lines until the run or the view is ended.
pub(super) fn show(sources: Sources, ended: &Receiver<()>, out: &mut dyn Write) -> io::Result<()> {
    let mut state = State::new(sources);
    let mut next = EVERY;
    while state.refresh().is_some() {
        if state.live.at >= next {
            writeln!(out, "{}", line(&state))?;
            next = state.live.at + EVERY;
        }
        if ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
            break;
        }
    }
    Ok(())
}

/// All in one line.
pub(super) fn line(state: &State) -> String {
    let total = &state.live.total;
    let until = known(state.live.until, |until| clock(until.as_secs_f64()));
    let recent = state.recent().filter(|times| !times.is_empty());
    let p99 = known(recent, |times| {
        millis(as_millis(times.value_at_quantile(0.99)))
    });
    let mut line = format!(
        "{} of {until}: {} sent, {} answered, {} failed, {} outstanding, p99 {p99}",
        clock(state.live.at.as_secs_f64()),
        count(total.sent),
        count(total.answered),
        count(state.failed()),
        count(state.outstanding()),
    );
    if let Some(scaling) = &state.scaling {
        let (ready, desired) = scaling
            .replicas
            .values()
            .fold((0, 0), |(ready, desired), replicas| {
                (ready + replicas.ready, desired + replicas.desired)
            });
        let _ = write!(line, ", {ready} of {desired} replicas ready");
    }
    line
}
