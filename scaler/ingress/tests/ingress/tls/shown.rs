//! What a client shows of itself, and what an app is told of that.

use tempfile::NamedTempFile;

/// A client's certificate in a file, with its key, and its SHA-256.
pub(super) struct Shown {
    file: NamedTempFile,
    pem: String,
}

impl Shown {
    /// By itself, so that nobody else vouches for it.
    pub(super) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let certificate = made.cert.pem().replace('\r', "");
        let key = made.signing_key.serialize_pem();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{certificate}{key}")).unwrap();
        Self {
            file,
            pem: certificate,
        }
    }

    pub(super) fn path(&self) -> &str {
        self.file.path().to_str().unwrap()
    }

    /// What openssl says that the certificate's SHA-256 is.
    fn hash(&self) -> String {
        let mut command = std::process::Command::new("openssl");
        command.args([
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            self.path(),
        ]);
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let hash = said.trim().split_once('=').unwrap().1;
        hash.replace(':', "").to_lowercase()
    }

    pub(super) fn told(&self) -> String {
        let encoded: String = self
            .pem
            .chars()
            .map(|letter| match letter {
                '\n' => "%0A".to_owned(),
                ' ' => "%20".to_owned(),
                '+' => "%2B".to_owned(),
                '/' => "%2F".to_owned(),
                '=' => "%3D".to_owned(),
                letter => letter.to_string(),
            })
            .collect();
        format!(
            "Hash={};Cert=\"{encoded}\";Chain=\"{encoded}\"",
            self.hash()
        )
    }
}
