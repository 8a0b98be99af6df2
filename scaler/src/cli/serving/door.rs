//! Starting the ingress.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use ebbtide_core::name::RevisionName;
use ebbtide_ingress::{
    AFFINITY_KEY_BYTES, AffinityKey, Ingress, IngressOptions, StartError, WaitingRoom,
};
use tokio::sync::mpsc;

use super::super::arguments::DoorArguments;
use super::https::{GivenCertificates, Https, Trust};
use super::observers::Observers;
use crate::clock::SystemClock;

/// Revisions whose activation may wait to be taken in; more are seen at the next tick.
const ACTIVATIONS: usize = 1024;

/// A running ingress, and what belongs to it.
pub(in crate::cli) struct Door {
    /// The ingress.
    pub(in crate::cli) ingress: Ingress,
    /// Revisions whose requests begin to wait.
    pub(in crate::cli) activations: mpsc::Receiver<RevisionName>,
    /// Whoever is told of requests.
    pub(in crate::cli) observers: Observers,
    /// The certificates that were given.
    pub(in crate::cli) certificates: GivenCertificates,
    /// How clients come to trust those that are made.
    pub(in crate::cli) trust: Trust,
}

/// The key in a file, whose last line break is no part of it.
fn affinity_key(file: &Path) -> anyhow::Result<AffinityKey> {
    let place = || format!("--affinity-key {}", file.display());
    let secret = std::fs::read(file).with_context(place)?;
    let secret = secret.trim_ascii_end();
    AffinityKey::new(secret).with_context(|| {
        let (place, count) = (place(), secret.len());
        format!("{place} has {count} bytes; give it {AFFINITY_KEY_BYTES} or more, as from `openssl rand -hex 32`")
    })
}

/// Starts the ingress. With `own_authority` it has certificates made for hosts that none was given
/// for.
///
/// # Errors
/// When it cannot listen there, or a certificate is not what it should be.
pub(in crate::cli) fn start(
    arguments: &DoorArguments,
    own_authority: bool,
    clock: &Arc<SystemClock>,
) -> anyhow::Result<Door> {
    let (activated, activations) = mpsc::channel(ACTIVATIONS);
    let mut options = IngressOptions::new(arguments.listen, Arc::clone(clock) as _);
    options.workers = workers(arguments);
    options.takes_over = arguments.take_over;
    options.waiting_room = WaitingRoom {
        requests: arguments.waiting_requests.get(),
        bytes: arguments.waiting_bytes.get(),
        timeout: arguments.waiting_timeout,
    };
    options
        .trusted_proxies
        .clone_from(&arguments.trusted_proxies);
    options.proxy_protocol.clone_from(&arguments.proxy_protocol);
    options.limits = arguments.limits.limits();
    if let Some(file) = &arguments.affinity_key {
        options.affinity = Some(affinity_key(file)?);
    }
    options.sampled_traces = arguments.observing.trace_sample;
    let observers = Observers::open(&arguments.observing, &mut options, clock)?;
    let https = Https::prepare(arguments, own_authority)?;
    let by_tls = https.options.as_ref().map(|tls| tls.listen);
    options.tls = https.options;
    options.challenges = https.challenges;
    let ingress = match Ingress::start(options.clone(), activated.clone()) {
        Err(StartError::AddressInUse { address })
            if https.may_be_left_out && Some(address) == by_tls =>
        {
            tracing::warn!(
                "{address} is in use, so HTTPS is off; choose another address with --listen-tls"
            );
            options.tls = None;
            Ingress::start(options, activated)
        }
        started => started,
    };
    Ok(Door {
        ingress: ingress.map_err(|error| refused(&error, by_tls))?,
        activations,
        observers,
        certificates: https.certificates,
        trust: https.trust,
    })
}

/// Why it did not start, and what to do.
fn refused(error: &StartError, by_tls: Option<SocketAddr>) -> anyhow::Error {
    match error {
        StartError::AddressInUse { address } | StartError::Listen { address, .. }
            if Some(*address) == by_tls =>
        {
            anyhow!(
                "{error}, so HTTPS cannot be taken there; choose another address with \
                 --listen-tls, or off"
            )
        }
        StartError::AddressInUse { .. } => anyhow!(
            "{error}; choose another address with --listen, or take an Ebbtide's place with --take-over"
        ),
        _ => anyhow!("{error}; choose another address with --listen"),
    }
}

/// How many workers the ingress has.
pub(in crate::cli) fn workers(arguments: &DoorArguments) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().ok();
    arguments
        .workers
        .or_else(cores)
        .unwrap_or(NonZeroUsize::MIN)
}
