//! Starting the ingress.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::anyhow;
use ebbtide_core::name::RevisionName;
use ebbtide_ingress::{Ingress, IngressOptions, WaitingRoom};
use tokio::sync::mpsc;

use super::super::arguments::DoorArguments;
use crate::clock::SystemClock;

/// Revisions whose activation may wait to be taken in; more are seen at the next tick.
const ACTIVATIONS: usize = 1024;

/// Starts the ingress. What it returns beside it are revisions whose requests begin to wait.
///
/// # Errors
/// When it cannot listen there.
pub(in crate::cli) fn start(
    arguments: &DoorArguments,
    clock: &Arc<SystemClock>,
) -> anyhow::Result<(Ingress, mpsc::Receiver<RevisionName>)> {
    let (activated, activations) = mpsc::channel(ACTIVATIONS);
    let mut options = IngressOptions::new(arguments.listen, Arc::clone(clock) as _);
    options.workers = workers(arguments);
    options.waiting_room = WaitingRoom {
        requests: arguments.waiting_requests.get(),
        timeout: arguments.waiting_timeout,
    };
    let ingress = Ingress::start(options, activated)
        .map_err(|error| anyhow!("{error}; choose another address with --listen"))?;
    Ok((ingress, activations))
}

/// How many workers the ingress has.
pub(in crate::cli) fn workers(arguments: &DoorArguments) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().ok();
    arguments
        .workers
        .or_else(cores)
        .unwrap_or(NonZeroUsize::MIN)
}
