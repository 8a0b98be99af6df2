//! Prometheus, which reads a number that the test serves.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use super::server::{End, Server};
use crate::harness::{ANY_PORT, SOON, curl, eventually, machine};
use crate::ports;

/// The metric that is the number; it has the labels `instance` and `job="orders"`.
pub(crate) const METRIC: &str = "orders_waiting";

/// A Prometheus server.
pub(crate) struct Prometheus {
    /// Its port.
    pub(crate) port: u16,
    server: Server,
    target: Option<Target>,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one whose metric is 0.
    pub(crate) fn start() -> Self {
        let target = Target::start();
        let mut prometheus = Self::reading(target.port);
        prometheus.target = Some(target);
        let ask = prometheus.url(METRIC);
        prometheus
            .server
            .wait_until(|| value(&curl(&["--get", &ask]).body) == Some("0".to_owned()));
        prometheus
    }

    /// Starts one that reads metrics at a port of this machine. It need not answer yet.
    pub(crate) fn reading(target: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs: [{{job_name: orders, static_configs: \
             [{{targets: [\"127.0.0.1:{target}\"]}}]}}]\n"
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration).expect("the folder is writable");
        let port = ports::free();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn");
        let mut server = Server::start("prometheus", folder.path(), End::Kill, &command);
        let ready = format!("http://127.0.0.1:{port}/-/ready");
        server.wait_until(|| curl(&[&ready]).status == 200);
        Self {
            port,
            server,
            target: None,
            _folder: folder,
        }
    }

    /// Sets the number, and waits until the server has read it.
    pub(crate) fn put(&self, number: u64) {
        let target = self.target.as_ref().expect("it reads the number");
        target.shared.number.store(number, Ordering::Relaxed);
        eventually(SOON, "Prometheus has read the number", || {
            self.query(METRIC) == Some(number.to_string())
        });
    }

    /// The value of the first series of a query's answer.
    pub(crate) fn query(&self, query: &str) -> Option<String> {
        let answer = curl(&["--get", &self.url(query)]);
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        value(&answer.body)
    }

    fn url(&self, query: &str) -> String {
        format!("http://127.0.0.1:{}/api/v1/query?query={query}", self.port)
    }
}

fn value(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let value = answer["data"]["result"][0]["value"][1].as_str()?;
    Some(value.to_owned())
}

/// What a target shares with its thread.
#[derive(Default)]
struct Shared {
    number: AtomicU64,
    ended: AtomicBool,
}

/// Serves the number as a metric.
struct Target {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    fn start() -> Self {
        let listener = TcpListener::bind(ANY_PORT).expect("a port of loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if of_thread.ended.load(Ordering::Relaxed) {
                    return;
                }
                // One that went away meanwhile asks again.
                drop(answer(connection, of_thread.number.load(Ordering::Relaxed)));
            }
        });
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn answer(connection: TcpStream, number: u64) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let text = format!("{METRIC} {number}\n");
    let length = text.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{text}"
    )
}

#[test]
fn prometheus_reads_the_number() {
    let _machine = machine();
    let prometheus = Prometheus::start();
    prometheus.put(3);
    assert_eq!(
        prometheus.query("sum(orders_waiting)"),
        Some("3".to_owned())
    );
    assert_eq!(prometheus.query("nothing_has_this_name"), None);
}
