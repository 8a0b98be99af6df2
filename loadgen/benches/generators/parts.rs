//! What is measured of generators.

use crate::backend::Backend;
use crate::figures::{QUANTILES, Times};
use crate::stall::Stalling;
use crate::table::Row;
use crate::tool::{Pace, Tool, open_loop};

/// Connections where their number is not what is measured.
const CONNECTIONS: usize = 50;

/// What the server that stops is asked: requests per second, over so many connections, for so many seconds.
const STALL: (u64, usize, u64) = (2000, 10, 8);

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Saturation,
    Lateness,
    Memory,
    Truth,
}

/// Something to measure, again and again.
pub(crate) enum Task {
    Saturation(Tool),
    /// At this percentage of its saturation.
    Lateness(u64),
    Memory(Tool, usize),
    Truth(Tool, Pace),
}

impl Part {
    pub(crate) const ALL: [Self; 4] = [Self::Saturation, Self::Lateness, Self::Memory, Self::Truth];

    pub(crate) fn named(name: &str) -> Option<Self> {
        let names = ["saturation", "lateness", "memory", "truth"];
        let at = names.iter().position(|known| *known == name)?;
        Some(Self::ALL[at])
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Saturation => "Requests per second at saturation",
            Self::Lateness => "How late loadgen is",
            Self::Memory => "Memory for each number of connections",
            Self::Truth => "What is said of a server that stops for a second",
        }
    }

    pub(crate) fn explained(self) -> String {
        match self {
            Self::Saturation => format!(
                "A closed loop over {CONNECTIONS} connections. The server may be slower than the generator, so the \
                 requests for each second of a core that the generator used say what it could do."
            ),
            Self::Lateness => format!(
                "Poisson arrivals at parts of what loadgen can send in a closed loop, over up to {CONNECTIONS} \
                 connections. Milliseconds from the intended start of a request to its send."
            ),
            Self::Memory => {
                "A closed loop. The most memory in use, in MiB, of the generator's process."
                    .to_owned()
            }
            Self::Truth => {
                let (rate, connections, seconds) = STALL;
                format!(
                    "{rate} requests per second over {connections} connections for {seconds} s. The server stops \
                     once, for a second. Milliseconds; the truth is what somebody who sends evenly would have felt."
                )
            }
        }
    }

    /// What stops does so for everyone alike, and takes long.
    pub(crate) fn rounds(self, rounds: usize) -> usize {
        match self {
            Self::Truth | Self::Memory => 1,
            _ => rounds,
        }
    }

    pub(crate) fn tasks(self, tools: &[Tool]) -> Vec<Task> {
        let tools = tools.iter().copied();
        match self {
            Self::Saturation => tools.map(Task::Saturation).collect(),
            Self::Lateness => [10, 50, 80].map(Task::Lateness).into(),
            Self::Memory => tools
                .flat_map(|tool| [1000, 10_000].map(|count| Task::Memory(tool, count)))
                .collect(),
            Self::Truth => tools
                .flat_map(|tool| {
                    let rate = tool.has_rate().then_some(Pace::Rate(STALL.0));
                    let closed = (tool != Tool::H2load).then_some(Pace::Closed);
                    [rate, closed]
                        .into_iter()
                        .flatten()
                        .map(move |pace| (tool, pace))
                })
                .map(|(tool, pace)| Task::Truth(tool, pace))
                .collect(),
        }
    }
}

impl Task {
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Saturation(tool) => tool.name().to_owned(),
            Self::Lateness(percent) => format!("{percent} %"),
            Self::Memory(tool, connections) => format!("{}, {connections}", tool.name()),
            Self::Truth(tool, Pace::Closed) => format!("{}, closed loop", tool.name()),
            Self::Truth(tool, Pace::Rate(_)) => format!("{}, at the rate", tool.name()),
        }
    }

    pub(crate) fn run(&self, seconds: u64, backend: &Backend) -> Row {
        match *self {
            Self::Saturation(tool) => {
                let found = tool.load(backend.port, CONNECTIONS, seconds, Pace::Closed);
                vec![
                    ("requests/s", found.rate),
                    (
                        "requests per second of its core",
                        found.requests / found.ran.cpu,
                    ),
                    ("% of its core", found.ran.cpu * 100.0 / seconds as f64),
                ]
            }
            Self::Lateness(percent) => {
                let most = Tool::Loadgen.load(backend.port, CONNECTIONS, seconds, Pace::Closed);
                let rate = (most.rate * percent as f64 / 100.0) as u64;
                let report = open_loop(backend.port, rate, CONNECTIONS, seconds);
                let late = Times::in_report(&report, "/lateness/times");
                let response = Times::in_report(&report, "/total/responseTime");
                let mut row = vec![("requests/s", rate as f64)];
                row.extend(named(late));
                row.push(("response p99", response.0[2]));
                row
            }
            Self::Memory(tool, connections) => {
                let found = tool.load(backend.port, connections, seconds, Pace::Closed);
                vec![("MiB", found.ran.memory), ("requests/s", found.rate)]
            }
            Self::Truth(tool, pace) => {
                let (rate, connections, seconds) = STALL;
                let server = Stalling::start();
                let found = tool.load(server.port, connections, seconds, pace);
                let truth = Times::of(&server.truth(rate, seconds));
                let mut row: Row = named(found.times).collect();
                let names = ["true p50", "true p90", "true p99", "true p99.9", "true max"];
                row.extend(names.into_iter().zip(truth.0));
                row
            }
        }
    }
}

fn named(times: Times) -> impl Iterator<Item = (&'static str, f64)> {
    QUANTILES
        .iter()
        .zip(times.0)
        .map(|((name, _), time)| (*name, time))
}
