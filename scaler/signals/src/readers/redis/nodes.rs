//! The servers, and connections to them.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::connect::{TlsSettings, unbracketed};
use crate::error::ReadError;
use crate::parameters::Parameters;
use crate::readers::Context;

/// Where the servers are, and as whom they are asked. Does not print: it has passwords.
pub(super) struct Nodes {
    context: Context,
    /// The key that has the addresses.
    key: &'static str,
    addresses: Vec<(String, u16)>,
    kind: Kind,
    tls: Option<Arc<ClientConfig>>,
    user: RedisConnectionInfo,
}

enum Kind {
    /// One server has everything.
    Alone,
    /// One of these has what is asked for, or says which has.
    Cluster,
    /// These say which server is the master.
    Sentinels {
        master: String,
        user: RedisConnectionInfo,
    },
}

/// A connection to a server. Ends when it is dropped.
pub(super) struct Node {
    pub(super) connection: MultiplexedConnection,
    _driver: JoinSet<()>,
}

impl Nodes {
    /// As the parameters have it.
    ///
    /// # Errors
    /// An address that is none, or TLS settings that cannot be.
    pub(super) fn of(parameters: &Parameters, context: &Context) -> Result<Self, ReadError> {
        let name = parameters.scaler().name();
        let kind = if name.starts_with("redis-cluster") {
            Kind::Cluster
        } else if name.starts_with("redis-sentinel") {
            let (user, password) = ("sentinelUsername", "sentinelPassword");
            Kind::Sentinels {
                master: parameters.required("sentinelMaster")?.to_owned(),
                user: identity(parameters, user, password),
            }
        } else {
            Kind::Alone
        };
        let (key, addresses) = addresses(parameters)?;
        let database = parameters.whole("databaseIndex").unwrap_or(0);
        let database = i64::try_from(database);
        let database = database.map_err(|_| ReadError::of("databaseIndex", "is too large"))?;
        let has_tls =
            parameters.flag("enableTLS") || parameters.word("tls").as_deref() == Some("enable");
        let settings = TlsSettings {
            ca: parameters.text("ca"),
            cert: parameters.text("cert"),
            key: parameters.text("key"),
            any_server: parameters.flag("unsafeSsl"),
        };
        Ok(Self {
            context: context.clone(),
            key,
            addresses,
            kind,
            tls: has_tls.then(|| settings.client()).transpose()?,
            user: identity(parameters, "username", "password").set_db(database),
        })
    }

    /// A server to begin with: the one, the master, or any of a cluster.
    pub(super) async fn first(&self) -> Result<Node, ReadError> {
        let mut last = ReadError::of(self.key, "is empty");
        for (host, port) in &self.addresses {
            let found = match &self.kind {
                Kind::Alone | Kind::Cluster => self.connect(host, *port).await,
                Kind::Sentinels { master, user } => self.master(host, *port, master, user).await,
            };
            match found {
                Ok(node) => return Ok(node),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The master, by what a sentinel says.
    async fn master(
        &self,
        host: &str,
        port: u16,
        master: &str,
        user: &RedisConnectionInfo,
    ) -> Result<Node, ReadError> {
        let mut sentinel = self.connect_as(host, port, user).await?;
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
        let found: Result<Option<(String, u16)>, _> =
            ask.query_async(&mut sentinel.connection).await;
        match found {
            Ok(Some((host, port))) => self.connect(&host, port).await,
            Ok(None) => Err(ReadError::of(
                "sentinelMaster",
                format!("the sentinels know no master {master}"),
            )),
            Err(error) => Err(ReadError::of(self.key, words(&error))),
        }
    }

    /// Where a server of a cluster says that the key is.
    pub(super) fn redirected(&self, error: &redis::RedisError) -> Option<(String, u16)> {
        if !matches!(self.kind, Kind::Cluster) {
            return None;
        }
        let (address, _) = error.redirect_node()?;
        address_of(address)
    }

    /// A connection to a server that has keys.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<Node, ReadError> {
        self.connect_as(host, port, &self.user).await
    }

    async fn connect_as(
        &self,
        host: &str,
        port: u16,
        user: &RedisConnectionInfo,
    ) -> Result<Node, ReadError> {
        let stream = self.context.connect.tcp(self.key, host, port).await?;
        let Some(tls) = &self.tls else {
            return self.login(user, stream).await;
        };
        let name = ServerName::try_from(unbracketed(host).to_owned());
        let name = name.map_err(|_| ReadError::of(self.key, "is no name of a server"))?;
        let connector = TlsConnector::from(Arc::clone(tls));
        let stream = connector.connect(name, stream).await;
        let stream = stream.map_err(|error| {
            // What is wrong with a certificate comes as an error of the connection.
            let text = error.to_string();
            let key = if text.contains("certificate") {
                "ca"
            } else {
                self.key
            };
            ReadError::of(key, format!("TLS with {host}:{port}: {text}"))
        })?;
        self.login(user, stream).await
    }

    async fn login(
        &self,
        user: &RedisConnectionInfo,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Node, ReadError> {
        // Whoever reads has its own deadline.
        let settings = AsyncConnectionConfig::new().set_response_timeout(None);
        let opened = MultiplexedConnection::new_with_config(user, stream, settings).await;
        let (connection, driving) = opened.map_err(|error| {
            let refused = error.kind() == redis::ErrorKind::AuthenticationFailed;
            let key = if refused { "password" } else { self.key };
            ReadError::of(key, words(&error))
        })?;
        let mut driver = JoinSet::new();
        driver.spawn(driving);
        Ok(Node {
            connection,
            _driver: driver,
        })
    }
}

fn identity(
    parameters: &Parameters,
    user: &'static str,
    password: &'static str,
) -> RedisConnectionInfo {
    let mut identity = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(user) = parameters.text(user) {
        identity = identity.set_username(user);
    }
    if let Some(password) = parameters.text(password) {
        identity = identity.set_password(password);
    }
    identity
}

/// The addresses, and the key that has them.
type Addresses = (&'static str, Vec<(String, u16)>);

fn addresses(parameters: &Parameters) -> Result<Addresses, ReadError> {
    for key in ["address", "addresses"] {
        let given = parameters.list(key);
        if given.is_empty() {
            continue;
        }
        let wrong = || ReadError::of(key, "is not host:port");
        let found = given
            .into_iter()
            .map(|text| address_of(text).ok_or_else(wrong));
        return Ok((key, found.collect::<Result<_, _>>()?));
    }
    for (key, ports) in [("host", "port"), ("hosts", "ports")] {
        let hosts = parameters.list(key);
        if hosts.is_empty() {
            continue;
        }
        let given = parameters.list(ports);
        if given.len() != hosts.len() {
            return Err(ReadError::of(
                ports,
                "has not as many ports as there are hosts",
            ));
        }
        let wrong = || ReadError::of(ports, "has a port that is none");
        let pairs = hosts.into_iter().zip(given);
        let found = pairs.map(|(host, port)| {
            let port = port.parse().ok().filter(|port| *port > 0);
            Ok((host.to_owned(), port.ok_or_else(wrong)?))
        });
        return Ok((key, found.collect::<Result<_, ReadError>>()?));
    }
    Err(ReadError::of("address", "is missing"))
}

fn address_of(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// What Redis says; it repeats no password.
pub(super) fn words(error: &redis::RedisError) -> String {
    match error.kind() {
        redis::ErrorKind::AuthenticationFailed => {
            "the user or the password is not accepted".to_owned()
        }
        _ => match (error.code(), error.detail()) {
            (Some("NOAUTH"), _) => "a password is needed".to_owned(),
            (Some(code), Some(detail)) => format!("the server says: {code} {detail}"),
            (_, Some(detail)) => format!("the server says: {detail}"),
            _ => error.to_string(),
        },
    }
}
