//! Measuring what the replicas' processes use, beside the control task: reading the process table
//! takes milliseconds that decisions should not wait for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Clock;
use ebbtide_signals::{ProcessSampler, Usage};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::SystemClock;

/// Time from one measurement to the next.
const PERIOD: Duration = Duration::from_secs(2);

/// The first processes of each replica.
pub(super) type Roots = Vec<(ReplicaName, Vec<u32>)>;

/// What each replica uses.
pub(super) type Usages = BTreeMap<ReplicaName, Usage>;

/// Measures the process trees of `roots` until nobody takes the results.
pub(super) async fn measure(
    clock: Arc<SystemClock>,
    roots: watch::Receiver<Roots>,
    results: mpsc::Sender<Usages>,
) {
    let mut sampler = ProcessSampler::new();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = results.closed() => return,
        }
        let now_roots = roots.borrow().clone();
        if now_roots.is_empty() {
            continue;
        }
        let now = clock.now();
        let measured = spawn_blocking(move || {
            let usages = sampler.sample(&now_roots, now);
            (sampler, usages)
        });
        let Ok((returned, usages)) = measured.await else {
            return;
        };
        sampler = returned;
        if results.send(usages).await.is_err() {
            return;
        }
    }
}
