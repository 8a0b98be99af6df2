//! Where the KEDA service listens, and how.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::anyhow;
use tokio::net::TcpListener;

use super::super::arguments::{KedaArguments, KedaListen};
use crate::keda::{Acceptor, Tls, TlsFiles};

/// That of most examples of external scalers.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

/// Where the KEDA service takes connections.
pub(super) struct Listening {
    /// Its address.
    pub(super) address: SocketAddr,
    /// How they come in.
    pub(super) acceptor: Acceptor,
}

/// Listens where and as the arguments say; none when it is off.
///
/// # Errors
/// When the address can be reached from elsewhere without TLS, cannot be listened on, or the
/// certificates are not what they should be.
pub(super) async fn listen(arguments: &KedaArguments) -> anyhow::Result<Option<Listening>> {
    let address = match arguments.keda_listen {
        Some(KedaListen::Off) => return Ok(None),
        Some(KedaListen::At(address)) => address,
        None => DEFAULT,
    };
    let tls = match (&arguments.keda_tls_certificate, &arguments.keda_tls_key) {
        (Some(certificate), Some(key)) => {
            let files = TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: arguments.keda_tls_client_ca.clone(),
            };
            Some(Tls::load(files).await?)
        }
        _ => None,
    };
    anyhow::ensure!(
        address.ip().is_loopback() || tls.is_some() || arguments.keda_plaintext,
        "--keda-listen {address} can be reached from elsewhere; give --keda-tls-certificate and \
         --keda-tls-key, or an address of loopback, such as {DEFAULT}, or --keda-plaintext if what \
         is between here and KEDA can be trusted"
    );
    let is_asked_for = arguments.keda_listen.is_some();
    let Some(listener) = bind(address, is_asked_for).await? else {
        return Ok(None);
    };
    let address = listener.local_addr()?;
    let acceptor = match tls {
        Some(tls) => Acceptor::Tls(listener, Box::new(tls)),
        None => Acceptor::Plain(listener),
    };
    Ok(Some(Listening { address, acceptor }))
}

/// An address that was not asked for may be in use by something else (Prometheus has the same
/// port), which is no reason not to start.
async fn bind(address: SocketAddr, is_asked_for: bool) -> anyhow::Result<Option<TcpListener>> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == ErrorKind::AddrInUse && !is_asked_for => {
            tracing::warn!(
                "{address} is in use, so the KEDA service is off; choose another address with \
                 --keda-listen"
            );
            Ok(None)
        }
        Err(error) => Err(anyhow!(
            "cannot listen on {address} for the KEDA service: {error}; choose another address with \
             --keda-listen, or off"
        )),
    }
}
