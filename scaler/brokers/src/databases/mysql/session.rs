//! Sessions.

use std::net::IpAddr;

use mysql_async::prelude::Queryable;
use mysql_async::{ClientIdentity, Conn, DriverError, Error, IoError, OptsBuilder, SslOpts};
use tokio_rustls::rustls;

use super::explain;
use super::settings::{Settings, Tls};
use crate::connect::{Connect, TlsSettings, found};
use crate::databases::Keys;
use crate::error::ReadError;

/// The most that one message of the server may have, in bytes.
const LONGEST: usize = 4 << 20;
/// How long the server waits for the next question, in seconds: as long as it does of itself.
const PATIENCE: usize = 28_800;

/// A connection to a server, which ends when this is dropped.
pub struct Session {
    connection: Conn,
}

impl Session {
    /// A session of whoever may connect to anything, with what the system trusts.
    ///
    /// # Errors
    /// Why there is none, without a password.
    pub async fn open(settings: &Settings) -> Result<Self, ReadError> {
        let keys = Keys::all("connectionString");
        let connect = Connect::anywhere();
        Self::within(&connect, settings, &TlsSettings::default(), keys).await
    }

    /// A session with the server.
    ///
    /// # Errors
    /// Why there is none, by key.
    pub async fn within(
        connect: &Connect,
        settings: &Settings,
        tls: &TlsSettings<'_>,
        keys: Keys,
    ) -> Result<Self, ReadError> {
        let (host, port) = (&settings.host, settings.port);
        let addresses = connect.resolve(keys.host, host, port).await?;
        // The client is to resolve nothing itself, and to take no shortcut that the server tells.
        let addresses: Vec<IpAddr> = addresses.iter().map(std::net::SocketAddr::ip).collect();
        let options = OptsBuilder::default()
            .ip_or_hostname(host)
            .tcp_port(port)
            .resolved_ips(Some(addresses))
            .prefer_socket(false)
            .user(Some(&settings.user))
            .pass(settings.password.as_deref())
            .db_name(settings.database.as_deref())
            .max_allowed_packet(Some(LONGEST))
            .wait_timeout(Some(PATIENCE))
            .enable_cleartext_plugin(settings.is_told_password);
        let explained = |error| explain(&error, keys, keys.host, tls.ca.is_some());
        let secured = ssl(settings.tls, tls, host)?;
        let connected = match Conn::new(options.clone().ssl_opts(secured)).await {
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer))
                if settings.tls == Tls::IfPossible =>
            {
                Conn::new(options).await
            }
            connected => connected,
        };
        let mut connection = connected.map_err(|error| match &error {
            Error::Io(IoError::Io(why)) if found::<rustls::Error>(&error).is_none() => {
                ReadError::of(keys.host, format!("cannot connect to {host}:{port}: {why}"))
            }
            _ => explained(error),
        })?;
        for (name, value) in &settings.variables {
            let set = connection.exec_drop(format!("SET {name} = {value}"), ());
            set.await.map_err(explained)?;
        }
        Ok(Self { connection })
    }

    /// What asks.
    pub fn connection(&mut self) -> &mut Conn {
        &mut self.connection
    }
}

/// How the client secures the connection, which it does itself.
fn ssl(wanted: Tls, tls: &TlsSettings<'_>, host: &str) -> Result<Option<SslOpts>, ReadError> {
    if wanted == Tls::Off {
        return Ok(None);
    }
    // What is wrong with a certificate or a key is found here, with the key of the rule.
    tls.client()?;
    let identity = match (tls.cert, tls.key) {
        (Some(cert), Some(key)) => {
            let (cert, key) = (cert.as_bytes().to_vec(), key.as_bytes().to_vec());
            Some(ClientIdentity::new(cert.into(), key.into()))
        }
        _ => None,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let options = SslOpts::default()
        .with_client_identity(identity)
        .with_danger_tls_hostname_override(Some(bare.to_owned()));
    if wanted != Tls::Trusted {
        return Ok(Some(options.with_danger_accept_invalid_certs(true)));
    }
    let roots = tls.root_certificates()?.into_iter();
    let roots = roots.map(|root| root.to_vec().into()).collect();
    let options = options.with_disable_built_in_roots(true);
    Ok(Some(options.with_root_certs(roots)))
}
