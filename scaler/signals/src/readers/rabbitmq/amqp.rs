//! What a server says of a queue by AMQP.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::uri::{
    AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism,
};
use lapin::{Channel, Connection, ConnectionProperties, Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncWrite};

use super::address::Address;
use super::counts::Counts;
use super::{HOST, QUEUE};
use crate::parameters::Parameters;
use crate::readers::Context;
use ebbtide_brokers::amqp::{self, Carrier};
use ebbtide_brokers::connect::{Connect, Security, TlsSettings};
use ebbtide_brokers::error::ReadError;

/// The longest frame, in bytes: lapin keeps room for many, and answers are short. RabbitMQ takes no less.
const LONGEST_FRAME: u32 = 8192;
/// Reply codes of AMQP.
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const NOT_ALLOWED: u16 = 530;
/// The longest name of a queue or virtual host, in bytes.
const LONGEST_NAME: usize = 255;

pub(super) struct Amqp {
    connect: Connect,
    address: Address,
    security: Option<Security>,
    /// Whether the certificate is the user.
    by_certificate: bool,
    queue: String,
    open: Option<Open>,
}

/// What ends, in this order, with the reader.
struct Open {
    channel: Channel,
    _connection: Connection,
    _carrier: Carrier,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Amqp {
    pub(super) fn of(
        parameters: &Parameters,
        context: &Context,
        address: Address,
        tls: &TlsSettings<'_>,
    ) -> Result<Self, ReadError> {
        let queue = parameters.required(QUEUE)?.to_owned();
        for (key, name) in [(QUEUE, &queue), (address.vhost_key, &address.vhost)] {
            if name.len() > LONGEST_NAME {
                let message = format!("has a name of more than {LONGEST_NAME} bytes");
                return Err(ReadError::of(key, message));
            }
        }
        let is_enabled = parameters.word("tls").is_some_and(|word| word == "enable");
        let has_password = address
            .user
            .as_ref()
            .is_some_and(|user| !user.password.is_empty());
        Ok(Self {
            connect: context.connect.clone(),
            security: address.is_tls.then(|| Security::new(tls)).transpose()?,
            by_certificate: address.is_tls && is_enabled && tls.cert.is_some() && !has_password,
            address,
            queue,
            open: None,
        })
    }

    pub(super) async fn counts(&mut self) -> Result<Counts, ReadError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.opened().await?,
        };
        let open = self.open.insert(open);
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = self.queue.as_str().into();
        let declared = open
            .channel
            .queue_declare(queue, options, FieldTable::default());
        let declared = declared.await.map_err(|error| self.undeclared(&error))?;
        let ready = f64::from(declared.message_count());
        Ok(Counts {
            messages: ready,
            ready,
            ..Counts::default()
        })
    }

    async fn opened(&self) -> Result<Open, ReadError> {
        let Address { host, port, .. } = &self.address;
        let stream: Box<dyn Stream> = match &self.security {
            Some(security) => {
                let place = (host.as_str(), *port);
                let secured = self.connect.secured(HOST, place, security);
                Box::new(secured.await?)
            }
            None => Box::new(self.connect.tcp(HOST, host, *port).await?),
        };
        let properties = ConnectionProperties::default().with_connection_name("ebbtide".into());
        let connected = amqp::connect(stream, self.uri(), properties).await;
        let (connection, carrier) = connected.map_err(|error| self.refused(&error))?;
        let channel = connection.create_channel().await;
        Ok(Open {
            channel: channel.map_err(|error| self.refused(&error))?,
            _connection: connection,
            _carrier: carrier,
        })
    }

    /// What lapin has to know. Where the server is, is not among it.
    fn uri(&self) -> AMQPUri {
        // A server that was just installed has this user, for this machine only.
        let (username, password) = match &self.address.user {
            Some(user) => (user.name.clone(), user.password.clone()),
            None => ("guest".to_owned(), "guest".to_owned()),
        };
        AMQPUri {
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username, password },
                ..AMQPAuthority::default()
            },
            vhost: self.address.vhost.clone(),
            query: AMQPQueryString {
                frame_max: Some(LONGEST_FRAME),
                auth_mechanism: self.by_certificate.then_some(SASLMechanism::External),
                ..AMQPQueryString::default()
            },
        }
    }

    /// Why there is no connection. What the server says at length is not passed on.
    fn refused(&self, error: &Error) -> ReadError {
        let Address { vhost, user, .. } = &self.address;
        match (code(error), user) {
            (Some(ACCESS_REFUSED), _) if self.by_certificate => {
                ReadError::of("cert", "is of no user that the server lets in")
            }
            (Some(ACCESS_REFUSED), Some(user)) => {
                let message = format!("the user {} is not let in with this password", user.name);
                ReadError::of(user.key, message)
            }
            (Some(ACCESS_REFUSED), None) => ReadError::of(
                "username",
                "is missing, and the server does not let guest in; give username and password",
            ),
            (Some(NOT_ALLOWED), _) => ReadError::of(
                self.address.vhost_key,
                format!("there is no virtual host {vhost}, or the user may not use it"),
            ),
            (code, _) => broken(error, code),
        }
    }

    /// Why there is no count.
    fn undeclared(&self, error: &Error) -> ReadError {
        let (vhost, queue) = (&self.address.vhost, &self.queue);
        let message = match code(error) {
            Some(NOT_FOUND) => {
                format!("there is no queue {queue} in the virtual host {vhost}")
            }
            Some(ACCESS_REFUSED) => format!("the user may not look at the queue {queue}"),
            Some(RESOURCE_LOCKED) => {
                format!("the queue {queue} is exclusive, so that only its own connection sees it")
            }
            code => return broken(error, code),
        };
        ReadError::of(QUEUE, message)
    }
}

/// The reply code with which a server ended a channel or connection.
fn code(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

/// What is said of a connection that went wrong otherwise.
fn broken(error: &Error, code: Option<u16>) -> ReadError {
    let message = match (error.kind(), code) {
        (_, Some(code)) => format!("the server ended the connection with AMQP's code {code}"),
        (ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_), None) => {
            "what is there does not speak AMQP 0-9-1".to_owned()
        }
        (ErrorKind::AuthProviderError(_), None) => {
            "the server asks for a login that is not spoken".to_owned()
        }
        _ => "the server closed the connection".to_owned(),
    };
    ReadError::of(HOST, message)
}

#[cfg(test)]
mod tests;
