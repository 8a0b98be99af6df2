//! A made-up run for tests: a spike that starts from zero, of two revisions, with an autoscaler that follows.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use super::head::Head;
use super::histogram::{as_float, empty};
use super::make::report;
use super::model::{
    Autoscaler, Destination, LoopKind, Named, Report, RevisionSeconds, ScaleEvent, ScaleFigures,
    ScaleSecond,
};
use crate::observe::model::Replicas;
use crate::plan::Stage;
use crate::record::outcome::FailureKind;
use crate::record::recording::{
    Live, QueueTally, Recording, RevisionTally, Sampled, SecondTally, Tally,
};
use crate::threshold::Threshold;

/// Seconds for which requests start.
const LOADED: u64 = 60;
/// Seconds for which the autoscaler is followed.
const FOLLOWED: u64 = 85;
const STAGES: [(&str, u64, u64); 3] = [("calm", 0, 10), ("spike", 10, 30), ("after", 30, 60)];

/// The plan of it.
pub(crate) fn head() -> Head {
    Head {
        name: "Spike from zero".to_owned(),
        seed: 7,
        loop_kind: LoopKind::Open,
        load: "Poisson, 5/s, from 10 s to 30 s 200/s".to_owned(),
        started: "2026-11-27T16:20:05.25Z".parse().unwrap(),
        destinations: ["home", "search"].map(destination).to_vec(),
        stages: STAGES
            .map(|(name, from, until)| stage(name, from, until))
            .to_vec(),
        lateness_p99: Duration::from_millis(1),
        count_header: Some("x-replica".to_owned()),
        queues: Vec::new(),
    }
}

fn destination(name: &str) -> Destination {
    Destination {
        target: name.to_owned(),
        what: format!("GET http://hello.localhost:8080/{name}?q=1"),
        how: "Host hello.localhost, HTTP/1.1, at most 1000 requests in flight".to_owned(),
        share_percent: if name == "home" { 75.0 } else { 25.0 },
    }
}

fn stage(name: &str, from: u64, until: u64) -> Stage {
    Stage {
        name: name.to_owned(),
        from: Duration::from_secs(from),
        until: Duration::from_secs(until),
    }
}

/// What was recorded of it.
pub(crate) fn recording() -> Recording {
    let mut recording = Recording {
        elapsed: Duration::from_millis(60_012),
        interrupted: false,
        dropped: 0,
        late: 2,
        lateness: empty().unwrap(),
        total: tally(),
        targets: vec![tally(), tally()],
        stages: vec![tally(), tally(), tally()],
        revisions: ["hello--blue", "hello--green"]
            .map(|name| (name.to_owned(), revision()))
            .into(),
        counted: BTreeMap::new(),
        queues: BTreeMap::new(),
        seconds: vec![SecondTally::default(); 61],
    };
    let mut position = 0;
    for second in 0..LOADED {
        let many = if (10..30).contains(&second) { 200 } else { 5 };
        for nth in 0..many + position % 7 {
            record(&mut recording, second, nth, position);
            position += 1;
        }
    }
    let times = recording.seconds.iter_mut();
    for times in times.filter_map(|second| second.response.as_mut()) {
        times.buckets.sort_unstable();
    }
    recording
}

/// What became of a request.
#[derive(Clone, Copy)]
struct Made {
    position: u64,
    response: u64,
    service: u64,
    connect: u64,
    lost: bool,
    wrong: bool,
    cold: bool,
}

/// The `nth` request of a second. The multiplier makes values that look drawn by chance.
fn made(second: u64, nth: u64, position: u64) -> Made {
    let chance = position.wrapping_mul(2_654_435_761) % 1000;
    let waited = match second {
        0 => 1_240_000 - 200_000 * nth.min(5),
        10..=13 => (14 - second) * 90 * chance,
        _ => 0,
    };
    let service = 11_000 + chance * 9 + if chance > 990 { 70_000 } else { 0 };
    Made {
        position,
        response: service + waited,
        service: service + waited / 4,
        connect: 180 + chance,
        lost: second == 31 && nth < 3,
        wrong: second == 12 && nth % 50 == 7,
        cold: second == 0 || (second == 10 && nth.is_multiple_of(4)),
    }
}

/// Records one request of it.
fn record(recording: &mut Recording, second: u64, nth: u64, position: u64) {
    let made = made(second, nth, position);
    let stage = usize::from(second >= 10) + usize::from(second >= 30);
    let target = usize::from(position % 4 == 3);
    count(&mut recording.total, made);
    count(&mut recording.targets[target], made);
    count(&mut recording.stages[stage], made);
    recording.lateness.record(12 + made.connect / 8).unwrap();
    let begun = &mut recording.seconds[usize::try_from(second).unwrap()];
    begun.offered += 1;
    begun.sent += 1;
    let ended = second + (nth * 1000 / 210 * 1000 + made.response) / 1_000_000;
    let tally = &mut recording.seconds[usize::try_from(ended).unwrap().min(60)];
    tally.cold_starts += u64::from(made.cold);
    if made.lost || made.wrong {
        tally.failed += 1;
    } else {
        tally.succeeded += 1;
    }
    if !made.lost {
        let times = tally.response.get_or_insert_default();
        times.buckets.push((made.response, 1));
        answer(recording, made);
    }
}

fn count(tally: &mut Tally, made: Made) {
    tally.offered += 1;
    tally.sent += 1;
    tally.connections_opened += u64::from(made.position < 40);
    tally.connect.record(made.connect).unwrap();
    if made.lost {
        let failures = tally.failures.entry(FailureKind::Reset).or_default();
        return sample(failures, "connection closed before message completed");
    }
    tally.answered += 1;
    tally.succeeded += u64::from(!made.wrong);
    tally.bytes += 1200;
    let status = if made.wrong { 503 } else { 200 };
    *tally.statuses.entry(status).or_default() += 1;
    if made.wrong {
        sample(&mut tally.wrong_status, "503: no room in the line");
    }
    tally.response.record(made.response).unwrap();
    tally.service.record(made.service).unwrap();
    tally.first_byte.record(made.service - 900).unwrap();
    if made.cold {
        tally.cold_starts += 1;
        tally.cold_start.record(made.response - 10_000).unwrap();
    }
}

/// Counts an answer by the names that it has.
fn answer(recording: &mut Recording, made: Made) {
    let name = match made.position % 5 {
        0 => "hello--green",
        _ => "hello--blue",
    };
    let revision = recording.revisions.get_mut(name).unwrap();
    revision.answered += 1;
    revision.succeeded += u64::from(!made.wrong);
    let replica = format!("{name}-{}", made.position % 3);
    *revision.replicas.entry(replica.clone()).or_default() += 1;
    revision.response.record(made.response).unwrap();
    *recording.counted.entry(replica).or_default() += 1;
}

fn sample(sampled: &mut Sampled, words: &str) {
    sampled.count += 1;
    sampled.first.get_or_insert_with(|| words.to_owned());
}

fn tally() -> Tally {
    Tally {
        offered: 0,
        sent: 0,
        answered: 0,
        succeeded: 0,
        bytes: 0,
        connections_opened: 0,
        waited: 0,
        cold_starts: 0,
        statuses: BTreeMap::new(),
        failures: BTreeMap::new(),
        wrong_status: Sampled::default(),
        wrong_check: Sampled::default(),
        response: empty().unwrap(),
        service: empty().unwrap(),
        first_byte: empty().unwrap(),
        connect: empty().unwrap(),
        cold_start: empty().unwrap(),
    }
}

fn revision() -> RevisionTally {
    RevisionTally {
        answered: 0,
        succeeded: 0,
        replicas: BTreeMap::new(),
        response: empty().unwrap(),
    }
}

/// What the autoscaler did meanwhile.
pub(crate) fn autoscaler() -> Autoscaler {
    let seconds: Vec<_> = (0..FOLLOWED).map(scale_second).collect();
    let blue = seconds.iter().map(without_one);
    let green = seconds.iter().map(one_of);
    let named = |name: &str, seconds| Named {
        name: name.to_owned(),
        value: RevisionSeconds { seconds },
    };
    let revisions = vec![
        named("hello--blue", blue.collect()),
        named("hello--green", green.collect()),
    ];
    Autoscaler {
        source: "http://127.0.0.1:8081".to_owned(),
        revisions,
        events: EVENTS.map(event).to_vec(),
        gaps: vec!["0:41 to 0:42: the connection was closed".to_owned()],
        figures: ScaleFigures {
            time_to_first_replica_seconds: Some(1.24),
            time_to_target_seconds: Some(3.1),
            time_to_zero_seconds: Some(22.4),
            under_provisioned_replica_seconds: 14.2,
            over_provisioned_replica_seconds: 11.0,
            replica_seconds: 171.0,
            most_ready: 6,
            waited_percent: Some(1.2),
            lost_on_scale_in: 3,
            flaps: 0,
        },
        seconds,
    }
}

/// What green has of all: one replica while there are several.
fn one_of(second: &ScaleSecond) -> ScaleSecond {
    let several = u32::from(second.replicas.ready > 1);
    ScaleSecond {
        replicas: Replicas {
            desired: u32::from(second.replicas.desired > 1),
            ready: several,
            ..Replicas::default()
        },
        waiting: Some(0),
        queued: None,
    }
}

/// The rest.
fn without_one(second: &ScaleSecond) -> ScaleSecond {
    let mut rest = second.clone();
    let green = one_of(second).replicas;
    rest.replicas.desired -= green.desired;
    rest.replicas.ready -= green.ready;
    rest
}

const EVENTS: [(f64, &str, &str); 7] = [
    (
        0.02,
        "Decision",
        "hello--blue 0 → 1: activated by a request",
    ),
    (1.24, "ReplicaReady", "hello--blue-0 is ready after 1.2 s"),
    (
        10.6,
        "Decision",
        "hello--blue 1 → 4: http 38.0 / 10 = 4; max of rules",
    ),
    (
        12.1,
        "Decision",
        "hello--blue 4 → 6: http 61.0 / 10 = 7; at most 6 (maxReplicas)",
    ),
    (13.7, "ReplicaReady", "hello--blue-5 is ready after 1.5 s"),
    (
        36.0,
        "Decision",
        "hello--blue 6 → 1: http 0.6 / 10 = 1; held for 6 s by stabilization",
    ),
    (
        82.4,
        "Decision",
        "hello--blue 1 → 0: idle for cooldownPeriod 22 s",
    ),
];

fn event((at_seconds, reason, message): (f64, &str, &str)) -> ScaleEvent {
    ScaleEvent {
        at_seconds,
        reason: reason.to_owned(),
        revision: Some("hello--blue".to_owned()),
        replica: None,
        message: message.to_owned(),
    }
}

fn scale_second(second: u64) -> ScaleSecond {
    let (desired, ready, starting, draining) = match second {
        0 => (1, 0, 1, 0),
        1..=9 | 38..=81 => (1, 1, 0, 0),
        10 | 11 => (4, 1, 3, 0),
        12 => (6, 4, 2, 0),
        13 => (6, 5, 1, 0),
        14..=35 => (6, 6, 0, 0),
        36 | 37 => (1, 1, 0, 5),
        _ => (0, 0, 0, 0),
    };
    ScaleSecond {
        replicas: Replicas {
            desired,
            ready,
            starting,
            draining,
        },
        waiting: Some(match second {
            0 => 3,
            10..=13 => (14 - second) * 7,
            _ => 0,
        }),
        queued: Some(match second {
            10..=30 => 120.0 - (20.0 - as_float(second)).abs() * 11.0,
            _ => 0.0,
        }),
    }
}

/// The report of it.
pub(crate) fn full() -> Report {
    static FULL: LazyLock<Report> = LazyLock::new(make_full);
    FULL.clone()
}

fn make_full() -> Report {
    let weights = [("hello--blue", 80.0), ("hello--green", 20.0)];
    let weights = weights
        .map(|(name, weight)| (name.to_owned(), weight))
        .into();
    let mut report = report(&head(), &recording(), Some(autoscaler()), &weights).unwrap();
    report.generator = "loadgen 0.0.0".to_owned();
    report.thresholds = ["p99 < 1s", "lost == 0", "timeToZero < 40s"]
        .map(|expression| Threshold::parse(expression).unwrap().evaluate(&report))
        .to_vec();
    report
}

/// The report of a closed loop that lagged and saw nothing but requests of one kind.
pub(crate) fn plain() -> Report {
    let mut head = head();
    head.loop_kind = LoopKind::Closed;
    head.load = "closed loop, 16 clients for 60 s".to_owned();
    head.destinations.truncate(1);
    head.stages.clear();
    head.count_header = None;
    let mut recording = recording();
    recording.interrupted = true;
    recording.dropped = 12;
    recording.targets.truncate(1);
    recording.stages.clear();
    recording.revisions.clear();
    let mut report = report(&head, &recording, None, &BTreeMap::new()).unwrap();
    report.generator = "loadgen 0.0.0".to_owned();
    report
}

/// The report of a run whose second target is a queue.
pub(crate) fn queued() -> Report {
    let mut head = head();
    head.destinations[1] = Destination {
        target: "orders".to_owned(),
        what: "messages to the Redis list orders".to_owned(),
        how: "completions through orders-completed".to_owned(),
        share_percent: 25.0,
    };
    head.queues = vec![1];
    let mut recording = recording();
    let enqueued = recording.targets[1].sent;
    let mut enqueue = empty().unwrap();
    for nth in 0..enqueued {
        enqueue.record(310 + nth % 90).unwrap();
    }
    let queue = QueueTally {
        enqueued,
        repeated: 3,
        enqueue,
    };
    recording.queues.insert(1, queue);
    let mut report = report(&head, &recording, Some(autoscaler()), &BTreeMap::new()).unwrap();
    report.generator = "loadgen 0.0.0".to_owned();
    report
}

/// How far it is after so many seconds.
pub(crate) fn live(second: usize) -> Live {
    let recording = recording();
    Live {
        at: Duration::from_secs(second as u64),
        until: Some(Duration::from_secs(LOADED)),
        ending: second as u64 >= LOADED,
        total: recording.total,
        lateness: recording.lateness,
        seconds: recording.seconds[..=second].to_vec(),
    }
}
