//! Reading what pods use, for rules of cpu and memory: beside the control task, and only while there are
//! such rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::RevisionName;
use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_signals::{PodTarget, PodUsage};
use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::SystemClock;
use crate::control::{PodLink, PodsRead, WantedPods};

/// Time from one read to the next. A kubelet measures each 10 s and the metrics server each 15 s, but
/// whether pods are ready changes in between.
const PERIOD: Duration = Duration::from_secs(5);

/// Revisions that are read at a time.
const AT_ONCE: usize = 8;

/// Something that can be asked what pods use.
pub(in crate::cli) trait PodSource: Send + Sync + 'static {
    /// What each of the pods uses; `now` counts from 1970.
    fn read(
        &self,
        target: PodTarget,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<PodUsage>, String>> + Send;
}

/// Why each revision's pods could not be read the last time.
type Failures = BTreeMap<RevisionName, String>;

/// A link for the control task, and what reads for it until the control task ends.
pub(in crate::cli) fn link(
    source: impl PodSource,
    namespace: String,
    clock: Arc<SystemClock>,
) -> (PodLink, impl Future<Output = ()>) {
    let (wanted, wants) = watch::channel(WantedPods::new());
    let (results, read) = mpsc::channel(AT_ONCE);
    let link = PodLink {
        namespace,
        wanted,
        read,
    };
    (link, follow(Arc::new(source), clock, wants, results))
}

async fn follow(
    source: Arc<impl PodSource>,
    clock: Arc<SystemClock>,
    mut wanted: watch::Receiver<WantedPods>,
    results: mpsc::Sender<PodsRead>,
) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = Failures::new();
    loop {
        // Those that are wanted from now on are read at once, and the others with them.
        tokio::select! {
            changed = wanted.changed() => match changed {
                Ok(()) => ticks.reset(),
                Err(_) => return,
            },
            _ = ticks.tick() => {}
        }
        let now_wanted = wanted.borrow_and_update().clone();
        failures.retain(|revision, _| now_wanted.contains_key(revision));
        let reads = now_wanted.into_iter().map(|(revision, target)| {
            read(Arc::clone(&source), Arc::clone(&clock), revision, target)
        });
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some(read) = reads.next().await {
            note(&mut failures, &read);
            if results.send(read).await.is_err() {
                return;
            }
        }
    }
}

async fn read(
    source: Arc<impl PodSource>,
    clock: Arc<SystemClock>,
    revision: RevisionName,
    target: PodTarget,
) -> PodsRead {
    let at = clock.now();
    let wall = clock.since_1970(at);
    let outcome = source.read(target, wall).await;
    PodsRead {
        revision,
        at,
        wall,
        outcome,
    }
}

/// Says so when a revision's pods cannot be read, for each reason once.
fn note(failures: &mut Failures, read: &PodsRead) {
    match &read.outcome {
        Ok(_) => {
            if failures.remove(&read.revision).is_some() {
                tracing::info!(revision = %read.revision, "what its pods use can be read again");
            }
        }
        Err(because) => {
            let before = failures.insert(read.revision.clone(), because.clone());
            if before.as_ref() != Some(because) {
                tracing::warn!(revision = %read.revision, "what its pods use cannot be read: {because}");
            }
        }
    }
}

impl PodSource for ebbtide_signals::PodUsageReader {
    async fn read(&self, target: PodTarget, now: Timestamp) -> Result<Vec<PodUsage>, String> {
        let read = self.read(&target, now).await;
        read.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_signals::PodSelection;
    use tokio::task::JoinSet;

    use super::*;

    /// Says of each target what it is called.
    struct Names;

    impl PodSource for Names {
        async fn read(&self, target: PodTarget, _now: Timestamp) -> Result<Vec<PodUsage>, String> {
            Err(target.namespace)
        }
    }

    fn wanted(revisions: &[&str]) -> WantedPods {
        let target = |name: &&str| {
            let target = PodTarget {
                namespace: (*name).to_owned(),
                pods: PodSelection::Service("hello".to_owned()),
            };
            (RevisionName::parse(name).unwrap(), target)
        };
        revisions.iter().map(target).collect()
    }

    async fn next(link: &mut PodLink) -> (String, String) {
        let read = link.read.recv().await.unwrap();
        (read.revision.to_string(), read.outcome.unwrap_err())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wanted_is_read_at_once_and_again_and_what_is_not_is_not() {
        let clock = Arc::new(SystemClock::start());
        let (mut link, following) = link(Names, "apps".to_owned(), clock);
        let mut tasks = JoinSet::new();
        tasks.spawn(following);
        let pair = |name: &str| (name.to_owned(), name.to_owned());
        let begin = tokio::time::sleep(PERIOD / 2);
        begin.await;
        link.wanted.send_replace(wanted(&["a--v1"]));
        assert_eq!(next(&mut link).await, pair("a--v1"));
        assert_eq!(next(&mut link).await, pair("a--v1"));
        link.wanted.send_replace(wanted(&["b--v1"]));
        assert_eq!(next(&mut link).await, pair("b--v1"));
        link.wanted.send_replace(WantedPods::new());
        tokio::time::sleep(PERIOD * 3).await;
        assert!(link.read.try_recv().is_err());
        drop(link);
        tasks.join_next().await.unwrap().unwrap();
    }
}
