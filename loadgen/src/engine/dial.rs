//! Opens connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::tls;
use crate::plan::{HttpTarget, Version};

/// Opens connections to one target.
pub(super) struct Dialer {
    address: SocketAddr,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// An open connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Dialer {
    /// Fails if what TLS needs is not there.
    pub(super) fn new(target: &HttpTarget) -> Result<Self, tls::Error> {
        let tls = target.tls.as_ref().map(|tls| {
            let config = tls::config(tls, target.version)?;
            let name = tls::server_name(&tls.server_name)?;
            Ok::<_, tls::Error>((TlsConnector::from(Arc::new(config)), name))
        });
        Ok(Self {
            address: target.address,
            tls: tls.transpose()?,
        })
    }

    /// Opens one, TLS included.
    pub(super) async fn dial(&self) -> io::Result<Stream> {
        let stream = TcpStream::connect(self.address).await?;
        refuse_ourselves(&stream)?;
        stream.set_nodelay(true)?;
        let Some((connector, name)) = &self.tls else {
            return Ok(Stream::Plain(stream));
        };
        let stream = connector.connect(name.clone(), stream).await?;
        if connector.config().alpn_protocols == [tls::alpn(Version::Http2)]
            && stream.get_ref().1.alpn_protocol() != Some(tls::alpn(Version::Http2).as_slice())
        {
            return Err(io::Error::other("the server does not speak HTTP/2 (ALPN)"));
        }
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// Where nobody listens, the system may pick the target's port for our end, and TCP then connects us with ourselves.
fn refuse_ourselves(stream: &TcpStream) -> io::Result<()> {
    if stream.local_addr()? != stream.peer_addr()? {
        return Ok(());
    }
    // A reset frees the port at once.
    stream.set_zero_linger()?;
    Err(io::ErrorKind::ConnectionRefused.into())
}
