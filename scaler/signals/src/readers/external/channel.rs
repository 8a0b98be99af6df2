//! A connection to an external scaler.

use std::error::Error as _;
use std::sync::Mutex;

use ebbtide_proto::external_scaler::external_scaler_client::ExternalScalerClient;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint, Error, Uri};
use tower::service_fn;

use super::ADDRESS;
use crate::parameters::Parameters;
use ebbtide_brokers::connect::{Connect, Security, TlsSettings};
use ebbtide_brokers::error::ReadError;

const CA: &str = "caCert";
const CERTIFICATE: &str = "tlsClientCert";
const KEY: &str = "tlsClientKey";
/// What these are called elsewhere.
const NAMES: [(&str, &str); 3] = [("ca", CA), ("cert", CERTIFICATE), ("key", KEY)];

/// Where a scaler is, and how it is connected to.
pub(super) struct Server {
    connect: Connect,
    host: String,
    port: u16,
    security: Option<Security>,
}

impl Server {
    /// The server that a rule names.
    ///
    /// # Errors
    /// An address that is none, TLS settings that cannot be.
    pub(super) fn new(parameters: &Parameters, connect: Connect) -> Result<Self, ReadError> {
        let (host, port) = address(parameters.required(ADDRESS)?)?;
        let tls = TlsSettings {
            ca: parameters.text(CA),
            cert: parameters.text(CERTIFICATE),
            key: parameters.text(KEY),
            any_server: parameters.flag("unsafeSsl"),
        };
        let is_secured = parameters.flag("enableTLS") || tls.ca.is_some() || tls.cert.is_some();
        let security = is_secured.then(|| Security::new(&tls)).transpose();
        let security = security.map_err(|error| error.renamed(&NAMES))?;
        Ok(Self {
            connect,
            host,
            port,
            security: security.map(|security| security.speaking("h2")),
        })
    }

    /// Connects. Once the connection is lost, there is no other.
    pub(super) async fn connect(&self) -> Result<ExternalScalerClient<Channel>, ReadError> {
        let Self {
            connect,
            host,
            port,
            ..
        } = self;
        let channel = match &self.security {
            None => {
                let plain = connect.tcp(ADDRESS, host, *port).await?;
                self.over(plain, "http").await?
            }
            Some(security) => {
                let secured = connect.secured(ADDRESS, (host, *port), security).await;
                let secured = secured.map_err(|error| error.renamed(&NAMES))?;
                self.over(secured, "https").await?
            }
        };
        Ok(ExternalScalerClient::new(channel))
    }

    /// HTTP/2 over a connection.
    async fn over<S>(&self, stream: S, scheme: &str) -> Result<Channel, ReadError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self { host, port, .. } = self;
        let failed = |error: &Error| {
            let cause = error
                .source()
                .map_or_else(|| error.to_string(), ToString::to_string);
            ReadError::of(
                ADDRESS,
                format!("{host}:{port} does not speak gRPC: {cause}"),
            )
        };
        let origin: Uri = format!("{scheme}://{host}:{port}")
            .parse()
            .map_err(|error| ReadError::of(ADDRESS, error))?;
        // By its own scheme tonic would do without what has been secured already.
        let endpoint = Endpoint::from_shared(format!("http://{host}:{port}"));
        let endpoint = endpoint.map_err(|error| failed(&error))?.origin(origin);
        let stream = Mutex::new(Some(TokioIo::new(stream)));
        let connector = service_fn(move |_: Uri| {
            let stream = stream.lock().ok().and_then(|mut stream| stream.take());
            let lost = || ReadError::of(ADDRESS, "the connection is lost");
            std::future::ready(stream.ok_or_else(lost))
        });
        let channel = endpoint.connect_with_connector(connector).await;
        channel.map_err(|error| failed(&error))
    }
}

/// Reads `host:port`.
fn address(text: &str) -> Result<(String, u16), ReadError> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| {
        let is_odd = |c: char| c.is_whitespace() || "/@?#".contains(c);
        let is_host = !host.is_empty() && !host.contains(is_odd);
        is_host.then_some((host.to_owned(), port.parse().ok()?))
    });
    parts.ok_or_else(|| {
        let message = format!("{text:?} is not host:port, as in scaler:9090");
        ReadError::of(ADDRESS, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaler_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("scaler.svc:9090", "scaler.svc", 9090),
            ("[::1]:1", "[::1]", 1),
        ] {
            assert_eq!(address(text), Ok((host.to_owned(), port)));
        }
        for text in ["scaler", ":9090", "scaler:x", "http://scaler:9090", "a@b:1"] {
            let error = address(text).unwrap_err().to_string();
            let expected = format!("scalerAddress: {text:?} is not host:port, as in scaler:9090");
            assert_eq!(error, expected);
        }
    }
}
