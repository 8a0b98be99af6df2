//! The task that orders certificates, one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ebbtide_ingress::{Challenges, Publisher};
use instant_acme::Account;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::client::DirectoryClient;
use super::directory::Directory;
use super::kept::{Issued, Kept};
use super::reports::{OrderReport, OrderReports, is_ordered};
use super::schedule::{Schedule, Validity};
use super::{account, order};
use crate::certificates::{CertificateReports, CertificateStatus};
use crate::clock::wall_now;
use crate::log::Said;

/// Time from one look at the hosts to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// The most hosts that certificates are ordered for.
const MOST_HOSTS: usize = 1000;

/// Time for which a directory is left alone that does not even let an account be opened.
const WITHOUT_ACCOUNT: SignedDuration = SignedDuration::from_mins(5);

/// Where certificates are ordered, and as whom.
#[derive(Clone, Debug)]
pub struct AcmeOptions {
    /// The directory, whose terms of service were agreed to.
    pub directory: Directory,
    /// An address of mail that the directory may write to.
    pub contact: Option<String>,
    /// Where the account and the certificates are kept.
    pub folder: PathBuf,
    /// A file of roots in PEM that the directory has to show; those of this machine if absent.
    pub ca: Option<PathBuf>,
}

/// Orders certificates for hosts without one, and again before their time is over.
pub struct Acme {
    options: AcmeOptions,
    kept: Kept,
    client: DirectoryClient,
    challenges: Arc<Challenges>,
    account: Option<Account>,
    held: BTreeMap<String, Validity>,
    schedule: Schedule,
    reports: watch::Sender<BTreeMap<String, OrderReport>>,
    /// Hosts of which was said that no certificate is ordered for them.
    passed_over: BTreeSet<String>,
}

impl Acme {
    /// Opens what is kept. The directory is asked only when a certificate is wanted.
    ///
    /// # Errors
    /// What is wrong with the folder or with the roots.
    pub fn open(options: AcmeOptions) -> anyhow::Result<Self> {
        let folder = options.folder.join(options.directory.file_name());
        let kept = Kept::open(folder).context("--acme-dir")?;
        Ok(Self {
            client: DirectoryClient::new(options.ca.as_deref())?,
            challenges: Challenges::new(),
            account: None,
            held: kept.certificates(),
            schedule: Schedule::new(),
            reports: watch::Sender::default(),
            passed_over: BTreeSet::new(),
            kept,
            options,
        })
    }

    /// The folder with the certificates, `HOST/tls.crt` and `HOST/tls.key`.
    pub fn folder(&self) -> &Path {
        self.kept.folder()
    }

    /// What the ingress has to answer.
    pub fn challenges(&self) -> Arc<Challenges> {
        Arc::clone(&self.challenges)
    }

    /// How orders went.
    pub fn reports(&self) -> OrderReports {
        self.reports.subscribe()
    }

    /// Orders for the hosts of the `published` table that none of the certificates in `reports` is for,
    /// until told to stop.
    pub fn start(
        self,
        published: Publisher,
        reports: CertificateReports,
        tasks: &mut JoinSet<()>,
        stopped: watch::Receiver<bool>,
    ) {
        tasks.spawn(self.run(published, reports, stopped));
    }

    async fn run(
        mut self,
        published: Publisher,
        reports: CertificateReports,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut lock = None;
        let mut said = Said::default();
        loop {
            tokio::select! {
                () = sleep(PERIOD) => {}
                _ = stopping.changed() => return,
            }
            // Another process that this one takes the place of orders until it ends.
            if lock.is_none() {
                match self.kept.lock() {
                    Ok(locked) => lock = locked,
                    Err(error) if said.is_news(&error.to_string()) => {
                        tracing::error!("no certificates are ordered: --acme-dir: {error:#}");
                    }
                    Err(_) => {}
                }
                // What that one has ordered meanwhile.
                self.held = self.kept.certificates();
                continue;
            }
            let given = reports.borrow().clone();
            tokio::select! {
                () = Box::pin(self.look(published.custom_domains(), &given)) => {}
                _ = stopping.changed() => return,
            }
        }
    }

    /// Orders for one host that is due, if there is one.
    async fn look(&mut self, domains: Vec<String>, given: &[CertificateStatus]) {
        let now = wall_now();
        let wanted = self.wanted(domains, given, now);
        if self.schedule.keep(|host| wanted.contains(host)) {
            self.reports.send_replace(self.schedule.reports());
        }
        if !self.schedule.may_order(now) {
            return;
        }
        let due = |host: &&String| {
            let held = self.held.get(*host).copied();
            self.schedule.is_due(host, held, now)
        };
        if let Some(host) = wanted.iter().find(due) {
            self.order(host, now).await;
            self.reports.send_replace(self.schedule.reports());
        }
    }

    /// The hosts that are to have a certificate from the directory.
    fn wanted(
        &mut self,
        domains: Vec<String>,
        given: &[CertificateStatus],
        now: Timestamp,
    ) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        self.passed_over.retain(|host| domains.contains(host));
        for host in domains {
            if is_local(&host) || given.iter().any(|status| covers(status, &host, now)) {
                continue;
            }
            let why_not = if !can_be_ordered(&host) {
                "a directory proves names of the public DNS by http-01, and none with a wildcard; give \
                 one with --certificates"
            } else if wanted.len() >= MOST_HOSTS {
                "there are more hosts than certificates are ordered for; give one with --certificates"
            } else {
                wanted.insert(host);
                continue;
            };
            if self.passed_over.insert(host.clone()) {
                tracing::warn!("no certificate is ordered for {host}: {why_not}");
            }
        }
        wanted
    }

    async fn order(&mut self, host: &str, now: Timestamp) {
        tracing::info!(
            "ordering a certificate for {host} from {}",
            self.options.directory
        );
        self.schedule.begins(now);
        let (issued, at_least) = match self.open_account().await {
            Ok(account) => (self.fulfil(&account, host).await, None),
            Err(error) => (Err(error), Some(WITHOUT_ACCOUNT)),
        };
        let asked = self.client.take_wait();
        let now = wall_now();
        match issued {
            Ok(validity) => {
                let (_, not_after) = validity;
                tracing::info!("a certificate for {host} was issued, valid until {not_after}");
                self.held.insert(host.to_owned(), validity);
                self.schedule.succeeded(host, now);
            }
            Err(error) => {
                let asked = asked.and_then(|wait| SignedDuration::try_from(wait).ok());
                let problem = format!("{error:#}");
                let next = self
                    .schedule
                    .failed(host, &problem, asked.max(at_least), now);
                let directory = &self.options.directory;
                tracing::error!(
                    "no certificate for {host} from {directory}: {problem}; the next order is at {next:.0}"
                );
            }
        }
    }

    async fn open_account(&mut self) -> anyhow::Result<Account> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let options = &self.options;
        let contact = options.contact.as_deref();
        let opened = account::open(&self.kept, &self.client, &options.directory, contact).await?;
        self.account = Some(opened.clone());
        Ok(opened)
    }

    /// Has the certificate issued, and keeps it.
    async fn fulfil(&self, account: &Account, host: &str) -> anyhow::Result<Validity> {
        let issued = order::certificate(account, host, &self.challenges).await?;
        let (kept, host) = (self.kept.clone(), host.to_owned());
        spawn_blocking(move || keep(&kept, &host, &issued)).await?
    }
}

fn keep(kept: &Kept, host: &str, issued: &Issued) -> anyhow::Result<Validity> {
    kept.store(host, issued)?;
    let validity = kept.validity(host);
    validity.context("what the directory has issued is no certificate for its key")
}

/// Whether a certificate that was given is for `host`.
fn covers(status: &CertificateStatus, host: &str, now: Timestamp) -> bool {
    let is_valid = status.not_after.is_some_and(|until| until > now);
    let is_for = |name: &String| {
        name == host
            || name
                .strip_prefix("*.")
                .is_some_and(|rest| host.split_once('.').is_some_and(|(_, of)| of == rest))
    };
    is_valid && !is_ordered(&status.name) && status.hosts.iter().any(is_for)
}

/// Whether a name is of this machine.
fn is_local(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a name is one that a directory can prove by `http-01`.
fn can_be_ordered(host: &str) -> bool {
    let labels = host.split('.');
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(plain)
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    labels.clone().count() > 1 && labels.clone().all(is_label) && !is_address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_can_be_proved_are_ordered() {
        for (host, expected) in [
            ("www.example.com", true),
            ("xn--bcher-kva.example", true),
            ("*.example.com", false),
            ("example", false),
            ("192.0.2.1", false),
            ("../x.example", false),
            (".example.com", false),
            ("a..example", false),
        ] {
            assert_eq!(can_be_ordered(host), expected, "{host}");
        }
        assert!(is_local("web.localhost") && is_local("localhost") && !is_local("a.notlocalhost"));
    }

    #[test]
    fn a_host_with_a_certificate_of_its_own_that_is_valid_needs_none() {
        let now = wall_now();
        let status = |name: &str, host: &str, hours: i64| CertificateStatus {
            name: name.to_owned(),
            hosts: vec![host.to_owned()],
            not_after: Some(now + SignedDuration::from_hours(hours)),
            ..CertificateStatus::default()
        };
        for (name, of, hours, expected) in [
            ("www.crt", "www.example.com", 1, true),
            ("www/tls.crt", "*.example.com", 1, true),
            ("acme/tls.crt", "*.example.com", 1, true),
            ("www.crt", "*.com", 1, false),
            ("www.crt", "example.com", 1, false),
            ("www.crt", "www.example.com", -1, false),
            ("acme/www.example.com/tls.crt", "www.example.com", 1, false),
        ] {
            let covered = covers(&status(name, of, hours), "www.example.com", now);
            assert_eq!(covered, expected, "{name} {of}");
        }
        let gone = CertificateStatus {
            not_after: None,
            ..status("www.crt", "www.example.com", 1)
        };
        assert!(!covers(&gone, "www.example.com", now));
    }
}
