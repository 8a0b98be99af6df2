//! A collector of spans that is not ours: OpenTelemetry's own messages, and Python's servers.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::harness::{SOON, eventually, program};

const PROGRAM: &str = include_str!("collector.py");

/// A collector, which prints what it takes.
pub(super) struct Collector {
    child: Child,
    said: Arc<Mutex<Vec<Value>>>,
    /// Where it takes gRPC, and HTTP.
    ports: Value,
}

impl Collector {
    /// One that refuses so many exports at first, by TLS if it has files with a certificate and its key.
    pub(super) fn start(refusals: u32, files: &[&str]) -> Self {
        let mut command = Command::new(program("CLIENTS_PYTHON", "clients/bin/python"));
        command.args(["-c", PROGRAM, &refusals.to_string()]);
        command.args(files).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let said = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            let values = lines.filter_map(|line| serde_json::from_str(&line).ok());
            values.for_each(|value| lock(&kept).push(value));
        });
        eventually(SOON, "the collector listens", || !lock(&said).is_empty());
        let ports = lock(&said).remove(0);
        Self { child, said, ports }
    }

    /// Where it takes `grpc`, or `http/protobuf`.
    pub(super) fn port(&self, protocol: &str) -> u64 {
        let name = protocol.split('/').next().unwrap_or_default();
        self.ports[name].as_u64().expect("a port")
    }

    /// The spans that it took, in the order in which they began, once there are so many.
    pub(super) fn spans(&self, count: usize) -> Vec<Value> {
        let taken = || {
            let said = lock(&self.said);
            let spans = said.iter().filter(|one| one.get("span").is_some());
            spans.cloned().collect::<Vec<_>>()
        };
        let what = format!("{count} spans are there");
        eventually(SOON, &what, || taken().len() >= count);
        let mut spans = taken();
        spans.sort_by_key(|span| span["start"].as_u64());
        assert_eq!(spans.len(), count, "{spans:#?}");
        spans
    }

    /// How many exports it has refused.
    pub(super) fn refused(&self) -> usize {
        let said = lock(&self.said);
        said.iter()
            .filter(|one| one.get("refused").is_some())
            .count()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lock(said: &Mutex<Vec<Value>>) -> std::sync::MutexGuard<'_, Vec<Value>> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}
