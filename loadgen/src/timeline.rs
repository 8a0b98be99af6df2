//! Joins what an autoscaler did with what became of the requests: one time line, and what the scaling was worth.
//!
//! What a revision has is a step function of time: from each [`Sample`] on, until its next one. Where nothing could be
//! seen, the last state stands, and the gap is named.

mod figures;
mod steps;
#[cfg(test)]
mod tests;
mod track;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::steps::{Step, of_revision, together};
use self::track::Track;
use crate::observe::model::{Event, Gap, Observation};
use crate::record::recording::Recording;
use crate::report::make::rounded;
use crate::report::model::{Autoscaler, Named, RevisionSeconds, ScaleEvent, ScaleSecond};
use crate::report::words::clock;

/// Revisions whose seconds are in the report.
const MOST_REVISIONS: usize = 100;

/// The autoscaler's part of the report. `first_request` is when the first request was intended.
pub(crate) fn join(
    observation: &Observation,
    recording: &Recording,
    first_request: Duration,
) -> Autoscaler {
    let tracks = Track::all(observation);
    let steps = together(&observation.samples);
    let until = observation.until;
    Autoscaler {
        source: observation.source.clone(),
        seconds: seconds(&steps, until),
        revisions: revisions(&tracks, until),
        events: observation.events.iter().map(event).collect(),
        gaps: observation.gaps.iter().map(gap).collect(),
        figures: figures::figures(&tracks, &steps, until, recording, first_request),
    }
}

/// The weights, in percent, of revisions whose answers can be compared with them: none if the answers are those of
/// several apps, since a weight is a part of one app's requests.
pub(crate) fn weights(observation: &Observation, recording: &Recording) -> BTreeMap<String, f64> {
    // A revision's name is that of its app, two hyphens and a suffix.
    let app = |revision: &String| revision.split("--").next().map(str::to_owned);
    let answered = recording.revisions.keys();
    let known = answered.filter(|name| observation.weights.contains_key(*name));
    let apps: BTreeSet<_> = known.filter_map(app).collect();
    let weights = observation.weights.clone().into_iter();
    weights
        .filter(|(name, _)| apps.len() == 1 && app(name).is_some_and(|app| apps.contains(&app)))
        .collect()
}

/// The state at the end of each second; of the last one, at the end of the time that was looked at.
fn seconds(steps: &[Step], until: Duration) -> Vec<ScaleSecond> {
    let count = until.as_secs() + u64::from(until.subsec_nanos() > 0);
    let mut steps = steps.iter().peekable();
    let mut now = Step::default();
    (1..=count)
        .map(|end| {
            let end = Duration::from_secs(end);
            while let Some(step) = steps.next_if(|step| step.at < end) {
                now = step.clone();
            }
            ScaleSecond {
                replicas: now.replicas,
                waiting: now.waiting,
                queued: now.queued,
            }
        })
        .collect()
}

/// The seconds of each revision that had anything, if there are several: of those with the most replicas over time.
fn revisions(tracks: &[Track<'_>], until: Duration) -> Vec<Named<RevisionSeconds>> {
    let mut tracks: Vec<_> = tracks.iter().filter(|track| track.had_anything()).collect();
    if tracks.len() < 2 {
        return Vec::new();
    }
    if tracks.len() > MOST_REVISIONS {
        tracks.sort_by_cached_key(|track| std::cmp::Reverse(track.areas(until).there));
        tracks.truncate(MOST_REVISIONS);
        tracks.sort_by_key(|track| track.name);
    }
    let named = |track: &Track<'_>| Named {
        name: track.name.to_owned(),
        value: RevisionSeconds {
            seconds: seconds(&of_revision(&track.samples), until),
        },
    };
    tracks.into_iter().map(named).collect()
}

fn event(event: &Event) -> ScaleEvent {
    ScaleEvent {
        at_seconds: rounded(event.at.as_secs_f64()),
        reason: event.reason.clone(),
        revision: event.revision.clone(),
        replica: event.replica.clone(),
        message: event.message.clone(),
    }
}

fn gap(gap: &Gap) -> String {
    let (from, until) = (gap.from.as_secs_f64(), gap.until.as_secs_f64());
    format!("{} to {}: {}", clock(from), clock(until), gap.because)
}
