//! An ingress with HTTPS, and clients for it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use ebbtide_ingress::{Certificates, HostCertificates, IngressOptions, TlsOptions};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::authority::{Authority, Issued};
use crate::bed::{Bed, HOST};

/// An ingress whose certificates are by an authority of its own.
pub(super) struct TlsBed {
    pub(super) bed: Bed,
    pub(super) authority: Authority,
    pub(super) certificates: Arc<Certificates>,
    pub(super) address: SocketAddr,
}

impl TlsBed {
    /// With a certificate for the app's host.
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(super) fn with(change: impl FnOnce(&mut IngressOptions)) -> Self {
        let (authority, certificates) = (Authority::new(), Certificates::new());
        let given = Arc::clone(&certificates);
        let bed = Bed::with(|options| {
            options.tls = Some(TlsOptions {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                certificates: given,
                issuer: None,
                redirects: true,
            });
            change(options);
        });
        let this = Self {
            address: bed.ingress.tls_address().unwrap(),
            bed,
            authority,
            certificates,
        };
        this.use_certificates(&[(HOST, &this.authority.issue(&[HOST]))]);
        this
    }

    /// Puts these certificates, each with its host, in the place of those before.
    pub(super) fn use_certificates(&self, certificates: &[(&str, &Issued)]) {
        let mut hosts = HostCertificates::default();
        for (host, issued) in certificates {
            assert!(hosts.add(host, &issued.key));
        }
        self.certificates.replace(hosts);
    }

    /// What curl prints, and whether it was content.
    pub(super) async fn curl(&self, host: &str, arguments: &[&str]) -> (bool, String) {
        let port = self.address.port();
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "--max-time", "20", "--noproxy", "*"]);
        command.args(["--cacert", self.authority.path()]);
        command.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
        command.args(arguments);
        command.arg(format!("https://{host}:{port}/path"));
        let output = command.stdin(Stdio::null()).output().await;
        let output = output.expect("curl is installed");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// openssl as a client, with these arguments.
    pub(super) fn openssl(&self, arguments: &[&str]) -> Openssl {
        let address = self.address.to_string();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &address]);
        command.args(["-CAfile", self.authority.path(), "-ign_eof"]);
        command.args(arguments).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("openssl is installed");
        Openssl {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// The certificate, in PEM, that a client is shown; none if the handshake is refused.
    pub(super) async fn shown(&self, name: Option<&str>) -> Option<String> {
        let arguments = name.map_or(vec!["-noservername"], |name| vec!["-servername", name]);
        let mut client = self.openssl(&arguments);
        // One whose handshake is refused may have gone by then.
        let _gone = client.input.write_all(b"Q\n").await;
        let (_, text) = client.end().await;
        let begin = text.find("-----BEGIN CERTIFICATE-----")?;
        let end = text.find("-----END CERTIFICATE-----")?;
        Some(format!("{}-----END CERTIFICATE-----\n", &text[begin..end]))
    }
}

/// A running client.
pub(super) struct Openssl {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Openssl {
    pub(super) async fn write(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    /// Reads until `what` has come, and returns what came.
    pub(super) async fn until(&mut self, what: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(what.as_bytes()) {
            let byte = self.output.fill_buf().await.unwrap().first().copied();
            let byte = byte.unwrap_or_else(|| {
                panic!("no {what:?}: {}", String::from_utf8_lossy(&read));
            });
            read.push(byte);
            self.output.consume(1);
        }
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Waits for its end. Returns whether it was content, and what it printed.
    pub(super) async fn end(mut self) -> (bool, String) {
        let mut read = Vec::new();
        self.output.read_to_end(&mut read).await.unwrap();
        let status = self.child.wait().await.unwrap();
        (
            status.success(),
            String::from_utf8_lossy(&read).into_owned(),
        )
    }
}

/// A request after which the connection is closed.
pub(super) const LAST: &str =
    "GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: close\r\n\r\n";
