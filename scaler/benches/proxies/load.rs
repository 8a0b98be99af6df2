//! Load from programs that are not ours, and what they say of it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::process::{LOAD_CORE, on_core};

/// What a load found. Times are in microseconds.
pub(crate) struct Found {
    /// Requests that were answered as they should.
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// What wrk is to do; the first line has the hosts, the next ones the method and the body's length.
const SCRIPT: &str = r#"
local hosts, method, length = tonumber(os.getenv("HOSTS")), os.getenv("METHOD"), tonumber(os.getenv("LENGTH"))
local requests, next = {}, 0
init = function()
    local body = length > 0 and string.rep("x", length) or nil
    for number = 0, hosts - 1 do
        requests[number] = wrk.format(method, os.getenv("REQUEST_PATH"), {Host = "app" .. number .. ".localhost"}, body)
    end
end
request = function()
    -- A prime, so that neighbours in the table are not neighbours in time.
    next = (next + 7919) % hosts
    return requests[next]
end
done = function(summary, latency)
    local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
    io.write(string.format('\nfound {"requests": %d, "wrong": %d, "seconds": %f, "p50": %f, "p99": %f, "p999": %f}\n',
        summary.requests, wrong, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"#;

/// What is asked for over HTTP/1.1.
pub(crate) struct Wrk<'a> {
    pub(crate) port: u16,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    /// The length of the body, in bytes.
    pub(crate) length: usize,
    pub(crate) connections: usize,
    /// How many apps are asked, in turn.
    pub(crate) apps: usize,
    pub(crate) seconds: u64,
}

impl Wrk<'_> {
    pub(crate) fn run(&self) -> Found {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = folder.path().join("load.lua");
        std::fs::write(&script, SCRIPT).expect("the folder is writable");
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", &format!("-c{}", self.connections)])
            .args([&format!("-d{}s", self.seconds), "-s"])
            .arg(&script)
            .arg(format!("http://127.0.0.1:{}/", self.port))
            .env("HOSTS", self.apps.to_string())
            .env("METHOD", self.method)
            .env("LENGTH", self.length.to_string())
            .env("REQUEST_PATH", self.path);
        let said = said(&wrk);
        let found = said.lines().find_map(|line| line.strip_prefix("found "));
        let found: Value = serde_json::from_str(found.unwrap_or_default())
            .unwrap_or_else(|error| panic!("{error}: {said}"));
        let number = |name: &str| found[name].as_f64().unwrap_or(f64::NAN);
        assert!(number("wrong") < 1.0, "{said}");
        Found {
            requests: number("requests"),
            seconds: number("seconds"),
            p50: number("p50"),
            p99: number("p99"),
            p999: number("p999"),
        }
    }
}

/// Requests over HTTP/2, 100 at a time on each of a few connections.
pub(crate) fn http2(port: u16, seconds: u64) -> Found {
    const CONNECTIONS: &str = "4";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    let mut h2load = Command::new("h2load");
    h2load
        .args(["-c", CONNECTIONS, "-m", "100", "-D", &seconds.to_string()])
        .args(["-H", ":authority: app0.localhost", "--log-file"])
        .arg(&log)
        .arg(format!("http://127.0.0.1:{port}/"));
    let said = said(&h2load);
    assert!(said.contains(" 0 failed, 0 errored, 0 timeout"), "{said}");
    // Each line has the start, the status and the microseconds it took.
    let log = std::fs::read_to_string(&log).expect("h2load writes it");
    let mut times = Vec::new();
    for line in log.lines() {
        let mut cells = line.split('\t').skip(1);
        assert_eq!(cells.next(), Some("200"), "{line}");
        times.extend(cells.next().and_then(|time| time.parse::<f64>().ok()));
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| {
        times
            .get(times.len() * share / 1000)
            .copied()
            .unwrap_or(f64::NAN)
    };
    Found {
        requests: times.len() as f64,
        seconds: seconds as f64,
        p50: at(500),
        p99: at(990),
        p999: at(999),
    }
}

/// Where our own load generator is, if it was built: `cargo build --release -p ebbtide-loadgen`.
pub(crate) fn loadgen() -> Option<PathBuf> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ebbtide")).with_file_name("loadgen");
    program.exists().then_some(program)
}

/// Requests at a rate, whether earlier ones are answered or not. None if there is no load generator, or it
/// was not on time itself.
pub(crate) fn open_loop(port: u16, rate: f64, seconds: u64) -> Option<Found> {
    let mut command = Command::new(loadgen()?);
    command
        .args([
            "run",
            &format!("http://127.0.0.1:{port}/"),
            "--host",
            "app0.localhost",
        ])
        .args([
            "--rate",
            &format!("{rate:.0}"),
            "--duration",
            &format!("{seconds}s"),
        ])
        .args(["--arrival", "poisson", "--output", "json"]);
    let output = on_core(LOAD_CORE, &command)
        .output()
        .expect("loadgen starts");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        eprintln!("not counted: loadgen says {}", said.trim());
        return None;
    }
    let report: Value = serde_json::from_slice(&output.stdout).expect("loadgen prints JSON");
    let time = |name: &str| report["responseTimeMs"][name].as_f64().unwrap_or(f64::NAN) * 1e3;
    Some(Found {
        requests: report["answered"].as_f64().unwrap_or(f64::NAN),
        seconds: seconds as f64,
        p50: time("p50"),
        p99: time("p99"),
        p999: time("p999"),
    })
}

fn said(command: &Command) -> String {
    let output = on_core(LOAD_CORE, command)
        .output()
        .expect("taskset is there");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}
