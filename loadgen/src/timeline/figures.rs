//! What the scaling was worth.

use std::collections::BTreeSet;
use std::time::Duration;

use super::steps::Step;
use super::track::{Areas, Track};
use crate::record::recording::{Recording, SecondTally};
use crate::report::histogram::as_float;
use crate::report::make::rounded;
use crate::report::model::ScaleFigures;

/// How long after replicas are taken away a failure counts as lost by that.
const LOSS: Duration = Duration::from_secs(2);
/// The longest time between two changes of opposite directions that are a flap.
const FLAP: Duration = Duration::from_secs(60);

/// All figures, over the time from the start of the run until it was looked at last.
pub(super) fn figures(
    tracks: &[Track<'_>],
    steps: &[Step],
    until: Duration,
    recording: &Recording,
    first_request: Duration,
) -> ScaleFigures {
    let Areas { under, over, there } = areas(tracks, until);
    let total = &recording.total;
    let waited = 100.0 * as_float(total.cold_starts) / as_float(total.answered);
    ScaleFigures {
        time_to_first_replica_seconds: to_first_replica(tracks, first_request).map(in_seconds),
        time_to_target_seconds: to_target(tracks, until).map(in_seconds),
        time_to_zero_seconds: to_zero(steps, recording.elapsed).map(in_seconds),
        under_provisioned_replica_seconds: replica_seconds(under),
        over_provisioned_replica_seconds: replica_seconds(over),
        replica_seconds: replica_seconds(there),
        most_ready: (steps.iter().map(|step| step.replicas.ready))
            .max()
            .unwrap_or(0),
        waited_percent: (total.answered > 0).then(|| rounded(waited)),
        lost_on_scale_in: lost_on_scale_in(tracks, &recording.seconds),
        flaps: tracks.iter().map(flaps).sum(),
    }
}

fn in_seconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64())
}

fn replica_seconds(replica_nanos: u128) -> f64 {
    let micros = u64::try_from(replica_nanos / 1000).unwrap_or(u64::MAX);
    rounded(Duration::from_micros(micros).as_secs_f64())
}

/// Each revision for itself, so that one that has too many does not make up for one that has too few.
fn areas(tracks: &[Track<'_>], until: Duration) -> Areas {
    let mut sum = Areas::default();
    for areas in tracks.iter().map(|track| track.areas(until)) {
        sum.under += areas.under;
        sum.over += areas.over;
        sum.there += areas.there;
    }
    sum
}

/// From the first request to the first replica that is ready; none if one was already, or none ever was.
fn to_first_replica(tracks: &[Track<'_>], first_request: Duration) -> Option<Duration> {
    let reached = tracks
        .iter()
        .filter_map(|track| track.reached(first_request, 1));
    let first = reached.min()?;
    (first > first_request).then(|| first.saturating_sub(first_request))
}

/// The longest time from a decision that raises the replicas until so many are ready. What was not reached counts with
/// the time for which it was wanted. None if nothing was raised.
fn to_target(tracks: &[Track<'_>], until: Duration) -> Option<Duration> {
    let times = tracks.iter().flat_map(|track| {
        let turns = track.turns.iter().enumerate();
        let raised = turns.filter(|(_, turn)| turn.to > turn.from);
        raised.map(move |(position, turn)| {
            let mut later = track.turns[position + 1..].iter();
            let given_up = later.find(|later| later.to < turn.to);
            let wanted = given_up.map_or(until, |given_up| given_up.at);
            let reached = track.reached(turn.at, turn.to).unwrap_or(wanted);
            reached.min(wanted).saturating_sub(turn.at)
        })
    });
    times.max()
}

/// From the end of the last answer to the first moment without a replica; none if that was not seen, or there was no
/// replica at all.
fn to_zero(steps: &[Step], last_answer: Duration) -> Option<Duration> {
    let there = |step: &Step| step.replicas.there() > 0;
    let later = steps.partition_point(|step| step.at <= last_answer);
    let (before, after) = steps.split_at(later);
    let mut had = before.iter().any(there);
    if had && !before.last().is_some_and(there) {
        return Some(Duration::ZERO);
    }
    let gone = after.iter().find(|step| {
        let gone = had && !there(step);
        had |= there(step);
        gone
    });
    gone.map(|step| step.at.saturating_sub(last_answer))
}

/// Failures in the seconds of the run that two seconds after a decision to fewer replicas reach into; each counts
/// once.
fn lost_on_scale_in(tracks: &[Track<'_>], seconds: &[SecondTally]) -> u64 {
    let turns = tracks.iter().flat_map(|track| &track.turns);
    let fewer = turns.filter(|turn| turn.to < turn.from);
    let reached: BTreeSet<usize> = fewer
        .flat_map(|turn| {
            let end = turn.at + LOSS;
            let end = end.as_secs() + u64::from(end.subsec_nanos() > 0);
            turn.at.as_secs()..end
        })
        .filter_map(|second| usize::try_from(second).ok())
        .collect();
    let failed = reached.iter().filter_map(|second| seconds.get(*second));
    failed.map(|second| second.failed).sum()
}

/// Times the desired number of a revision went up after it had gone down within the minute before, or the reverse.
fn flaps(track: &Track<'_>) -> u64 {
    let turned = track.turns.windows(2).filter(|pair| {
        let up = pair.iter().filter(|turn| turn.to > turn.from).count();
        up == 1 && pair[1].at.saturating_sub(pair[0].at) <= FLAP
    });
    turned.count() as u64
}
