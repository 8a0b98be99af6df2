//! What reading many sources costs: `cargo bench -p ebbtide-signals --bench sources`.
//!
//! A thousand sources, each a query of its own at a Prometheus that a second process plays, are read once
//! a second for half a minute by one thread. Printed are this process's CPU and memory, how late reads
//! began, how long answers took, and how many failed. The server takes its part of the machine.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures time and prints it"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ebbtide_core::document::{RuleForm, ScaleRule};
use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{Lookup, Parameters, SourceKey, SourceState, Sources, WallClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

const SOURCES: usize = 1000;
const INTERVAL: Duration = Duration::from_secs(1);
const WARM: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(30);
/// The variable that makes this binary the server.
const SERVER: &str = "EBBTIDE_BENCH_SERVER";

struct Machine(Instant);

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).unwrap())
    }
}

impl WallClock for Machine {
    fn wall_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

struct Nothing;

impl Lookup for Nothing {
    fn secret(&self, name: &str) -> Result<String, String> {
        Err(name.to_owned())
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        Err(name.to_owned())
    }
}

/// The other process, ended at the end.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    if std::env::var_os(SERVER).is_some() {
        runtime.block_on(serve());
    } else {
        runtime.block_on(measure());
    }
}

/// Answers every request with a scalar, and ends when its input does.
async fn serve() {
    let answer = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"42"]}}"#;
    let length = answer.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}");
    let answer: Arc<str> = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let mut request = [0; 4096];
            while connection
                .read(&mut request)
                .await
                .is_ok_and(|read| read > 0)
            {
                if connection.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        });
    }
}

fn source(address: &str, number: usize) -> Arc<SourceKey> {
    let query = format!("queue_length_{number}");
    let metadata = [
        ("serverAddress", format!("http://{address}")),
        ("query", query),
        ("threshold", "10".to_owned()),
    ];
    let rule = ScaleRule {
        name: "orders".to_owned(),
        form: RuleForm::Custom,
        scaler: "prometheus".to_owned(),
        metadata: BTreeMap::from(metadata.map(|(key, value)| (key.to_owned(), value))),
        auth: Vec::new(),
        identity: None,
    };
    let parameters = Parameters::resolve(&rule, &Nothing).unwrap().unwrap();
    Arc::new(SourceKey {
        parameters,
        is_bounded: false,
    })
}

/// Seconds of CPU so far, and bytes resident.
fn usage() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let fields: Vec<&str> = fields.collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let resident = lines.find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = resident.split_whitespace().next().unwrap().parse().unwrap();
    // Linux counts a hundred ticks a second for programs, whatever its own clock.
    ((ticks(11) + ticks(12)) / 100.0, kibibytes * 1024)
}

async fn measure() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(SERVER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let _server = Server(child);
    lines.read_line(&mut address).unwrap();

    let keys: Vec<_> = (0..SOURCES)
        .map(|number| source(address.trim(), number))
        .collect();
    let before = usage().1;
    let clock = Arc::new(Machine(Instant::now()));
    let mut sources = Sources::new(clock, Arc::new(Reach::default()), 7);
    sources.follow(keys.iter().map(|key| (Arc::clone(key), INTERVAL)).collect());
    let states: Vec<_> = keys.iter().map(|key| sources.state(key).unwrap()).collect();
    sleep(WARM).await;

    let began = (Instant::now(), usage().0);
    let counts = counts(&states);
    let (late, took) = follow(&mut sources, states.clone()).await;
    let ended = (Instant::now(), usage());
    let seconds = ended.0.duration_since(began.0).as_secs_f64();
    let (reads, failures) = self::counts(&states);
    let (reads, failures) = (reads - counts.0, failures - counts.1);
    println!(
        "{SOURCES} sources, {:.0} reads a second, {failures} of {reads} failed",
        reads as f64 / seconds
    );
    println!(
        "{:.3} core, {:.1} KiB for each source",
        (ended.1.0 - began.1) / seconds,
        (ended.1.1 - before) as f64 / SOURCES as f64 / 1024.0
    );
    print("began late by", late);
    print("were answered in", took);
}

fn counts(states: &[watch::Receiver<SourceState>]) -> (u64, u64) {
    let all = states.iter().map(|state| {
        let state = state.borrow();
        (state.reads, state.failures)
    });
    all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// Follows every read, as whoever decides by them would.
async fn follow(
    sources: &mut Sources,
    mut states: Vec<watch::Receiver<SourceState>>,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut late, mut took) = (Vec::new(), Vec::new());
    let mut news = sources.news();
    let end = sleep(MEASURED);
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return (late, took),
            changed = news.changed() => changed.unwrap(),
        }
        for state in &mut states {
            if state.has_changed().unwrap()
                && let Some(sample) = state.borrow_and_update().sample
            {
                late.push(sample.late);
                took.push(sample.took);
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = times.len() * percent / 100;
        times[place.min(times.len() - 1)].as_secs_f64() * 1000.0
    };
    println!(
        "reads {what}: p50 {:.2} ms, p99 {:.2} ms, largest {:.2} ms",
        at(50),
        at(99),
        at(100)
    );
}
