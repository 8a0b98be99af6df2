//! Connections to brokers.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::answers;
use super::api::{self, Api};
use super::connection::Connection;
use super::login::Login;
use super::wire::{Answer, Nonsense, Question};
use super::{Address, SERVERS};
use crate::connect::{Connect, Security, TlsSettings};
use crate::error::ReadError;

/// How long one of several servers may take to be connected to.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a broker may take to be connected to that another one has named.
const REACHED: Duration = Duration::from_secs(5);
/// How often a broker is asked that is not ready, and how long it is waited for in between.
pub(super) const ATTEMPTS: u32 = 10;
pub(super) const PAUSE: Duration = Duration::from_millis(300);

/// How brokers are connected to.
#[derive(Clone)]
pub struct Settings {
    servers: Vec<Address>,
    security: Option<Security>,
    login: Option<Login>,
}

/// Brokers, which are connected to when they are asked something.
pub(super) struct Brokers {
    connect: Connect,
    settings: Settings,
    connections: BTreeMap<Address, Connection>,
}

impl Settings {
    /// Brokers without TLS and who logs in, if that is wanted.
    pub fn new(servers: Vec<Address>, login: Option<Login>) -> Self {
        Self {
            servers,
            security: None,
            login,
        }
    }

    /// With TLS.
    ///
    /// # Errors
    /// TLS settings that cannot be.
    pub fn secured(mut self, tls: &TlsSettings<'_>) -> Result<Self, ReadError> {
        self.security = Some(Security::new(tls)?);
        Ok(self)
    }
}

impl Brokers {
    /// None is connected to yet.
    pub(super) fn new(connect: Connect, settings: Settings) -> Self {
        Self {
            connect,
            settings,
            connections: BTreeMap::new(),
        }
    }

    /// The same, none of which is connected to.
    pub(super) fn apart(&self) -> Self {
        Self::new(self.connect.clone(), self.settings.clone())
    }

    /// Asks whichever broker is connected, or the first that can be.
    pub(super) async fn ask_any<T>(
        &mut self,
        api: Api,
        question: &Question,
        read: impl FnOnce(Answer<'_>) -> Result<T, Nonsense>,
    ) -> Result<T, ReadError> {
        let connected = self.connections.keys().next().cloned();
        let address = match connected {
            Some(address) => address,
            None => self.begin().await?,
        };
        self.ask(&address, api, question, read).await
    }

    pub(super) async fn ask<T>(
        &mut self,
        address: &Address,
        api: Api,
        question: &Question,
        read: impl FnOnce(Answer<'_>) -> Result<T, Nonsense>,
    ) -> Result<T, ReadError> {
        // Taken out, so that none stays on which an answer is still to come when this is given up.
        let mut connection = match self.connections.remove(address) {
            Some(connection) => connection,
            None => self.open(address).await?,
        };
        let answer = connection.ask(api, question).await?;
        let read = connection.read(&answer, read)?;
        self.connections.insert(address.clone(), connection);
        Ok(read)
    }

    /// Forgets connections that brokers have closed meanwhile, as they do when nothing is asked for long.
    pub(super) fn forget_closed(&mut self) {
        self.connections
            .retain(|_, connection| connection.is_open());
    }

    /// Connects to a broker, unless that is done already.
    pub(super) async fn reach(&mut self, address: &Address) -> Result<(), ReadError> {
        if self.connections.contains_key(address) {
            return Ok(());
        }
        let opened = timeout(REACHED, self.open(address)).await;
        let late = |_| ReadError::of(SERVERS, format!("{address} does not answer"));
        let connection = opened.map_err(late).flatten()?;
        self.connections.insert(address.clone(), connection);
        Ok(())
    }

    /// The broker that keeps what a group commits, and knows its members.
    pub(super) async fn coordinator(
        &mut self,
        group: &str,
    ) -> Result<Result<Address, i16>, ReadError> {
        let question = api::find_coordinator(group);
        let api = api::FIND_COORDINATOR;
        self.ask_any(api, &question, answers::find_coordinator)
            .await
    }

    /// Connects to one of the servers that the settings name.
    async fn begin(&mut self) -> Result<Address, ReadError> {
        let mut failure = ReadError::of(SERVERS, "is empty");
        for address in self.settings.servers.clone() {
            match timeout(PATIENCE, self.open(&address)).await {
                Ok(Ok(connection)) => {
                    self.connections.insert(address.clone(), connection);
                    return Ok(address);
                }
                Ok(Err(error)) => failure = error,
                Err(_) => failure = ReadError::of(SERVERS, format!("{address} does not answer")),
            }
        }
        Err(failure)
    }

    async fn open(&self, address: &Address) -> Result<Connection, ReadError> {
        let security = self.settings.security.as_ref();
        let mut connection = Connection::open(&self.connect, address, security).await?;
        if let Some(login) = &self.settings.login {
            login.to(&mut connection).await?;
        }
        Ok(connection)
    }
}
