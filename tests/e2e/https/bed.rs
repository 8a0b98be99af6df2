//! Certificates, and a client that trusts them.

use std::path::Path;

use tempfile::TempDir;

use crate::harness::{Answer, Ebbtide, curl};
use crate::keda::openssl;

/// A root of a test's own, and a folder of certificates by it.
pub(super) struct Authority {
    root: TempDir,
    pub(super) folder: TempDir,
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";

impl Authority {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca = "-x509 -keyout ca.key -out ca.crt -subj /CN=root";
        openssl(root.path(), &format!("req {KEY} {ca}"));
        Self { root, folder }
    }

    /// The root's file.
    pub(super) fn path(&self) -> String {
        self.root.path().join("ca.crt").display().to_string()
    }

    /// A pair for these hosts in `into`, called `certificate` and `key` there.
    pub(super) fn issue(&self, hosts: &[&str], certificate: &str, key: &str) {
        let into = self.folder.path();
        let names: Vec<_> = hosts.iter().map(|host| format!("DNS:{host}")).collect();
        let names = names.join(",");
        let of = format!("-keyout new.key -out new.crt -subj /CN={}", hosts[0]);
        let extensions =
            format!("-addext subjectAltName={names} -addext basicConstraints=critical,CA:FALSE");
        let signed = format!("req -x509 -CA ca.crt -CAkey ca.key {KEY} {of} {extensions}");
        openssl(self.root.path(), &signed);
        for (made, path) in [("new.crt", certificate), ("new.key", key)] {
            let path = into.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::copy(self.root.path().join(made), path).unwrap();
        }
    }
}

/// A request by HTTPS for a host, which curl is told to find here.
pub(super) fn get(ebbtide: &Ebbtide, root: &str, host: &str, arguments: &[&str]) -> Answer {
    let port = ebbtide.tls;
    let resolve = format!("{host}:{port}:127.0.0.1");
    let url = format!("https://{host}:{port}/");
    let ours = ["--cacert", root, "--resolve", &resolve, &url];
    curl(&[arguments, &ours].concat())
}

/// The serial number of the certificate that is shown for a host; empty if none is.
pub(super) fn serial(ebbtide: &Ebbtide, host: &str) -> String {
    let address = format!("127.0.0.1:{}", ebbtide.tls);
    let shown = format!(
        "openssl s_client -connect {address} -servername {host} </dev/null 2>/dev/null \
         | openssl x509 -noout -serial 2>/dev/null"
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &shown])
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout)
        .trim()
        .to_owned()
}

/// Puts a file in the place of another, at once.
pub(super) fn replace(path: &Path, content: &[u8]) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, path).unwrap();
}
