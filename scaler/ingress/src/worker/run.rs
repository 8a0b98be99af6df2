//! A worker's thread: its runtime, which is started again if it panics, ticking, draining.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio::time::{Interval, MissedTickBehavior};

use super::accept::{Listeners, accept, accept_handed, accept_queued, first_table, leave, report};
use super::balance::Inbox;
use super::ports::OpenPorts;
use super::{Shared, Worker};

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long a worker pauses before it is started again: one that panics over and over would take a processor,
/// and fill the log.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

/// What the workers are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Take connections.
    Serving,
    /// Take no more, and end when those there are have ended.
    Draining,
    /// End now.
    Ended,
}

/// Runs a worker until it is told to end. One that panics, or that the system has no file descriptor for, is
/// started again with its listener, where connections wait meanwhile; those it had are lost, those of the
/// others are not.
pub(crate) fn run(
    number: usize,
    shared: &Shared,
    (listeners, mut inbox): (Listeners, Inbox),
    phase: &watch::Receiver<Phase>,
) {
    let mut listeners = Some(listeners);
    loop {
        let from = (&mut listeners, &mut inbox);
        let attempt = || run_once(number, shared.clone(), from, phase.clone());
        match catch_unwind(AssertUnwindSafe(attempt)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(worker = number, %error, "an ingress worker cannot run; restarting it");
                if *phase.borrow() != Phase::Serving {
                    return;
                }
            }
            Err(panic) => {
                let because = message(&*panic);
                tracing::error!(
                    worker = number,
                    because,
                    "an ingress worker panicked; restarting it"
                );
            }
        }
        thread::park_timeout(RESTART_PAUSE);
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let owned = || panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(owned).unwrap_or("it did not say why")
}

fn run_once(
    number: usize,
    shared: Shared,
    from: (&mut Option<Listeners>, &mut Inbox),
    phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    let worker = Rc::new(Worker::new(number, shared));
    let served = tasks.block_on(&runtime, serve(worker, from, phase));
    // The tasks that are left (upstream connections) end before the runtime they need.
    drop(tasks);
    served
}

async fn serve(
    worker: Rc<Worker>,
    (listeners, inbox): (&mut Option<Listeners>, &mut Inbox),
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Some(kept) = &*listeners {
        // Without a table every request would get 404, whatever is in the documents. Connections wait for it
        // with the system, or go on coming to the process whose place this one takes.
        first_table(&worker, &mut phase).await;
        if worker.shared.options.takes_over {
            kept.listen()?;
        }
        let open = kept.open()?;
        let mut ports = OpenPorts::default();
        let to = (&open, &mut ports, &mut *inbox);
        accept(&worker, to, &mut connections, &mut tick, &mut phase).await;
        leave(&worker, &open, &mut connections, &mut phase).await;
        // Lets the runtime ask the system what is there.
        yield_now().await;
        accept_queued(&worker, (&open, &ports), &mut connections);
        accept_handed(&worker, inbox, &mut connections).await;
    }
    // Both handles of the listeners are closed now, so that the addresses are free.
    *listeners = None;
    worker.drain.begin();
    drain(&worker, &mut connections, &mut tick, &mut phase).await;
    connections.abort_all();
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
    Ok(())
}

/// Waits for the connections to end while the phase is [`Phase::Draining`].
async fn drain(
    worker: &Worker,
    connections: &mut JoinSet<()>,
    tick: &mut Interval,
    phase: &mut watch::Receiver<Phase>,
) {
    while *phase.borrow_and_update() != Phase::Ended {
        tokio::select! {
            ended = connections.join_next() => match ended {
                Some(ended) => report(ended),
                None => return,
            },
            _ = tick.tick() => worker.sweep(),
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}
