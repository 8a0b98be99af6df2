//! HTTPS at the ingress: where it is taken, and by which certificates.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebbtide_ingress::{Certificates, Challenges, Issuer, Publisher, TlsOptions};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::arguments::{DoorArguments, Listen};
use crate::acme::Acme;
use crate::authority::{self, LocalAuthority};
use crate::certificates::{CertificateFolder, CertificateReports, CertificateSources, no_reports};
use crate::clock::wall_now;
use crate::control::Control;

/// Beside the usual 8080.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// HTTPS as it is to be.
pub(super) struct Https {
    /// Where and how; none if it is off.
    pub(super) options: Option<TlsOptions>,
    /// Whether to do without it if its address is in use: nobody asked for it.
    pub(super) may_be_left_out: bool,
    /// What the directory asks for, if certificates are ordered.
    pub(super) challenges: Option<Arc<Challenges>>,
    pub(super) trust: Trust,
    pub(super) certificates: GivenCertificates,
}

/// What clients are to trust, for the announcement.
pub(in crate::cli) struct Trust {
    /// The root of this user's own authority, if certificates are made.
    root: Option<PathBuf>,
    /// The option by which there are other certificates.
    option: &'static str,
}

/// Folders of certificates, if there are any, and what orders them.
pub(in crate::cli) struct GivenCertificates {
    folder: Option<CertificateFolder>,
    acme: Option<Acme>,
}

impl Https {
    /// As the arguments say. With `own_authority` certificates are made for hosts that none was
    /// given for.
    ///
    /// # Errors
    /// Arguments that do not go together, or certificates that are not what they should be.
    pub(super) fn prepare(arguments: &DoorArguments, own_authority: bool) -> anyhow::Result<Self> {
        let given = arguments.certificates.as_ref();
        let acme = arguments.acme.options()?;
        let listen = match arguments.listen_tls {
            Some(Listen::Off) => {
                anyhow::ensure!(
                    given.is_none(),
                    "--certificates are for HTTPS, and --listen-tls is off; remove one of them"
                );
                anyhow::ensure!(
                    acme.is_none(),
                    "--acme-directory is for HTTPS, and --listen-tls is off; remove one of them"
                );
                return Ok(Self::off());
            }
            Some(Listen::At(address)) => address,
            None => DEFAULT,
        };
        let acme = acme.map(Acme::open).transpose()?;
        let has_folder = given.is_some() || acme.is_some();
        let asked_for = arguments.listen_tls.is_some();
        let issuer = if own_authority {
            open_authority(asked_for && !has_folder)?
        } else {
            None
        };
        if !has_folder && issuer.is_none() {
            anyhow::ensure!(
                !asked_for,
                "--listen-tls has no certificates; give a folder of them with --certificates, or have them \
                 ordered with --acme-directory"
            );
            return Ok(Self::off());
        }
        let certificates = Certificates::new();
        let folder = has_folder
            .then(|| open_folders(given, acme.as_ref(), &certificates))
            .transpose()?;
        let (root, issuer) = issuer.unzip();
        Ok(Self {
            options: Some(TlsOptions {
                listen,
                certificates,
                issuer,
                // Where all certificates are made here, clients of before would be led to what they
                // do not trust.
                redirects: has_folder,
            }),
            may_be_left_out: !has_folder && !asked_for,
            challenges: acme.as_ref().map(Acme::challenges),
            trust: Trust {
                root,
                option: given.map_or("--acme-directory", |_| "--certificates"),
            },
            certificates: GivenCertificates { folder, acme },
        })
    }

    fn off() -> Self {
        Self {
            options: None,
            may_be_left_out: false,
            challenges: None,
            trust: Trust {
                root: None,
                option: "",
            },
            certificates: GivenCertificates {
                folder: None,
                acme: None,
            },
        }
    }
}

fn open_folders(
    given: Option<&PathBuf>,
    acme: Option<&Acme>,
    certificates: &Arc<Certificates>,
) -> anyhow::Result<CertificateFolder> {
    let sources = CertificateSources {
        given: given.cloned(),
        ordered: acme.map(|acme| acme.folder().to_owned()),
    };
    CertificateFolder::open(sources, acme.map(Acme::reports), Arc::clone(certificates))
}

type Authority = Option<(PathBuf, Arc<dyn Issuer>)>;

/// This user's own authority. Where none can be kept, as in a container without a home, there is no
/// HTTPS by it, which is an error only if it is `needed`.
fn open_authority(needed: bool) -> anyhow::Result<Authority> {
    let opened = authority::folder().and_then(|folder| {
        let authority = LocalAuthority::open(&folder, wall_now())?;
        let root = authority.root().to_owned();
        let leaves: Arc<dyn Issuer> = Arc::new(authority.leaves()?);
        Ok((root, leaves))
    });
    match opened {
        Ok(authority) => Ok(Some(authority)),
        Err(error) if needed => Err(error.context("--listen-tls")),
        Err(error) => {
            tracing::warn!(
                "no certificates are made for HTTPS: {error:#}; --listen-tls off to do without"
            );
            Ok(None)
        }
    }
}

impl Trust {
    /// Where HTTPS is taken, and how a client comes to trust it.
    pub(in crate::cli) fn rows(
        &self,
        address: SocketAddr,
        control: &Control,
    ) -> Vec<(String, String)> {
        let row = |name: &str, what: String| (name.to_owned(), what);
        let Some(root) = &self.root else {
            return vec![row("HTTPS", format!("{address} (by {})", self.option))];
        };
        let published = control.published();
        let app = published.statuses().find(|app| app.url.is_some());
        let host = app.map_or("APP.localhost".to_owned(), |app| {
            format!("{}.localhost", app.name)
        });
        let (root, port) = (in_a_shell(root), address.port());
        let try_it = format!("curl --cacert {root} https://{host}:{port}/");
        vec![
            row(
                "HTTPS",
                format!("{address} (by an authority of your own, made on this machine)"),
            ),
            row("trust it", try_it),
        ]
    }
}

/// A path as it is written in a shell.
fn in_a_shell(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if path.chars().all(plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

impl GivenCertificates {
    /// What there is of them.
    pub(in crate::cli) fn reports(&self) -> CertificateReports {
        let folder = self.folder.as_ref();
        folder.map_or_else(no_reports, CertificateFolder::reports)
    }

    /// Follows them, and orders others for the hosts of the `published` table, until told to stop.
    pub(in crate::cli) fn follow(
        self,
        published: Publisher,
        tasks: &mut JoinSet<()>,
        stopped: watch::Receiver<bool>,
    ) {
        let reports = self.reports();
        if let Some(acme) = self.acme {
            acme.start(published, reports, tasks, stopped.clone());
        }
        if let Some(folder) = self.folder {
            folder.follow(tasks, stopped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        for (path, expected) in [
            ("/home/a/.local/state/ca.crt", "/home/a/.local/state/ca.crt"),
            ("/home/a b/ca.crt", "'/home/a b/ca.crt'"),
            ("/it's", r"'/it'\''s'"),
        ] {
            assert_eq!(in_a_shell(Path::new(path)), expected);
        }
    }
}
