//! Where the gRPC services listen, and how: KEDA's, and that of ingresses.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::anyhow;
use tokio::net::TcpListener;

use super::super::arguments::{KedaArguments, Listen, TelemetryArguments};
use crate::grpc::{Acceptor, Tls, TlsFiles};

/// That of most examples of external scalers.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

/// Where a service takes connections.
pub(in crate::cli) struct Listening {
    /// Its address.
    pub(in crate::cli) address: SocketAddr,
    /// How they come in.
    pub(in crate::cli) acceptor: Acceptor,
}

/// A service in words: what its flags begin with, what it is, and who speaks to it.
struct Words {
    flag: &'static str,
    service: &'static str,
    peer: &'static str,
}

const KEDA: Words = Words {
    flag: "--keda",
    service: "the KEDA service",
    peer: "KEDA",
};

const TELEMETRY: Words = Words {
    flag: "--telemetry",
    service: "the telemetry service",
    peer: "the ingresses",
};

/// Listens for KEDA where and as the arguments say; none when it is off, or when its usual address
/// is in use and it `may_be_left_out`.
///
/// # Errors
/// When the address can be reached from elsewhere without TLS, cannot be listened on, or the
/// certificates are not what they should be.
pub(in crate::cli) async fn listen_for_keda(
    arguments: &KedaArguments,
    may_be_left_out: bool,
) -> anyhow::Result<Option<Listening>> {
    let address = match arguments.keda_listen {
        Some(Listen::Off) => return Ok(None),
        Some(Listen::At(address)) => address,
        None => DEFAULT,
    };
    let tls = tls(
        arguments.keda_tls_certificate.as_deref(),
        arguments.keda_tls_key.as_deref(),
        arguments.keda_tls_client_ca.as_deref(),
    )
    .await?;
    check(address, tls.is_some() || arguments.keda_plaintext, &KEDA)?;
    let may_be_left_out = may_be_left_out && arguments.keda_listen.is_none();
    match bind(address).await {
        Ok(listener) => listening(listener, tls).map(Some),
        Err(Refused::InUse) if may_be_left_out => {
            // Prometheus has the same port, which is no reason not to start.
            tracing::warn!(
                "{address} is in use, so the KEDA service is off; choose another address with \
                 --keda-listen"
            );
            Ok(None)
        }
        Err(refused) => Err(anyhow!("{}, or off", refused.words(address, &KEDA))),
    }
}

/// Listens for ingresses where and as the arguments say.
///
/// # Errors
/// As for KEDA.
pub(in crate::cli) async fn listen_for_ingresses(
    arguments: &TelemetryArguments,
) -> anyhow::Result<Listening> {
    let address = arguments.telemetry_listen;
    let tls = tls(
        arguments.telemetry_tls_certificate.as_deref(),
        arguments.telemetry_tls_key.as_deref(),
        arguments.telemetry_tls_client_ca.as_deref(),
    )
    .await?;
    let may = tls.is_some() || arguments.telemetry_plaintext;
    check(address, may, &TELEMETRY)?;
    match bind(address).await {
        Ok(listener) => listening(listener, tls),
        Err(refused) => Err(anyhow!(refused.words(address, &TELEMETRY))),
    }
}

async fn tls(
    certificate: Option<&Path>,
    key: Option<&Path>,
    client_ca: Option<&Path>,
) -> anyhow::Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Ok(None);
    };
    let files = TlsFiles {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        client_ca: client_ca.map(Path::to_owned),
    };
    Ok(Some(Tls::load(files).await?))
}

fn check(address: SocketAddr, may_be_reached: bool, words: &Words) -> anyhow::Result<()> {
    let Words { flag, peer, .. } = words;
    anyhow::ensure!(
        address.ip().is_loopback() || may_be_reached,
        "{flag}-listen {address} can be reached from elsewhere; give {flag}-tls-certificate and \
         {flag}-tls-key, or an address of loopback, such as 127.0.0.1:{}, or {flag}-plaintext if \
         what is between here and {peer} can be trusted",
        address.port()
    );
    Ok(())
}

fn listening(listener: TcpListener, tls: Option<Tls>) -> anyhow::Result<Listening> {
    let address = listener.local_addr()?;
    let acceptor = Acceptor {
        listener,
        tls: tls.map(Box::new),
    };
    Ok(Listening { address, acceptor })
}

/// Why there is no listening on an address.
enum Refused {
    InUse,
    Else(std::io::Error),
}

impl Refused {
    fn words(&self, address: SocketAddr, words: &Words) -> String {
        let Words { flag, service, .. } = words;
        let because = match self {
            Self::InUse => "it is in use".to_owned(),
            Self::Else(error) => error.to_string(),
        };
        format!(
            "cannot listen on {address} for {service}: {because}; choose another address with \
             {flag}-listen"
        )
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Refused> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => Refused::InUse,
            _ => Refused::Else(error),
        })
}
