//! A server that does nothing at all for a second, on a known schedule, and writes down when.

use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::LocalRuntime;
use tokio::sync::Notify;

use crate::ports;
use crate::process::Server;

/// What this program is told to be it.
pub(crate) const ROLE: &str = "--stall";

/// How long after the first request it stops, and for how long.
const AFTER: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Serves until it is killed.
pub(crate) fn serve(port: u16) {
    let runtime = LocalRuntime::new().expect("a runtime can be started");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.expect("the port is free");
        let first = Rc::new(Notify::new());
        tokio::task::spawn_local(stop(Rc::clone(&first)));
        loop {
            let (stream, _) = listener.accept().await.expect("sockets can be opened");
            tokio::task::spawn_local(answer(stream, Rc::clone(&first)));
        }
    });
}

async fn stop(first: Rc<Notify>) {
    first.notified().await;
    let start = Instant::now();
    tokio::time::sleep(AFTER).await;
    let from = start.elapsed();
    std::thread::sleep(PAUSE);
    println!("{} {}", from.as_secs_f64(), start.elapsed().as_secs_f64());
}

async fn answer(mut stream: TcpStream, first: Rc<Notify>) {
    let mut read = Vec::new();
    loop {
        match stream.read_buf(&mut read).await {
            Ok(1..) => {}
            _ => return,
        }
        first.notify_one();
        while let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            read.drain(..end + 4);
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        }
    }
}

/// Such a server, in a process of its own.
pub(crate) struct Stalling {
    pub(crate) port: u16,
    log: PathBuf,
    _server: Server,
    _folder: TempDir,
}

impl Stalling {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let port = ports::free();
        let mut command = Command::new(std::env::current_exe().expect("it has a path"));
        command.args([ROLE, &port.to_string()]);
        Self {
            port,
            _server: Server::start(&command, port, &log),
            log,
            _folder: folder,
        }
    }

    /// The response times, in seconds and sorted, that a client would have felt that sends evenly for so long: who is
    /// due in the pause waits for its end. That of all others is taken as nothing.
    pub(crate) fn truth(&self, rate: u64, seconds: u64) -> Vec<f64> {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let mut times = said.split_whitespace().map(str::parse::<f64>);
        let (Some(Ok(from)), Some(Ok(until))) = (times.next(), times.next()) else {
            panic!("the server has not stopped: {said}");
        };
        let mut times: Vec<_> = (0..rate * seconds)
            .map(|number| number as f64 / rate as f64)
            .map(|due| match due {
                due if due >= from && due < until => until - due,
                _ => 0.0,
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times
    }
}
