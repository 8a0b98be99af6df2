//! Connections: to where they may go, how long they may take, and what secures them.

mod http;
mod secured;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ebbtide_core::trigger::reach::Reach;
use tokio::net::{TcpStream, lookup_host};

pub use http::{Answer, Http};
pub use secured::{ANOTHER_ISSUER, Security, found, is_of_another_issuer};
pub use tls::{AnyServer, TlsSettings, system_roots};

use crate::error::ReadError;

/// A host without the brackets that an address has around one of IPv6.
pub fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// How readers connect.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Where a rule may lead; none if that is not bounded, as for an administrator's own documents.
    reach: Option<Arc<Reach>>,
}

impl Connect {
    /// Connections of rules that may lead anywhere.
    pub fn anywhere() -> Self {
        Self { reach: None }
    }

    /// Connections of rules whose author may only reach this.
    pub fn within(reach: Arc<Reach>) -> Self {
        Self { reach: Some(reach) }
    }

    /// The addresses of a host that may be connected to. A client that takes no addresses has to
    /// ask this before each connection and connect to one of them.
    ///
    /// # Errors
    /// It cannot be resolved, or may not be reached. `key` is the key that names it.
    pub async fn resolve(
        &self,
        key: &'static str,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ReadError> {
        let refused = |error| ReadError::of(key, error);
        if let Some(reach) = &self.reach {
            reach.check_host(host, Some(port)).map_err(refused)?;
        }
        let found: Vec<SocketAddr> = match unbracketed(host).parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => match lookup_host((host, port)).await {
                Ok(found) => found.collect(),
                Err(error) => {
                    return Err(ReadError::of(
                        key,
                        format!("the host {host} cannot be resolved: {error}"),
                    ));
                }
            },
        };
        if let Some(reach) = &self.reach {
            for address in &found {
                let checked = reach.check_address(host, address.ip(), Some(port));
                checked.map_err(refused)?;
            }
        }
        if found.is_empty() {
            let message = format!("the host {host} has no address");
            return Err(ReadError::of(key, message));
        }
        Ok(found)
    }

    /// A connection to a host.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), or none of its addresses answers.
    pub async fn tcp(
        &self,
        key: &'static str,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, ReadError> {
        let mut last = None;
        for address in self.resolve(key, host, port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Small questions, each of which is waited for.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = Some(error),
            }
        }
        let cause = last.map_or_else(|| "no address".to_owned(), |error| error.to_string());
        Err(ReadError::of(
            key,
            format!("cannot connect to {host}:{port}: {cause}"),
        ))
    }

    /// An HTTP client with connections of its own.
    ///
    /// # Errors
    /// TLS settings that cannot be.
    pub fn http(&self, key: &'static str, tls: &TlsSettings<'_>) -> Result<Http, ReadError> {
        Http::new(self.clone(), key, tls)
    }
}
