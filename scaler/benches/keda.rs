//! What the KEDA service costs: `cargo bench -p ebbtide --bench keda`.
//!
//! A real `ebbtide up` has an app at zero. Ten thousand ScaledObjects ask for it, first every five
//! seconds and then every second, each as KEDA does (`GetMetricSpec`, `GetMetrics`, `IsActive`, one
//! after another), while each has a stream open; all share one connection. Then one request wakes the
//! app. Printed are the time that calls took, the server's CPU and memory, and the time from sending
//! the request to the first and the last stream's `true`. Then the same again with ScaledObjects that
//! each have rules of their own for the app's requests, so that there are ten thousand decisions.
//! The client runs on the same machine and takes its part of it. `-- app` and `-- rules` run one part.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark measures time and prints it"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ebbtide_proto::external_scaler::external_scaler_client::ExternalScalerClient;
use ebbtide_proto::external_scaler::{GetMetricsRequest, ScaledObjectRef};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{interval_at, sleep, timeout};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

const SCALED_OBJECTS: usize = 10_000;
const INTERVALS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];
const ROUNDS: usize = 10;

/// After a stream could not be opened.
const AGAIN: Duration = Duration::from_secs(1);

const DOCUMENT: &str = "\
name: hello
properties:
  configuration: {ingress: {external: true, allowInsecure: true, targetPort: 80}}
  template:
    containers: [{name: hello, command: ['$(EBBTIDE_PROGRAM)', sample-app]}]
";

/// `ebbtide up`, stopped at the end.
struct Server {
    child: Child,
    ingress: String,
    keda: String,
    _lines: BufReader<ChildStdout>,
}

impl Server {
    fn start(document: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ebbtide"))
            .arg("up")
            .arg(document)
            .args(["--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0"])
            .args(["--keda-listen", "127.0.0.1:0"])
            .env("EBBTIDE_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (mut ingress, mut keda) = (None, None);
        while ingress.is_none() {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended");
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["KEDA", address, ..] => keda = Some(address.to_owned()),
                ["Listening", "on", address, ..] => {
                    ingress = Some(address.trim_end_matches('.').to_owned());
                }
                _ => {}
            }
        }
        Self {
            child,
            ingress: ingress.unwrap(),
            keda: keda.unwrap(),
            _lines: lines,
        }
    }

    /// Seconds of CPU so far, and bytes resident.
    fn usage(&self) -> (f64, u64) {
        let proc = format!("/proc/{}", self.child.id());
        let stat = std::fs::read_to_string(format!("{proc}/stat")).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        let kibibytes: u64 = resident.split_whitespace().next().unwrap().parse().unwrap();
        // Linux counts a hundred ticks a second for programs, whatever its own clock.
        ((ticks(11) + ticks(12)) / 100.0, kibibytes * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

type Client = ExternalScalerClient<Channel>;

/// What the triggers have.
#[derive(Clone, Copy)]
enum Trigger {
    App,
    Rules,
}

impl Trigger {
    fn reference(self, index: usize) -> ScaledObjectRef {
        let metadata: &[(&str, &str)] = match self {
            Self::App => &[("app", "hello")],
            Self::Rules => &[
                ("app", "hello"),
                ("type", "http"),
                ("concurrentRequests", "1"),
            ],
        };
        let address = ("scalerAddress", "127.0.0.1:9090");
        let pairs = metadata.iter().chain([&address]);
        ScaledObjectRef {
            name: format!("hello-{index}"),
            namespace: "apps".to_owned(),
            scaler_metadata: pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }
}

/// What the calls of a measurement took in microseconds, and what went wrong by its code.
struct Outcomes {
    times: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

/// Asks as KEDA does, once in each interval, and takes down the time of each call in microseconds.
async fn poll(
    mut client: Client,
    (trigger, index): (Trigger, usize),
    interval: Duration,
    outcomes: Arc<Mutex<Outcomes>>,
) {
    let stagger = interval.mul_f64(index as f64 / SCALED_OBJECTS as f64);
    let mut ticks = interval_at(tokio::time::Instant::now() + stagger, interval);
    for _ in 0..ROUNDS {
        ticks.tick().await;
        let mut took = Vec::with_capacity(3);
        let polled = poll_once(&mut client, trigger.reference(index), &mut took).await;
        let mut outcomes = outcomes.lock().await;
        for time in took {
            outcomes.times.record(time).unwrap();
        }
        if let Err(status) = polled {
            let code = format!("{:?}", status.code());
            *outcomes.errors.entry(code).or_default() += 1;
        }
    }
}

async fn poll_once(
    client: &mut Client,
    reference: ScaledObjectRef,
    took: &mut Vec<u64>,
) -> Result<(), Status> {
    let started = Instant::now();
    let specs = client.get_metric_spec(reference.clone()).await?;
    took.push(micros(started));
    let started = Instant::now();
    let request = GetMetricsRequest {
        scaled_object_ref: Some(reference.clone()),
        metric_name: specs.into_inner().metric_specs.remove(0).metric_name,
    };
    client.get_metrics(request).await?;
    took.push(micros(started));
    let started = Instant::now();
    client.is_active(reference).await?;
    took.push(micros(started));
    Ok(())
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap()
}

/// All of them ask for some rounds.
async fn measure(server: &Server, client: &Client, trigger: Trigger, interval: Duration) {
    let (before, _) = server.usage();
    let started = Instant::now();
    let outcomes = Arc::new(Mutex::new(Outcomes {
        times: Histogram::new(3).unwrap(),
        errors: BTreeMap::new(),
    }));
    let mut polls = JoinSet::new();
    for index in 0..SCALED_OBJECTS {
        let (asking, outcomes) = ((trigger, index), Arc::clone(&outcomes));
        polls.spawn(poll(client.clone(), asking, interval, outcomes));
    }
    polls.join_all().await;
    let (after, _) = server.usage();
    let seconds = started.elapsed().as_secs_f64();
    let Outcomes { times, errors } = &*outcomes.lock().await;
    println!(
        "{SCALED_OBJECTS} ScaledObjects polled every {} s, as many streams open, one connection",
        interval.as_secs()
    );
    println!("  calls a second      {:.0}", times.len() as f64 / seconds);
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)] {
        let millis = times.value_at_quantile(quantile) as f64 / 1000.0;
        println!("  {name:<19} {millis:.3} ms");
    }
    println!(
        "  server's CPU        {:.2} cores",
        (after - before) / seconds
    );
    for (code, count) in errors {
        println!("  ERRORS              {count} {code}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let only = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    if is_wanted("app") {
        println!("--- Triggers that name an app");
        run(Trigger::App).await;
    }
    if is_wanted("rules") {
        println!("--- Triggers with rules of their own");
        run(Trigger::Rules).await;
    }
}

async fn run(trigger: Trigger) {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("hello.yaml");
    std::fs::write(&document, DOCUMENT).unwrap();
    let server = Server::start(&document);
    let endpoint = Endpoint::from_shared(format!("http://{}", server.keda)).unwrap();
    let client = Client::new(endpoint.connect().await.unwrap());
    let (_, empty) = server.usage();

    let (edges_in, mut edges) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    let opened = Arc::new(Barrier::new(SCALED_OBJECTS + 1));
    for index in 0..SCALED_OBJECTS {
        let (mut client, edges) = (client.clone(), edges_in.clone());
        let opened = Arc::clone(&opened);
        streams.spawn(async move {
            let mut stream = loop {
                match client.stream_is_active(trigger.reference(index)).await {
                    Ok(stream) => break stream.into_inner(),
                    Err(error) => println!("a stream is opened once more: {error}"),
                }
                sleep(AGAIN).await;
            };
            assert!(!stream.message().await.unwrap().unwrap().result);
            opened.wait().await;
            while let Ok(Some(message)) = stream.message().await {
                assert!(
                    message.result,
                    "a stream that was inactive was told so again"
                );
                let _ = edges.send(Instant::now());
            }
        });
    }

    opened.wait().await;
    for interval in INTERVALS {
        measure(&server, &client, trigger, interval).await;
    }
    let each = (server.usage().1 - empty) as f64 / 1024.0 / SCALED_OBJECTS as f64;
    println!("memory                {each:.1} KiB each, stream included");

    let mut waking = TcpStream::connect(&server.ingress).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: close\r\n\r\n";
    let asked = Instant::now();
    waking.write_all(request.as_bytes()).await.unwrap();
    let mut told = Vec::with_capacity(SCALED_OBJECTS);
    while told.len() < SCALED_OBJECTS {
        match timeout(Duration::from_secs(10), edges.recv()).await {
            Ok(Some(at)) => told.push(at),
            _ => panic!("{} of {SCALED_OBJECTS} streams were told", told.len()),
        }
    }
    told.sort_unstable();
    let after = |index: usize| told[index].duration_since(asked).as_secs_f64() * 1000.0;
    println!(
        "request to stream     first {:.2} ms, median {:.2} ms, last {:.2} ms",
        after(0),
        after(SCALED_OBJECTS / 2),
        after(SCALED_OBJECTS - 1)
    );
    drop(waking.read_to_end(&mut Vec::new()).await);
    streams.shutdown().await;
}
