//! What the KEDA service costs: `cargo bench -p ebbtide --bench keda`.
//!
//! A real `ebbtide up` has an app at zero. Ten thousand ScaledObjects ask for it, first every five
//! seconds and then every second, each as KEDA does (`GetMetricSpec`, `GetMetrics`, `IsActive`, one
//! after another), while each has a stream open; all share one connection. Then one request wakes the app. Printed are the time that calls
//! took, the server's CPU and memory, and the time from sending the request to the first and the
//! last stream's `true`. The client runs on the same machine and takes its part of it.

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
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{interval_at, timeout};
use tonic::transport::{Channel, Endpoint};

const SCALED_OBJECTS: usize = 10_000;
const INTERVALS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];
const ROUNDS: usize = 10;

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

fn reference(index: usize) -> ScaledObjectRef {
    ScaledObjectRef {
        name: format!("hello-{index}"),
        namespace: "apps".to_owned(),
        scaler_metadata: BTreeMap::from([
            ("app".to_owned(), "hello".to_owned()),
            ("scalerAddress".to_owned(), "127.0.0.1:9090".to_owned()),
        ]),
    }
}

/// Asks as KEDA does, once in each interval, and takes down the time of each call in microseconds.
async fn poll(
    mut client: Client,
    index: usize,
    interval: Duration,
    times: Arc<Mutex<Histogram<u64>>>,
) {
    let stagger = interval.mul_f64(index as f64 / SCALED_OBJECTS as f64);
    let mut ticks = interval_at(tokio::time::Instant::now() + stagger, interval);
    for _ in 0..ROUNDS {
        ticks.tick().await;
        let mut took = [0; 3];
        let started = Instant::now();
        client.get_metric_spec(reference(index)).await.unwrap();
        took[0] = micros(started);
        let started = Instant::now();
        let request = GetMetricsRequest {
            scaled_object_ref: Some(reference(index)),
            metric_name: "ebbtide-hello".to_owned(),
        };
        client.get_metrics(request).await.unwrap();
        took[1] = micros(started);
        let started = Instant::now();
        client.is_active(reference(index)).await.unwrap();
        took[2] = micros(started);
        let mut times = times.lock().await;
        for time in took {
            times.record(time).unwrap();
        }
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap()
}

/// All of them ask for some rounds.
async fn measure(server: &Server, client: &Client, interval: Duration) {
    let (before, _) = server.usage();
    let started = Instant::now();
    let times = Arc::new(Mutex::new(Histogram::<u64>::new(3).unwrap()));
    let mut polls = JoinSet::new();
    for index in 0..SCALED_OBJECTS {
        polls.spawn(poll(client.clone(), index, interval, Arc::clone(&times)));
    }
    polls.join_all().await;
    let (after, _) = server.usage();
    let seconds = started.elapsed().as_secs_f64();
    let times = times.lock().await;
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
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("hello.yaml");
    std::fs::write(&document, DOCUMENT).unwrap();
    let server = Server::start(&document);
    let endpoint = Endpoint::from_shared(format!("http://{}", server.keda)).unwrap();
    let client = Client::new(endpoint.connect().await.unwrap());
    let (_, empty) = server.usage();

    let (edges_in, mut edges) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    for index in 0..SCALED_OBJECTS {
        let opened = client.clone().stream_is_active(reference(index)).await;
        let mut stream = opened.unwrap().into_inner();
        assert!(!stream.message().await.unwrap().unwrap().result);
        let edges = edges_in.clone();
        streams.spawn(async move {
            while let Ok(Some(message)) = stream.message().await {
                assert!(message.result);
                edges.send(Instant::now()).unwrap();
            }
        });
    }

    for interval in INTERVALS {
        measure(&server, &client, interval).await;
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
