//! What TLS is spoken.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::{Ticketer, default_provider};
use tokio_rustls::rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, ServerConfig};

use super::clients::AnyClient;

/// HTTP/2, if the client can, before HTTP/1.1.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS 1.2 and 1.3 for all workers. Sessions are resumed by tickets, which the clients keep, so that
/// nothing here grows with them, and no worker waits for another.
///
/// Where clients are asked for a certificate (`asks`), a session that was begun without that is not resumed:
/// each configuration has a ticketer of its own.
pub(crate) fn config(
    certificates: Arc<dyn ResolvesServerCert>,
    asks: bool,
) -> Result<ServerConfig, Error> {
    let provider = default_provider();
    let clients = asks.then(|| AnyClient::new(&provider));
    let builder = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificates);
    config.ticketer = Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
