//! A folder of certificates that is followed, and what is in force of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_ingress::Certificates;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::folder::Found;
use super::pairs::{Change, Pairs};
use super::sources::{CertificateSources, add_orders};
use crate::acme::{OrderReports, is_ordered};
use crate::clock::wall_now;
use crate::log::Said;

/// Time from one look at the folder to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// A certificate with its key, as the status API shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateStatus {
    /// The certificate's path in its folder.
    pub name: String,
    /// The hosts it is for.
    pub hosts: Vec<String>,
    /// Until when the one in force is valid; none if none is in force.
    pub not_after: Option<Timestamp>,
    /// Why what the files have is not in force, or why there is no other where one is ordered.
    pub problem: Option<String>,
    /// Orders that failed; none if it is not one that is ordered.
    pub order_failures: Option<u64>,
}

/// What there is now.
pub type CertificateReports = watch::Receiver<Vec<CertificateStatus>>;

/// That there are none, and never will be.
pub fn no_reports() -> CertificateReports {
    watch::channel(Vec::new()).1
}

/// Folders whose certificates are in force.
pub struct CertificateFolder {
    sources: CertificateSources,
    /// How orders go, if there are some.
    orders: Option<OrderReports>,
    found: Found,
    pairs: Pairs,
    certificates: Arc<Certificates>,
    reports: watch::Sender<Vec<CertificateStatus>>,
    /// Names, with what was said of how long they are valid.
    warned: BTreeSet<(String, String)>,
}

impl CertificateFolder {
    /// Reads the folders, and puts what they have in force. What is wrong with one that is ordered is no
    /// error, since another will be.
    ///
    /// # Errors
    /// A folder cannot be read, or everything that is wrong with what was given.
    pub fn open(
        sources: CertificateSources,
        orders: Option<OrderReports>,
        certificates: Arc<Certificates>,
    ) -> anyhow::Result<Self> {
        let found = sources.read()?;
        let mut pairs = Pairs::default();
        let changes = pairs.take_in(&found, wall_now());
        let problems = changes.iter().filter_map(|change| match change {
            Change::Refused(name, problem) if !is_ordered(name) => Some(problem.as_str()),
            Change::Refused(..) | Change::Taken(_) | Change::Gone(_) => None,
        });
        let problems: Vec<_> = problems.collect();
        anyhow::ensure!(
            problems.is_empty(),
            "--certificates: {}",
            problems.join("\n")
        );
        if let (Some(given), true) = (&sources.given, changes.is_empty()) {
            tracing::warn!(
                "--certificates {} has no certificate yet: NAME.crt with NAME.key, or \
                 NAME/tls.crt with NAME/tls.key",
                given.display()
            );
        }
        let mut this = Self {
            sources,
            orders,
            found,
            pairs,
            certificates,
            reports: watch::Sender::default(),
            warned: BTreeSet::new(),
        };
        this.put_in_force();
        this.warn(wall_now());
        Ok(this)
    }

    /// What there is, for the status API.
    pub fn reports(&self) -> CertificateReports {
        self.reports.subscribe()
    }

    /// Has the folders read again and again until told to stop.
    pub fn follow(self, tasks: &mut JoinSet<()>, stopped: watch::Receiver<bool>) {
        tasks.spawn(self.run(stopped));
    }

    /// What is seen once may be half written, or a certificate without its key yet; so what two
    /// looks in a row agree on is taken in.
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut said = Said::default();
        loop {
            tokio::select! {
                () = sleep(PERIOD) => {}
                _ = stopping.changed() => return,
            }
            let sources = self.sources.clone();
            let Ok(read) = spawn_blocking(move || sources.read()).await else {
                return;
            };
            match read {
                Ok(found) => {
                    said.clear();
                    let settled = found == self.found;
                    self.found = found;
                    if settled {
                        self.take_in(wall_now());
                    }
                    let orders = self.orders.as_ref().map(watch::Receiver::has_changed);
                    if matches!(orders, Some(Ok(true))) {
                        self.put_in_force();
                    }
                }
                Err(error) => {
                    let message = format!("{error:#}");
                    if said.is_news(&message) {
                        tracing::error!("{message}; the certificates before stay in force");
                    }
                }
            }
        }
    }

    fn take_in(&mut self, now: Timestamp) {
        let changes = self.pairs.take_in(&self.found, now);
        for change in &changes {
            match change {
                Change::Taken(name) => tracing::info!("certificate {name} is in force"),
                Change::Gone(name) => tracing::info!("certificate {name} is gone"),
                Change::Refused(name, problem) => {
                    tracing::error!("certificate {name} stays as it was: {problem}");
                }
            }
        }
        if !changes.is_empty() {
            self.put_in_force();
        }
        self.warn(now);
    }

    fn put_in_force(&mut self) {
        self.certificates.replace(self.pairs.by_host());
        let statuses = self.pairs.iter().map(|(name, pair)| {
            let in_force = pair.in_force.as_ref();
            CertificateStatus {
                name: name.clone(),
                hosts: in_force.map_or_else(Vec::new, |loaded| loaded.hosts.clone()),
                not_after: in_force.map(|loaded| loaded.not_after),
                problem: pair.problem.clone(),
                order_failures: None,
            }
        });
        let mut statuses = statuses.collect();
        if let Some(orders) = &mut self.orders {
            add_orders(&mut statuses, &orders.borrow_and_update());
        }
        self.reports.send_replace(statuses);
    }

    /// Says of each certificate once that its time is over, or nearly.
    fn warn(&mut self, now: Timestamp) {
        let mut present = BTreeSet::new();
        for (name, pair) in self.pairs.iter() {
            let in_force = pair.in_force.as_ref();
            // One that is ordered is renewed in time, and what keeps it from that is said.
            let warning = in_force
                .filter(|loaded| !is_ordered(name) || loaded.not_after <= now)
                .and_then(|loaded| loaded.warning(now));
            let Some(warning) = warning else { continue };
            let said = (name.clone(), warning);
            if !self.warned.contains(&said) {
                tracing::warn!("certificate {} {}", said.0, said.1);
            }
            present.insert(said);
        }
        self.warned = present;
    }
}
