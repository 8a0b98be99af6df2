//! The last lines of output of each replica.

mod capture;
mod line;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_core::time::Timestamp;
use tokio::sync::broadcast;

pub(crate) use capture::{Capture, LineSink};

/// How many stopped replicas keep their lines.
const STOPPED_REPLICAS: usize = 50;
/// How many lines a follower may be behind before it loses the oldest.
const FOLLOWER_LAG: usize = 1024;

/// Which of its two outputs a process wrote a line to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line of output.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When it was read.
    pub at: Timestamp,
    /// The revision.
    pub revision: RevisionName,
    /// The replica.
    pub replica: ReplicaName,
    /// The container's name.
    pub container: Arc<str>,
    /// The stream.
    pub stream: Stream,
    /// The text, without the line's end; at most 16 KiB, and it says so when it was cut.
    pub line: String,
}

/// The last lines of output of each replica: so many for each, and for no more than the last 50
/// replicas that have stopped.
#[derive(Debug)]
pub struct LogStore {
    kept: Mutex<Kept>,
    live: broadcast::Sender<Arc<LogLine>>,
    lines_per_replica: usize,
}

#[derive(Debug, Default)]
struct Kept {
    replicas: BTreeMap<ReplicaName, ReplicaLines>,
    /// Oldest first.
    stopped: VecDeque<ReplicaName>,
    /// Lines so far; orders the lines of different replicas.
    sequence: u64,
}

#[derive(Debug)]
struct ReplicaLines {
    app: AppName,
    revision: RevisionName,
    lines: VecDeque<(u64, Arc<LogLine>)>,
}

impl LogStore {
    /// The newest `lines` lines of an app, oldest first; of one revision or one replica if named.
    pub fn tail(
        &self,
        app: &str,
        revision: Option<&str>,
        replica: Option<&str>,
        lines: usize,
    ) -> Vec<Arc<LogLine>> {
        let mut found = self.with(|kept| {
            kept.replicas
                .iter()
                .filter(|(name, _)| replica.is_none_or(|wanted| wanted == name.as_str()))
                .filter(|(_, of)| revision.is_none_or(|wanted| wanted == of.revision.as_str()))
                .filter(|(_, of)| of.app.as_str() == app)
                .flat_map(|(_, of)| of.lines.iter().rev().take(lines).cloned())
                .collect::<Vec<_>>()
        });
        found.sort_unstable_by_key(|(sequence, _)| *sequence);
        let surplus = found.len().saturating_sub(lines);
        found.drain(surplus..).map(|(_, line)| line).collect()
    }

    /// Every line from now on, of all apps. A slow receiver loses the oldest.
    pub fn follow(&self) -> broadcast::Receiver<Arc<LogLine>> {
        self.live.subscribe()
    }

    /// Keeps nothing yet.
    pub(crate) fn new(lines_per_replica: usize) -> Self {
        Self {
            kept: Mutex::default(),
            live: broadcast::channel(FOLLOWER_LAG).0,
            lines_per_replica,
        }
    }

    /// Makes room for the lines of a replica.
    pub(crate) fn open(&self, app: &AppName, revision: &RevisionName, replica: &ReplicaName) {
        let lines = ReplicaLines {
            app: app.clone(),
            revision: revision.clone(),
            lines: VecDeque::new(),
        };
        self.with(|kept| {
            kept.stopped.retain(|name| name != replica);
            kept.replicas.insert(replica.clone(), lines);
        });
    }

    /// Keeps a line of an open replica and shows it to followers.
    pub(crate) fn push(&self, line: LogLine) {
        let line = Arc::new(line);
        self.with(|kept| {
            kept.sequence += 1;
            if let Some(of) = kept.replicas.get_mut(&line.replica) {
                of.lines.push_back((kept.sequence, Arc::clone(&line)));
                while of.lines.len() > self.lines_per_replica {
                    of.lines.pop_front();
                }
            }
            // Under the lock, so that followers see the order that `tail` has. That nobody
            // follows is no error.
            let _ = self.live.send(line);
        });
    }

    /// The replica has stopped; its lines are kept until 50 others have.
    pub(crate) fn close(&self, replica: &ReplicaName) {
        self.with(|kept| {
            kept.stopped.push_back(replica.clone());
            while kept.stopped.len() > STOPPED_REPLICAS {
                if let Some(oldest) = kept.stopped.pop_front() {
                    kept.replicas.remove(&oldest);
                }
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(store: &LogStore, replica: &ReplicaName, revision: &RevisionName, text: &str) {
        store.push(LogLine {
            at: Timestamp::ORIGIN,
            revision: revision.clone(),
            replica: replica.clone(),
            container: Arc::from("web"),
            stream: Stream::Stdout,
            line: text.to_owned(),
        });
    }

    fn texts(lines: &[Arc<LogLine>]) -> Vec<&str> {
        lines.iter().map(|line| line.line.as_str()).collect()
    }

    #[test]
    fn tail_merges_replicas_in_order_and_filters() {
        let store = LogStore::new(3);
        let app = AppName::new("hello").unwrap();
        let blue = RevisionName::parse("hello--blue").unwrap();
        let green = RevisionName::parse("hello--green").unwrap();
        let (one, two) = (ReplicaName::new(&blue, "1"), ReplicaName::new(&green, "2"));
        store.open(&app, &blue, &one);
        store.open(&app, &green, &two);
        for number in 0..4 {
            write(&store, &one, &blue, &format!("b{number}"));
            write(&store, &two, &green, &format!("g{number}"));
        }
        let all = store.tail("hello", None, None, 100);
        assert_eq!(texts(&all), ["b1", "g1", "b2", "g2", "b3", "g3"]);
        assert_eq!(
            texts(&store.tail("hello", None, None, 3)),
            ["g2", "b3", "g3"]
        );
        let of_green = store.tail("hello", Some("hello--green"), None, 2);
        assert_eq!(texts(&of_green), ["g2", "g3"]);
        let of_one = store.tail("hello", None, Some(one.as_str()), 1);
        assert_eq!(texts(&of_one), ["b3"]);
        assert!(store.tail("other", None, None, 9).is_empty());
        assert!(store.tail("hello", None, None, 0).is_empty());
    }

    #[test]
    fn only_the_last_stopped_replicas_are_kept() {
        let store = LogStore::new(3);
        let app = AppName::new("hello").unwrap();
        let revision = RevisionName::parse("hello--blue").unwrap();
        for number in 0..=STOPPED_REPLICAS {
            let replica = ReplicaName::new(&revision, &number.to_string());
            store.open(&app, &revision, &replica);
            write(&store, &replica, &revision, &number.to_string());
            store.close(&replica);
        }
        let lines = store.tail("hello", None, None, 1000);
        assert_eq!(lines.len(), STOPPED_REPLICAS);
        assert_eq!(lines[0].line, "1");
    }
}
