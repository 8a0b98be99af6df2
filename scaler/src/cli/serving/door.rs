//! Starting the ingress.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::anyhow;
use ebbtide_core::name::RevisionName;
use ebbtide_ingress::{Certificates, Ingress, IngressOptions, StartError, TlsOptions, WaitingRoom};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::super::arguments::{DoorArguments, Listen};
use crate::certificates::{CertificateFolder, CertificateReports, no_reports};
use crate::clock::SystemClock;

/// Revisions whose activation may wait to be taken in; more are seen at the next tick.
const ACTIVATIONS: usize = 1024;

/// Beside the usual 8080.
const DEFAULT_TLS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// A running ingress, and what belongs to it.
pub(in crate::cli) struct Door {
    /// The ingress.
    pub(in crate::cli) ingress: Ingress,
    /// Revisions whose requests begin to wait.
    pub(in crate::cli) activations: mpsc::Receiver<RevisionName>,
    /// The certificates that were given.
    pub(in crate::cli) certificates: GivenCertificates,
}

/// A folder of certificates, if one was given.
pub(in crate::cli) struct GivenCertificates(Option<CertificateFolder>);

impl GivenCertificates {
    /// What there is of them.
    pub(in crate::cli) fn reports(&self) -> CertificateReports {
        let folder = self.0.as_ref();
        folder.map_or_else(no_reports, CertificateFolder::reports)
    }

    /// Follows them until told to stop.
    pub(in crate::cli) fn follow(self, tasks: &mut JoinSet<()>, stopped: watch::Receiver<bool>) {
        if let Some(folder) = self.0 {
            folder.follow(tasks, stopped);
        }
    }
}

/// Starts the ingress.
///
/// # Errors
/// When it cannot listen there, or a certificate is not what it should be.
pub(in crate::cli) fn start(
    arguments: &DoorArguments,
    clock: &Arc<SystemClock>,
) -> anyhow::Result<Door> {
    let (activated, activations) = mpsc::channel(ACTIVATIONS);
    let mut options = IngressOptions::new(arguments.listen, Arc::clone(clock) as _);
    options.workers = workers(arguments);
    options.waiting_room = WaitingRoom {
        requests: arguments.waiting_requests.get(),
        timeout: arguments.waiting_timeout,
    };
    let (tls, certificates) = tls(arguments)?;
    let by_tls = tls.as_ref().map(|tls| tls.listen);
    options.tls = tls;
    let ingress = Ingress::start(options, activated).map_err(|error| refused(&error, by_tls))?;
    Ok(Door {
        ingress,
        activations,
        certificates,
    })
}

/// Where HTTPS is taken, if it is, and with which certificates.
fn tls(arguments: &DoorArguments) -> anyhow::Result<(Option<TlsOptions>, GivenCertificates)> {
    let listen = match (arguments.listen_tls, &arguments.certificates) {
        (Some(Listen::Off), Some(_)) => {
            anyhow::bail!(
                "--certificates are for HTTPS, and --listen-tls is off; remove one of them"
            )
        }
        (Some(Listen::At(_)), None) => anyhow::bail!(
            "--listen-tls has no certificates; give a folder of them with --certificates"
        ),
        (Some(Listen::Off) | None, None) => return Ok((None, GivenCertificates(None))),
        (Some(Listen::At(address)), Some(_)) => address,
        (None, Some(_)) => DEFAULT_TLS,
    };
    let certificates = Certificates::new();
    let folder = arguments.certificates.clone();
    let folder = folder.map(|folder| CertificateFolder::open(folder, Arc::clone(&certificates)));
    let options = TlsOptions {
        listen,
        certificates,
    };
    Ok((Some(options), GivenCertificates(folder.transpose()?)))
}

/// Why it did not start, and what to do.
fn refused(error: &StartError, by_tls: Option<SocketAddr>) -> anyhow::Error {
    match error {
        StartError::AddressInUse { address } | StartError::Listen { address, .. }
            if Some(*address) == by_tls =>
        {
            anyhow!(
                "{error}, so HTTPS cannot be taken there; choose another address with --listen-tls, or off"
            )
        }
        _ => anyhow!("{error}; choose another address with --listen"),
    }
}

/// Where HTTPS is taken, for the announcement.
pub(in crate::cli) fn tls_row(address: SocketAddr) -> (String, String) {
    let what = format!("{address} (by the certificates of --certificates)");
    ("HTTPS".to_owned(), what)
}

/// How many workers the ingress has.
pub(in crate::cli) fn workers(arguments: &DoorArguments) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().ok();
    arguments
        .workers
        .or_else(cores)
        .unwrap_or(NonZeroUsize::MIN)
}
