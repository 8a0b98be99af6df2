//! All sources that rules name, each with a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::trigger::reach::Reach;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::clock::WallClock;
use crate::parameters::Parameters;
use crate::readers::Context;
use crate::source::{Poll, SourceState};
use ebbtide_brokers::connect::Connect;

/// The shortest time from one read to the next.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// What tells sources apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceKey {
    /// What is read.
    pub parameters: Parameters,
    /// Whether its author may lead to anywhere, or within bounds.
    pub is_bounded: bool,
}

/// The sources that rules want, and how often each is to be read.
pub type Wanted = BTreeMap<Arc<SourceKey>, Duration>;

/// Reads every source that is wanted: one task for each, whatever the number of rules that name it, so
/// that one that hangs delays no other. Dropping it ends them.
pub struct Sources {
    clock: Arc<dyn WallClock>,
    reach: Arc<Reach>,
    running: BTreeMap<Arc<SourceKey>, Running>,
    tasks: JoinSet<()>,
    news: Arc<watch::Sender<u64>>,
    started: u64,
}

struct Running {
    task: AbortHandle,
    interval: watch::Sender<Duration>,
    state: watch::Receiver<SourceState>,
}

impl Sources {
    /// None yet. `reach` bounds those that are bounded. `seed` is for their jitter.
    pub fn new(clock: Arc<dyn WallClock>, reach: Arc<Reach>, seed: u64) -> Self {
        Self {
            clock,
            reach,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            news: Arc::new(watch::channel(0).0),
            started: seed,
        }
    }

    /// Changes whenever a source was read, or failed to be.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Reads these from now on, and no others. Call it in a tokio runtime.
    pub fn follow(&mut self, wanted: Wanted) {
        self.running.retain(|key, running| {
            let stays = wanted.contains_key(key);
            if !stays {
                running.task.abort();
            }
            stays
        });
        // What has ended needs no more than to be let go of.
        while self.tasks.try_join_next().is_some() {}
        for (key, interval) in wanted {
            let interval = interval.max(SHORTEST_INTERVAL);
            match self.running.get(&key) {
                Some(running) => {
                    running.interval.send_if_modified(|present| {
                        let changes = *present != interval;
                        *present = interval;
                        changes
                    });
                }
                None => self.start(key, interval),
            }
        }
    }

    fn start(&mut self, key: Arc<SourceKey>, interval: Duration) {
        let connect = if key.is_bounded {
            Connect::within(Arc::clone(&self.reach))
        } else {
            Connect::anywhere()
        };
        let (interval, interval_out) = watch::channel(interval);
        let (state_in, state) = watch::channel(SourceState::default());
        self.started = self.started.wrapping_add(1);
        let poll = Poll {
            parameters: key.parameters.clone(),
            context: Context {
                connect,
                clock: Arc::clone(&self.clock),
            },
            interval: interval_out,
            state: state_in,
            news: Arc::clone(&self.news),
            before: None,
            seed: self.started,
        };
        let task = self.tasks.spawn(poll.run());
        let running = Running {
            task,
            interval,
            state,
        };
        self.running.insert(key, running);
    }

    /// What is known of a source from now on, if it is read.
    pub fn state(&self, key: &SourceKey) -> Option<watch::Receiver<SourceState>> {
        Some(self.running.get(key)?.state.clone())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.running.len()
    }

    /// Ends them all.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}
