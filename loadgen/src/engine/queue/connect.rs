//! Connections to brokers, and what secures them.

use std::sync::Arc;

use ebbtide_brokers::connect::unbracketed;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::engine::tls;
use crate::plan::QueueTls;

/// A connection to a host, whose address of IPv6 may have brackets.
pub(super) async fn tcp(host: &str, port: u16) -> Result<TcpStream, String> {
    let stream = TcpStream::connect((unbracketed(host), port)).await;
    let stream = stream.map_err(|error| format!("{host}:{port}: {error}"))?;
    let sent = stream.set_nodelay(true);
    sent.map_err(|error| format!("{host}:{port}: {error}"))?;
    Ok(stream)
}

/// Secures a connection to a host, which shows a certificate of its name or of that of the settings.
pub(super) async fn secured(
    stream: TcpStream,
    host: &str,
    tls: &QueueTls,
) -> Result<TlsStream<TcpStream>, String> {
    let tls = tls.of(unbracketed(host));
    let in_words = |error: tls::Error| error.to_string();
    let config = tls::client(&tls).map_err(in_words)?;
    let name = tls::server_name(&tls.server_name).map_err(in_words)?;
    let connector = TlsConnector::from(Arc::new(config));
    let connected = connector.connect(name, stream).await;
    connected.map_err(|error| format!("TLS with {host}: {error}"))
}
