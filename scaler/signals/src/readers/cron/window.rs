//! Whether a moment is in a window of two schedules: nothing but arithmetic with dates.

use std::cmp::Ordering;
use std::iter::successors;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::schedule::Schedule;

/// The days that are looked at for the next time: a 29 February may be eight years away.
const FORESIGHT: usize = 8 * 366 + 2;

/// From each start to the next end.
pub(super) struct Window {
    pub(super) start: Schedule,
    pub(super) end: Schedule,
    pub(super) zone: TimeZone,
}

/// What holds until something comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Whether the window is open.
    pub(super) is_open: bool,
    /// When the next start or end comes.
    pub(super) until: Timestamp,
}

/// A schedule that never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {
    Start,
    End,
}

/// A time that comes. Those that the clock skips come at the same moment, in the order of what it
/// would have shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Coming {
    at: Timestamp,
    local: DateTime,
}

impl Window {
    /// What holds at a moment.
    ///
    /// # Errors
    /// The start or the end never comes, as on 30 February.
    pub(super) fn state(&self, now: Timestamp) -> Result<State, Never> {
        let start = next(&self.start, now, &self.zone).ok_or(Never::Start)?;
        let end = next(&self.end, now, &self.zone).ok_or(Never::End)?;
        let last_start = last(&self.start, now, &self.zone).ok_or(Never::Start)?;
        let last_end = last(&self.end, now, &self.zone).ok_or(Never::End)?;
        let is_open = match last_start.cmp(&last_end) {
            Ordering::Less => false,
            Ordering::Greater => true,
            // Both at once: what it was is told by what comes.
            Ordering::Equal => end < start,
        };
        let until = start.at.min(end.at);
        Ok(State { is_open, until })
    }
}

/// When a schedule comes after a moment.
fn next(schedule: &Schedule, after: Timestamp, zone: &TimeZone) -> Option<Coming> {
    // A clock that is put back over midnight shows the day before once more.
    let first = zone.to_datetime(after).date().yesterday().ok()?;
    let days = successors(Some(first), |date| date.tomorrow().ok());
    let mut comings = days.take(FORESIGHT).map(|date| {
        let comings = on(schedule, date, zone);
        comings.filter(|coming| coming.at > after).min()
    });
    let found = comings.find_map(|found| found)?;
    let day_after = comings.next().flatten();
    Some(day_after.map_or(found, |other| found.min(other)))
}

/// When a schedule came last, at a moment or before it.
fn last(schedule: &Schedule, until: Timestamp, zone: &TimeZone) -> Option<Coming> {
    let first = zone.to_datetime(until).date().tomorrow().ok()?;
    let days = successors(Some(first), |date| date.yesterday().ok());
    let mut comings = days.take(FORESIGHT).map(|date| {
        let comings = on(schedule, date, zone);
        comings.filter(|coming| coming.at <= until).max()
    });
    let found = comings.find_map(|found| found)?;
    let day_before = comings.next().flatten();
    Some(day_before.map_or(found, |other| found.max(other)))
}

/// When a schedule comes on a day.
fn on(schedule: &Schedule, date: Date, zone: &TimeZone) -> impl Iterator<Item = Coming> {
    let times = schedule.times(date).filter(move |_| schedule.is_on(date));
    times.flat_map(|local| comings(local, zone))
}

/// When the clock shows a time: once, twice, or, if it skips it, when it does.
fn comings(local: DateTime, zone: &TimeZone) -> impl Iterator<Item = Coming> {
    let moments = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => [offset.to_timestamp(local).ok(), None],
        AmbiguousOffset::Fold { before, after } => {
            [before, after].map(|offset| offset.to_timestamp(local).ok())
        }
        AmbiguousOffset::Gap { before, .. } => {
            let skipped = before.to_timestamp(local).ok();
            [skipped.map(|skipped| last_change(skipped, zone)), None]
        }
    };
    let moments = moments.into_iter().flatten();
    moments.map(move |at| Coming { at, local })
}

/// When the clock was last changed, at or before a moment.
fn last_change(moment: Timestamp, zone: &TimeZone) -> Timestamp {
    let just_after = moment + jiff::SignedDuration::from_nanos(1);
    let change = zone.preceding(just_after).next();
    change.map_or(moment, |change| change.timestamp())
}

#[cfg(test)]
mod tests;
