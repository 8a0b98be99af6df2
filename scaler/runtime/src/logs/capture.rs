//! Reading what a process writes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::time::Clock;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::line::LineSplitter;
use super::{LogLine, LogStore, Stream};

/// Lines that the report of a container's end shows.
const LAST_LINES: usize = 20;
/// How long to wait for the end of the output of a process that has ended: a process that left its
/// group may hold it open for ever.
const END_OF_OUTPUT: Duration = Duration::from_millis(250);
/// Bytes read at once.
const CHUNK: usize = 8 * 1024;

/// Where the lines of a container go.
pub(crate) struct LineSink {
    pub(crate) store: Arc<LogStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) revision: RevisionName,
    pub(crate) replica: ReplicaName,
    pub(crate) container: Arc<str>,
}

/// Reads both outputs of one process until they end.
pub(crate) struct Capture {
    readers: JoinSet<()>,
    abandon: watch::Sender<bool>,
    last: LastLines,
}

type LastLines = Arc<Mutex<VecDeque<String>>>;

impl Capture {
    /// Begins to read what `child` writes.
    pub(crate) fn start(child: &mut Child, sink: LineSink) -> Self {
        let (abandon, abandoned) = watch::channel(false);
        let last = LastLines::default();
        let mut readers = JoinSet::new();
        let sink = Arc::new(sink);
        if let Some(pipe) = child.stdout.take() {
            let writer = Writer::new(&sink, &last, Stream::Stdout);
            readers.spawn(read_lines(pipe, writer, abandoned.clone()));
        }
        if let Some(pipe) = child.stderr.take() {
            let writer = Writer::new(&sink, &last, Stream::Stderr);
            readers.spawn(read_lines(pipe, writer, abandoned));
        }
        Self {
            readers,
            abandon,
            last,
        }
    }

    /// Reads what is left after the process has ended, and returns its last lines.
    pub(crate) async fn finish(mut self) -> Vec<String> {
        let ended = async { while self.readers.join_next().await.is_some() {} };
        if timeout(END_OF_OUTPUT, ended).await.is_err() {
            self.abandon.send_replace(true);
            while self.readers.join_next().await.is_some() {}
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.drain(..).collect()
    }
}

/// Writes the lines of one stream.
struct Writer {
    sink: Arc<LineSink>,
    last: LastLines,
    stream: Stream,
}

impl Writer {
    fn new(sink: &Arc<LineSink>, last: &LastLines, stream: Stream) -> Self {
        Self {
            sink: Arc::clone(sink),
            last: Arc::clone(last),
            stream,
        }
    }

    fn write(&self, line: String) {
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(line.clone());
        }
        self.sink.store.push(LogLine {
            at: self.sink.clock.now(),
            revision: self.sink.revision.clone(),
            replica: self.sink.replica.clone(),
            container: Arc::clone(&self.sink.container),
            stream: self.stream,
            line,
        });
    }
}

async fn read_lines(
    mut pipe: impl AsyncRead + Unpin,
    writer: Writer,
    mut abandoned: watch::Receiver<bool>,
) {
    let mut chunk = vec![0; CHUNK];
    let mut lines = LineSplitter::default();
    loop {
        let read = tokio::select! {
            read = pipe.read(&mut chunk) => read,
            _ = abandoned.changed() => break,
        };
        match read {
            Ok(0) | Err(_) => break,
            Ok(length) => lines.push(&chunk[..length], |line| writer.write(line)),
        }
    }
    if let Some(line) = lines.finish() {
        writer.write(line);
    }
}
