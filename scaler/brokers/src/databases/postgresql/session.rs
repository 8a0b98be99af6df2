//! Sessions.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::ClientConfig;

use super::explain;
use super::settings::{Settings, SslMode};
use crate::connect::{Connect, TlsSettings};
use crate::databases::Keys;
use crate::databases::bounded::{Allowance, Bounded};
use crate::error::ReadError;

/// A connection to a server, which ends when this is dropped.
pub struct Session {
    client: Client,
    allowance: Allowance,
    /// What passes messages from and to the server, until that ends.
    driver: JoinSet<Result<(), Error>>,
    notified: Arc<Notify>,
}

impl Session {
    /// A session of whoever may connect to anything, with what the system trusts.
    ///
    /// # Errors
    /// Why there is none, without a password.
    pub async fn open(settings: &Settings) -> Result<Self, ReadError> {
        let keys = Keys::all("connection");
        let connect = Connect::anywhere();
        Self::within(&connect, settings, &TlsSettings::default(), keys).await
    }

    /// A session with the first host that can be used.
    ///
    /// # Errors
    /// Why the last of them cannot be.
    pub async fn within(
        connect: &Connect,
        settings: &Settings,
        tls: &TlsSettings<'_>,
        keys: Keys,
    ) -> Result<Self, ReadError> {
        let opening = Opening {
            connect,
            settings,
            config: config(settings),
            client: client(settings.ssl_mode, tls)?,
            has_ca: tls.ca.is_some(),
            keys,
        };
        let mut last = None;
        for (host, port) in &settings.hosts {
            match opening.at(host, *port).await {
                Ok(session) => return Ok(session),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| ReadError::of(keys.host, "names no host")))
    }

    /// What asks, with a whole allowance of what it may be told.
    pub fn client(&mut self) -> &mut Client {
        self.allowance.renew();
        &mut self.client
    }

    /// Waits for a notification that the session listens to, unless one has come since this was waited for last. It
    /// waits on when the session ends: only a question shows that.
    pub async fn notified(&self) {
        self.notified.notified().await;
    }

    /// Why the session ended, if `error` only says that it did.
    pub async fn ended(&mut self, error: Error) -> Error {
        if !error.is_closed() {
            return error;
        }
        match self.driver.join_next().await {
            Some(Ok(Err(cause))) => cause,
            _ => error,
        }
    }
}

/// What does not change from host to host.
struct Opening<'o> {
    connect: &'o Connect,
    settings: &'o Settings,
    config: Config,
    client: Arc<ClientConfig>,
    has_ca: bool,
    keys: Keys,
}

impl Opening<'_> {
    async fn at(&self, host: &str, port: u16) -> Result<Session, ReadError> {
        let explained = |error| explain(&error, self.keys, self.has_ca);
        let opened = match self.settings.ssl_mode {
            SslMode::Allow => match self.with(host, port, config::SslMode::Disable).await? {
                Err(error)
                    if error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) =>
                {
                    self.with(host, port, config::SslMode::Require).await?
                }
                opened => opened,
            },
            SslMode::Disable => self.with(host, port, config::SslMode::Disable).await?,
            SslMode::Prefer => self.with(host, port, config::SslMode::Prefer).await?,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                self.with(host, port, config::SslMode::Require).await?
            }
        };
        let session = opened.map_err(explained)?;
        let target = self.settings.target;
        if target.is_met(&session.client).await.map_err(explained)? {
            return Ok(session);
        }
        let message = format!("{host}:{port} is not what target_session_attrs asks for");
        Err(ReadError::of(self.keys.host, message))
    }

    async fn with(
        &self,
        host: &str,
        port: u16,
        mode: config::SslMode,
    ) -> Result<Result<Session, Error>, ReadError> {
        let stream = self.connect.tcp(self.keys.host, host, port).await?;
        let stream = Bounded::new(stream);
        let allowance = stream.allowance();
        let mut maker = MakeRustlsConnect::new(ClientConfig::clone(&self.client));
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let connector = MakeTlsConnect::<Bounded<TcpStream>>::make_tls_connect(&mut maker, bare);
        let tls = connector.map_err(|_| {
            let message = format!("no certificate can be of {host}");
            ReadError::of(self.keys.host, message)
        })?;
        let mut config = self.config.clone();
        config.ssl_mode(mode);
        let connected = config.connect_raw(stream, tls).await;
        Ok(connected.map(|(client, connection)| {
            let mut driver = JoinSet::new();
            let notified = Arc::new(Notify::new());
            driver.spawn(drive(connection, Arc::clone(&notified)));
            Session {
                client,
                allowance,
                driver,
                notified,
            }
        }))
    }
}

/// Passes messages until the session ends.
async fn drive<S, T>(mut connection: Connection<S, T>, notified: Arc<Notify>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(_) = message? {
            notified.notify_one();
        }
    }
    Ok(())
}

fn config(settings: &Settings) -> Config {
    let mut config = Config::new();
    config.user(&settings.user);
    if let Some(password) = &settings.password {
        config.password(password);
    }
    if let Some(database) = &settings.database {
        config.dbname(database);
    }
    if !settings.options.is_empty() {
        config.options(&settings.options);
    }
    config
}

/// The client's side of TLS, as strict as the mode asks for.
fn client(mode: SslMode, tls: &TlsSettings<'_>) -> Result<Arc<ClientConfig>, ReadError> {
    match mode {
        SslMode::VerifyFull => tls.client(),
        SslMode::VerifyCa => tls.client_of_any_name(),
        SslMode::Require if tls.ca.is_some() => tls.client_of_any_name(),
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => {
            let any_server = true;
            TlsSettings { any_server, ..*tls }.client()
        }
    }
}
