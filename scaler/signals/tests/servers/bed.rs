//! Rules, and what is read for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ebbtide_core::document::{RuleAuth, RuleForm, ScaleRule};
use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{Amount, Lookup, read_once};
use tokio::net::TcpListener;

use crate::clock;

/// A rule that may have secrets.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) rule: ScaleRule,
    secrets: Secrets,
}

/// The secrets of an app, by name.
#[derive(Clone, Default)]
struct Secrets(BTreeMap<String, String>);

impl Lookup for Secrets {
    fn secret(&self, name: &str) -> Result<String, String> {
        let secret = self.0.get(name).cloned();
        secret.ok_or_else(|| format!("there is no secret {name}"))
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        Err(format!("there is no variable {name}"))
    }
}

impl Case {
    /// A rule of a scaler, without keys.
    pub(crate) fn of(scaler: &str) -> Self {
        let rule = ScaleRule {
            name: scaler.to_owned(),
            form: RuleForm::Custom,
            scaler: scaler.to_owned(),
            metadata: BTreeMap::new(),
            auth: Vec::new(),
            identity: None,
        };
        Self {
            rule,
            secrets: Secrets::default(),
        }
    }

    /// With a key of the metadata.
    pub(crate) fn with(&self, key: &str, value: &str) -> Self {
        let mut case = self.clone();
        case.rule.metadata.insert(key.to_owned(), value.to_owned());
        case
    }

    /// With a parameter from a secret.
    pub(crate) fn secret(&self, parameter: &str, value: &str) -> Self {
        let mut case = self.clone();
        case.rule
            .auth
            .retain(|auth| auth.trigger_parameter != parameter);
        case.rule.auth.push(RuleAuth {
            secret_ref: parameter.to_owned(),
            trigger_parameter: parameter.to_owned(),
        });
        case.secrets
            .0
            .insert(parameter.to_owned(), value.to_owned());
        case
    }

    /// What is read, or why nothing is.
    pub(crate) async fn read(&self) -> Result<Amount, String> {
        self.read_within(None).await
    }

    /// The same for an author who may only reach so much.
    pub(crate) async fn read_within(&self, reach: Option<Reach>) -> Result<Amount, String> {
        let reach = reach.map(Arc::new);
        let read = read_once(&self.rule, &self.secrets, clock::system(), reach).await;
        read.map_err(|error| error.to_string())
    }

    /// Why nothing can be read. No secret is in it.
    pub(crate) async fn error(&self) -> String {
        let error = self.read().await.expect_err("it cannot be read");
        for secret in self.secrets.0.values() {
            assert!(!error.contains(secret.as_str()), "{error}");
        }
        error
    }
}

/// A client of HTTP, which trusts a certificate if there is one.
pub(crate) fn http(authority: Option<&str>) -> reqwest::Client {
    let mut client = reqwest::Client::builder();
    if let Some(pem) = authority {
        let certificate = reqwest::Certificate::from_pem(pem.as_bytes());
        client = client.add_root_certificate(certificate.expect("a certificate"));
    }
    client.build().expect("a client")
}

/// An address of this machine at which nobody listens.
pub(crate) async fn refusing() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    socket.local_addr().expect("it is bound")
}
