//! HTTPS at the ingress: where it is taken, and by which certificates.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebbtide_ingress::{Certificates, Issuer, TlsOptions};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::arguments::{DoorArguments, Listen};
use crate::authority::{self, LocalAuthority};
use crate::certificates::{CertificateFolder, CertificateReports, no_reports};
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
    pub(super) trust: Trust,
    pub(super) certificates: GivenCertificates,
}

/// What clients are to trust, for the announcement.
pub(in crate::cli) struct Trust {
    /// The root of this user's own authority, if certificates are made.
    root: Option<PathBuf>,
}

/// A folder of certificates, if one was given.
pub(in crate::cli) struct GivenCertificates(Option<CertificateFolder>);

impl Https {
    /// As the arguments say. With `own_authority` certificates are made for hosts that none was
    /// given for.
    ///
    /// # Errors
    /// Arguments that do not go together, or certificates that are not what they should be.
    pub(super) fn prepare(arguments: &DoorArguments, own_authority: bool) -> anyhow::Result<Self> {
        let given = arguments.certificates.as_ref();
        let listen = match arguments.listen_tls {
            Some(Listen::Off) => {
                anyhow::ensure!(
                    given.is_none(),
                    "--certificates are for HTTPS, and --listen-tls is off; remove one of them"
                );
                return Ok(Self::off());
            }
            Some(Listen::At(address)) => address,
            None => DEFAULT,
        };
        let asked_for = arguments.listen_tls.is_some();
        let issuer = if own_authority {
            open_authority(asked_for && given.is_none())?
        } else {
            None
        };
        if given.is_none() && issuer.is_none() {
            anyhow::ensure!(
                !asked_for,
                "--listen-tls has no certificates; give a folder of them with --certificates"
            );
            return Ok(Self::off());
        }
        let certificates = Certificates::new();
        let open =
            |folder: &PathBuf| CertificateFolder::open(folder.clone(), Arc::clone(&certificates));
        let folder = given.map(open).transpose()?;
        let (root, issuer) = issuer.unzip();
        Ok(Self {
            options: Some(TlsOptions {
                listen,
                certificates,
                issuer,
                // Where all certificates are made here, clients of before would be led to what they
                // do not trust.
                redirects: given.is_some(),
            }),
            may_be_left_out: given.is_none() && !asked_for,
            trust: Trust { root },
            certificates: GivenCertificates(folder),
        })
    }

    fn off() -> Self {
        Self {
            options: None,
            may_be_left_out: false,
            trust: Trust { root: None },
            certificates: GivenCertificates(None),
        }
    }
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
            return vec![row("HTTPS", format!("{address} (by --certificates)"))];
        };
        let published = control.published();
        let app = published.apps.iter().find(|app| app.url.is_some());
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
