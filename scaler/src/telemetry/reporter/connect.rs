//! Where the scaler is, and a connection to one of its replicas.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use ebbtide_proto::telemetry::telemetry_client::TelemetryClient;
use tokio::fs;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);

/// A scaler that is gone without a word is found out by these.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The name and port of the scaler. Every address of the name is a replica of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalerAddress {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port of its telemetry service.
    pub port: u16,
}

impl FromStr for ScalerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once(':').and_then(|(host, port)| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some((host, port.parse().ok()?))
        });
        match parts {
            Some((host, port)) if !host.is_empty() && !host.contains('/') => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err("write HOST:PORT, as in ebbtide-scaler.ebbtide.svc:9091".to_owned()),
        }
    }
}

impl fmt::Display for ScalerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// How the scaler is known, and how this ingress shows who it is; in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalerTls {
    /// Roots of the scaler's certificate.
    pub ca: PathBuf,
    /// This ingress's certificate and its key, if the scaler asks for them.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Connects to one replica. The files are read each time, so that new ones are taken in.
///
/// # Errors
/// The file that cannot be read, or why there is no connection.
pub(super) async fn connect(
    scaler: &ScalerAddress,
    address: SocketAddr,
    tls: Option<&ScalerTls>,
) -> anyhow::Result<TelemetryClient<Channel>> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))?
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(config(&scaler.host, tls).await?)?;
    }
    let channel = endpoint.connect().await.context("no connection")?;
    Ok(TelemetryClient::new(channel))
}

async fn config(host: &str, tls: &ScalerTls) -> anyhow::Result<ClientTlsConfig> {
    let mut config = ClientTlsConfig::new()
        .domain_name(host)
        .ca_certificate(Certificate::from_pem(read(&tls.ca).await?));
    if let Some((certificate, key)) = &tls.identity {
        let identity = Identity::from_pem(read(certificate).await?, read(key).await?);
        config = config.identity(identity);
    }
    Ok(config)
}

async fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let content = fs::read(path).await;
    content.with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaler_is_a_host_and_a_port() {
        for (text, shown) in [
            ("scaler:9091", "scaler:9091"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:1", "[::1]:1"),
        ] {
            let address: ScalerAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
        }
        for text in [
            "",
            "scaler",
            ":9091",
            "scaler:",
            "http://scaler:1/",
            "scaler:70000",
        ] {
            assert!(text.parse::<ScalerAddress>().is_err(), "{text}");
        }
    }
}
