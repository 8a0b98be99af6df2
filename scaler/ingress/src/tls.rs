//! HTTPS: certificates by the name that a client asks for, and the handshake.

mod certificates;
mod clients;
mod config;
mod handshake;
mod resolver;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;

use crate::publish::Published;

pub use certificates::{Certificates, HostCertificates};
pub(crate) use clients::Presented;
pub(crate) use config::config;
pub(crate) use handshake::{Handshaken, shake};
pub use resolver::Issuer;
pub(crate) use resolver::Resolver;

/// Where HTTPS is taken, and with which certificates.
#[derive(Clone)]
pub struct TlsOptions {
    /// Where to listen. Port 0 takes a free one;
    /// [`Ingress::tls_address`](crate::Ingress::tls_address) says which.
    pub listen: SocketAddr,
    /// The certificates in force; whoever keeps the other end replaces them.
    pub certificates: Arc<Certificates>,
    /// Makes certificates for hosts without one: names of this machine, and those the table has.
    pub issuer: Option<Arc<dyn Issuer>>,
    /// Whether requests in the clear are led here, for apps that do not take them, where a certificate
    /// was given for their host. One that is made, or the default, does not count: not every client
    /// would accept it.
    pub redirects: bool,
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TlsOptions");
        shown.field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// What the workers share of it. They share the ticketers, so that a client may resume its session
/// with any of them.
#[derive(Clone)]
pub(crate) struct SharedTls {
    /// The port, after a free one was taken.
    pub(crate) port: u16,
    pub(crate) config: Arc<ServerConfig>,
    /// For hosts whose apps want certificates of their clients.
    pub(crate) asking: Arc<ServerConfig>,
    /// Says which these are.
    pub(crate) published: Arc<Published>,
    /// The certificates that requests in the clear are led to, if they are.
    pub(crate) redirects_to: Option<Arc<Certificates>>,
}
