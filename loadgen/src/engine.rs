//! Sends the requests of a plan, and records what becomes of them.
//!
//! Workers are threads, usually one. Each has its share of the schedule, connections of its own and a recorder of its
//! own; only at the end, and for those who watch, is what they recorded added up.

mod alarm;
mod arrivals;
mod clients;
mod descriptors;
mod dial;
mod driver;
mod flights;
mod grpc;
mod http1;
mod http2;
mod live;
mod queue;
mod random;
mod rules;
mod start;
mod tasks;
mod template;
pub(crate) mod tls;
mod websocket;
mod worker;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub(crate) use self::descriptors::raise_limit as raise_socket_limit;
use self::start::{Signal, Spec, Whole};
use crate::clock::RunClock;
use crate::plan::Plan;
use crate::record::recording::{Live, Recording};

/// Requests of a run that may be outstanding. What is due beyond that is dropped and counted: the schedule does not
/// wait.
const OUTSTANDING: usize = 100_000;

/// Whether a run is to end, and how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// It ends when everything was answered.
    #[default]
    No,
    /// Nothing more is begun, and what is outstanding is waited for.
    Finish,
    /// What is outstanding is given up.
    Abandon,
}

/// A target, and what is said of it beside.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// In the plan.
    pub(crate) position: usize,
    /// The run's.
    pub(crate) seed: u64,
    pub(crate) plan: &'a crate::plan::Target,
}

/// A run that can start: everything is checked, threads are there, and connections that are to be open are open.
pub(crate) struct Engine {
    workers: Vec<WorkerThread>,
    whole: Arc<Whole>,
    /// When the last request may be due.
    until: std::time::Duration,
}

struct WorkerThread {
    start: oneshot::Sender<Signal>,
    recorded: oneshot::Receiver<anyhow::Result<Recording>>,
    thread: JoinHandle<()>,
}

/// Prepares a run.
///
/// # Errors
/// What is sent cannot be made, TLS cannot be set up, or a connection that is to be open before the first request
/// cannot be opened.
pub(crate) async fn prepare(plan: Plan) -> anyhow::Result<Engine> {
    let workers = plan.workers.get();
    let until = plan.until;
    descriptors::reserve(plan.targets.iter().map(start::connections).sum());
    let (whole, specs) = start::split(plan);
    let mut threads = Vec::with_capacity(workers);
    let mut ready = JoinSet::new();
    for spec in specs {
        let (prepared, thread) = start_thread(Arc::clone(&whole), spec)?;
        threads.push(thread);
        ready.spawn(prepared);
    }
    while let Some(prepared) = ready.join_next().await {
        prepared?.map_err(|_| anyhow!("a worker failed while it was prepared"))??;
    }
    Ok(Engine {
        workers: threads,
        whole,
        until,
    })
}

type Prepared = oneshot::Receiver<anyhow::Result<()>>;

fn start_thread(whole: Arc<Whole>, spec: Spec) -> anyhow::Result<(Prepared, WorkerThread)> {
    let (ready, prepared) = oneshot::channel();
    let (start, started) = oneshot::channel();
    let (record, recorded) = oneshot::channel();
    let name = format!("worker {}", spec.worker);
    let thread = std::thread::Builder::new()
        .name(name)
        .spawn(move || {
            // Nobody is told if nobody waits.
            let _ = record.send(start::run(&whole, spec, ready, started));
        })
        .context("cannot start a thread")?;
    let worker = WorkerThread {
        start,
        recorded,
        thread,
    };
    Ok((prepared, worker))
}

impl Engine {
    /// Runs it to its end. `clock` has just been started. Who watches is told how far it is; `stop` ends it early.
    ///
    /// # Errors
    /// A worker failed: then a part of the requests is missing.
    pub(crate) async fn run(
        self,
        clock: RunClock,
        live: Option<watch::Sender<Live>>,
        stop: watch::Receiver<Stop>,
    ) -> anyhow::Result<Recording> {
        let watched = live.map(|live| {
            let (report, reports) = mpsc::channel(live::WAITING);
            let count = self.workers.len();
            (
                report,
                live::Watched::new(live, reports, count, Some(self.until)),
            )
        });
        let (report, watched) = watched.unzip();
        let mut threads = Vec::new();
        let mut recorded = Vec::new();
        for worker in self.workers {
            let signal = Signal {
                clock,
                stop: stop.clone(),
                report: report.clone(),
            };
            // One that has failed says so below.
            let _ = worker.start.send(signal);
            threads.push(worker.thread);
            recorded.push(worker.recorded);
        }
        drop(report);
        if let Some(watched) = watched {
            watched.follow(clock).await?;
        }
        let mut whole: Option<Recording> = None;
        for recorded in recorded {
            let recording = recorded.await;
            let recording = recording.context("a worker failed: its requests are missing")??;
            match &mut whole {
                Some(whole) => whole.add(&recording)?,
                None => whole = Some(recording),
            }
        }
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a worker failed"))?;
        }
        drop(self.whole);
        whole.context("there is no worker")
    }
}

/// The part of `count` things that one of several workers has.
fn share(count: usize, worker: usize, workers: usize) -> Range<usize> {
    let at = |worker| count * worker / workers;
    at(worker)..at(worker + 1)
}
