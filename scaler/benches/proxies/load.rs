//! Load, and what it says it found: from programs that are not ours where there are such.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::found::Found;
use crate::process::{LOAD_CORE, first, on_core};
use crate::roles::Role;

/// What wrk is to do; the first line has the hosts, the next ones the method and the body's length.
const SCRIPT: &str = r#"
local hosts, method, length = tonumber(os.getenv("HOSTS")), os.getenv("METHOD"), tonumber(os.getenv("LENGTH"))
local requests, next = {}, 0
init = function()
    local body = length > 0 and string.rep("x", length) or nil
    local headers = {}
    if method == "OPTIONS" then
        -- As a browser asks before it sends a request of another site's page.
        headers = {Origin = "http://page.example", ["Access-Control-Request-Method"] = "GET"}
    end
    for number = 0, hosts - 1 do
        headers.Host = "app" .. number .. ".localhost"
        requests[number] = wrk.format(method, os.getenv("REQUEST_PATH"), headers, body)
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
    /// http or https.
    pub(crate) scheme: &'a str,
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
            .arg(format!("{}://127.0.0.1:{}/", self.scheme, self.port))
            .env("HOSTS", self.apps.to_string())
            .env("METHOD", self.method)
            .env("LENGTH", self.length.to_string())
            .env("REQUEST_PATH", self.path);
        let said = said(&wrk);
        let found = said.lines().find_map(|line| line.strip_prefix("found "));
        let found: Value = serde_json::from_str(found.unwrap_or_default())
            .unwrap_or_else(|error| panic!("{error}: {said}"));
        let wrong = found["wrong"].as_f64().unwrap_or(f64::NAN);
        assert!(wrong < 1.0, "{said}");
        Found::read(&found)
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
    Found::of(times, seconds as f64)
}

/// Load from a process of ours, which prints what it found.
pub(crate) fn ours(role: Role, port: u16, arguments: &[&OsStr]) -> Value {
    let mut command = role.command();
    command.arg(port.to_string()).args(arguments);
    let said = said(&command);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Where our own load generator is, if it was built: `cargo build --release -p ebbtide-loadgen`.
pub(crate) fn loadgen() -> Option<PathBuf> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ebbtide")).with_file_name("loadgen");
    program.exists().then_some(program)
}

/// Requests at a rate, whether earlier ones are answered or not. None if there is no load generator, or it
/// was not on time itself.
pub(crate) fn open_loop(port: u16, rate: f64, seconds: u64) -> Option<Found> {
    let Some(program) = loadgen() else {
        eprintln!("not counted: cargo build --release -p ebbtide-loadgen makes what it takes");
        return None;
    };
    let mut command = Command::new(program);
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
    let output = on_core(LOAD_CORE, &first(&command))
        .output()
        .expect("loadgen starts");
    if !output.status.success() {
        let why = match output.status.code() {
            Some(2) => "requests failed",
            Some(3) => "loadgen itself was late",
            _ => "loadgen could not",
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        eprintln!("not counted: {why}. {}", said.trim());
        return None;
    }
    let report: Value = serde_json::from_slice(&output.stdout).expect("loadgen prints JSON");
    let total = &report["total"];
    let time = |name: &str| total["responseTime"][name].as_f64().unwrap_or(f64::NAN) * 1e3;
    Some(Found {
        requests: total["answered"].as_f64().unwrap_or(f64::NAN),
        seconds: seconds as f64,
        p50: time("p50Ms"),
        p99: time("p99Ms"),
        p999: time("p999Ms"),
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
