//! The generators: how each is told what to do, and what it says.

use std::ffi::OsString;
use std::process::Command;

use serde_json::Value;

use crate::figures::{Times, number};
use crate::process::{Ran, is_there, run};

/// What wrk prints at its end.
const SCRIPT: &str = r#"
done = function(summary, latency)
    local errors = summary.errors
    local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format('\nfound {"requests": %d, "wrong": %d, "seconds": %f, "times": [%f, %f, %f, %f, %f]}\n',
        summary.requests, wrong, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
        latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
end
"#;

/// A generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Loadgen,
    Wrk,
    H2load,
    Oha,
}

/// What starts requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// The answer to the one before.
    Closed,
    /// So many per second.
    Rate(u64),
}

/// What was found.
pub(crate) struct Found {
    /// Requests per second that were answered.
    pub(crate) rate: f64,
    /// Requests that were answered in all.
    pub(crate) requests: f64,
    pub(crate) times: Times,
    pub(crate) ran: Ran,
}

impl Tool {
    pub(crate) const ALL: [Self; 4] = [Self::Loadgen, Self::Wrk, Self::H2load, Self::Oha];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loadgen => "loadgen",
            Self::Wrk => "wrk",
            Self::H2load => "h2load",
            Self::Oha => "oha",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn program(self) -> OsString {
        match self {
            Self::Loadgen => env!("CARGO_BIN_EXE_loadgen").into(),
            Self::Oha => std::env::var_os("OHA_BIN").unwrap_or_else(|| "oha".into()),
            _ => self.name().into(),
        }
    }

    pub(crate) fn is_there(self) -> bool {
        is_there(&self.program())
    }

    /// Whether it can send at a rate whatever the answers do.
    pub(crate) fn has_rate(self) -> bool {
        self != Self::Wrk
    }

    /// Loads a server over so many connections.
    pub(crate) fn load(self, port: u16, connections: usize, seconds: u64, pace: Pace) -> Found {
        let mut command = Command::new(self.program());
        let url = format!("http://127.0.0.1:{port}/");
        match self {
            Self::Loadgen => loadgen(command, &url, connections, seconds, pace),
            Self::Wrk => wrk(command, &url, connections, seconds),
            Self::H2load => h2load(command, &url, connections, seconds, pace),
            Self::Oha => {
                command.args(["--no-tui", "--output-format", "json"]);
                oha(command, &url, connections, seconds, pace)
            }
        }
    }
}

/// What loadgen says when it sends at a rate, over up to so many connections: its report.
pub(crate) fn open_loop(port: u16, rate: u64, connections: usize, seconds: u64) -> Value {
    let mut command = Command::new(Tool::Loadgen.program());
    command
        .args(["run", &format!("http://127.0.0.1:{port}/")])
        .args(["--rate", &rate.to_string(), "--arrival", "poisson"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s"), "--output", "json"]);
    // A run that is not valid is told by its lateness.
    report(&run(&command, 3))
}

fn report(ran: &Ran) -> Value {
    let report = serde_json::from_str(&ran.output);
    report.unwrap_or_else(|error| panic!("{error}: {}", ran.output))
}

fn loadgen(mut command: Command, url: &str, connections: usize, seconds: u64, pace: Pace) -> Found {
    command
        .args(["run", url, "--output", "json"])
        .args(["--fixed-connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")]);
    match pace {
        Pace::Closed => command.args(["--closed", &connections.to_string()]),
        Pace::Rate(rate) => command.args(["--rate", &rate.to_string()]),
    };
    let ran = run(&command, 3);
    let report = report(&ran);
    assert!(number(&report, "/total/failed") < 1.0, "{}", ran.output);
    Found {
        rate: number(&report, "/total/answersPerSecond"),
        requests: number(&report, "/total/answered"),
        times: Times::in_report(&report, "/total/responseTime"),
        ran,
    }
}

fn wrk(mut command: Command, url: &str, connections: usize, seconds: u64) -> Found {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = folder.path().join("done.lua");
    std::fs::write(&script, SCRIPT).expect("the folder is writable");
    command
        .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s")])
        .args(["--timeout", "30s", "-s"])
        .arg(&script)
        .arg(url);
    let ran = run(&command, 0);
    let found = (ran.output.lines()).find_map(|line| line.strip_prefix("found "));
    let found: Value = serde_json::from_str(found.unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {}", ran.output));
    assert_eq!(found["wrong"], 0, "{}", ran.output);
    let seconds = number(&found, "/seconds");
    let requests = number(&found, "/requests");
    Found {
        rate: requests / seconds,
        requests,
        times: Times([0, 1, 2, 3, 4].map(|at| number(&found, &format!("/times/{at}")))),
        ran,
    }
}

fn h2load(mut command: Command, url: &str, connections: usize, seconds: u64, pace: Pace) -> Found {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    command
        .args(["--h1", "-t1", &format!("-c{connections}")])
        .args(["-D", &seconds.to_string()]);
    if let Pace::Rate(rate) = pace {
        let each = rate as f64 / connections as f64;
        // A log costs it time, so it has one only where it tells of times.
        command
            .arg(format!("--rps={each}"))
            .arg("--log-file")
            .arg(&log);
    }
    let ran = run(command.arg(url), 0);
    let done = ran.output.lines().find_map(|line| {
        let counts = line.strip_prefix("requests: ")?;
        counts
            .split(", ")
            .find_map(|count| count.strip_suffix(" succeeded"))
    });
    let requests: f64 = done.and_then(|done| done.parse().ok()).unwrap_or(f64::NAN);
    // Each line has the start, the status and the microseconds it took.
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    let mut times: Vec<_> = (log.lines())
        .filter_map(|line| line.split('\t').nth(2)?.parse::<f64>().ok())
        .map(|micros| micros / 1e6)
        .collect();
    times.sort_by(f64::total_cmp);
    Found {
        rate: requests / seconds as f64,
        requests,
        times: Times::of(&times),
        ran,
    }
}

fn oha(mut command: Command, url: &str, connections: usize, seconds: u64, pace: Pace) -> Found {
    command
        .args(["-c", &connections.to_string(), "-z", &format!("{seconds}s")])
        .args(["-t", "60s"]);
    if let Pace::Rate(rate) = pace {
        command.args(["-q", &rate.to_string(), "--latency-correction", "-w"]);
    }
    let ran = run(command.arg(url), 0);
    let said = report(&ran);
    let time = |place: &str| number(&said, place) * 1e3;
    let percentiles = ["p50", "p90", "p99", "p99.9"];
    let [p50, p90, p99, p999] =
        percentiles.map(|name| time(&format!("/latencyPercentiles/{name}")));
    let rate = time("/summary/requestsPerSec") / 1e3;
    Found {
        rate,
        requests: rate * time("/summary/total") / 1e3,
        times: Times([p50, p90, p99, p999, time("/summary/slowest")]),
        ran,
    }
}
