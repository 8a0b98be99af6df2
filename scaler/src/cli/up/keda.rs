//! Where the KEDA service listens.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::anyhow;
use tokio::net::TcpListener;

use super::super::arguments::KedaListen;

/// KEDA's documents have external scalers on no fixed port; 9090 is that of most examples.
const DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9090);

/// A listener for the KEDA service; none when it is off. An address that was not asked for may be
/// in use by something else (Prometheus has the same port), which is no reason not to start.
///
/// # Errors
/// When the address is not one of loopback, or cannot be listened on.
pub(super) async fn listen(asked: Option<KedaListen>) -> anyhow::Result<Option<TcpListener>> {
    let address = match asked {
        Some(KedaListen::Off) => return Ok(None),
        Some(KedaListen::At(address)) => address,
        None => DEFAULT,
    };
    anyhow::ensure!(
        address.ip().is_loopback(),
        "--keda-listen {address} can be reached from elsewhere, and the KEDA service has no TLS yet; \
         give an address of loopback, such as {DEFAULT}, or off"
    );
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == ErrorKind::AddrInUse && asked.is_none() => {
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
