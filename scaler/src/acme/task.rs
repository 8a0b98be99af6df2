//! The task that orders certificates, one at a time.

use std::collections::BTreeMap;
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
use super::hosts::PassedOver;
use super::kept::{Issued, Kept};
use super::reports::{OrderReport, OrderReports};
use super::schedule::{Schedule, Validity};
use super::{account, order};
use crate::certificates::{CertificateReports, CertificateStatus};
use crate::clock::wall_now;
use crate::log::Said;

/// Time from one look at the hosts to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// The most characters that are shown of what is wrong.
const LONGEST_PROBLEM: usize = 1000;

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
    passed_over: PassedOver,
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
            passed_over: PassedOver::default(),
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
                if lock.is_none() {
                    continue;
                }
                // What that one has ordered meanwhile.
                self.held = self.kept.certificates();
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
        let wanted = self.passed_over.wanted(domains, given, now);
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
                let problem = shown(&format!("{error:#}"));
                // Another order begins with what is kept of it then, and what the directory says.
                self.account = None;
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

/// What is wrong, in a line that is not too long: most of it is the directory's word.
fn shown(problem: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    problem.chars().take(LONGEST_PROBLEM).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directorys_word_is_shown_in_one_line() {
        assert_eq!(shown("no\r\nway"), "no  way");
        assert_eq!(shown(&"x".repeat(5000)).len(), LONGEST_PROBLEM);
    }
}
