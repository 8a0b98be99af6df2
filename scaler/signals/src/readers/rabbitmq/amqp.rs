//! By AMQP 0-9-1: a passive declaration, which says how many messages are ready.

use std::net::SocketAddr;

use lapin::options::QueueDeclareOptions;
use lapin::runtime::default_runtime;
use lapin::tcp::{AsyncTcpStream, RustlsConnector};
use lapin::types::FieldTable;
use lapin::uri::{AMQPAuthority, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};

use super::address::Address;
use super::{HOST, QUEUE, tls};
use crate::amount::Amount;
use crate::error::ReadError;
use crate::parameters::Parameters;
use crate::readers::{Context, Reader, Reading};

/// AMQP's code of what is not there, and of who may not.
const NOT_FOUND: u16 = 404;
const ACCESS_REFUSED: u16 = 403;

struct Amqp {
    context: Context,
    address: Address,
    tls: Option<RustlsConnector>,
    queue: String,
    /// The connection and its channel, once they are there.
    open: Option<(Connection, Channel)>,
}

pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
    address: Address,
) -> Result<Box<dyn Reader>, ReadError> {
    let tls = if address.has_tls {
        Some(RustlsConnector::from(tls(parameters).client()?))
    } else {
        None
    };
    Ok(Box::new(Amqp {
        context: context.clone(),
        address,
        tls,
        queue: parameters.required(QUEUE)?.to_owned(),
        open: None,
    }))
}

impl Reader for Amqp {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.declare())
    }
}

impl Amqp {
    async fn declare(&mut self) -> Result<Amount, ReadError> {
        let (_, channel) = match &self.open {
            Some(open) => open,
            None => self.open.insert(self.connect().await?),
        };
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared =
            channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default());
        let queue = declared.await.map_err(|error| self.refused(&error))?;
        Ok(Amount::from(f64::from(queue.message_count())))
    }

    async fn connect(&self) -> Result<(Connection, Channel), ReadError> {
        let Address {
            host,
            port,
            user,
            password,
            vhost,
            ..
        } = &self.address;
        let addresses = self.context.connect.resolve(HOST, host, *port).await?;
        let uri = AMQPUri {
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: user.clone(),
                    password: password.clone(),
                },
                host: host.clone(),
                port: *port,
            },
            vhost: vhost.clone(),
            ..AMQPUri::default()
        };
        let runtime = default_runtime().map_err(|error| ReadError::new(cause(&error)))?;
        let tls = self.tls.clone();
        let connect = async move |uri: AMQPUri, runtime| {
            let addresses: &[SocketAddr] = &addresses;
            let stream = AsyncTcpStream::connect(&runtime, addresses.to_vec()).await?;
            Ok(match &tls {
                Some(tls) => stream.into_rustls(tls, &uri.authority.host).await?,
                None => stream,
            })
        };
        let properties = ConnectionProperties::default();
        let failed = |error: lapin::Error| ReadError::of(HOST, cause(&error));
        let connection = Connection::connector(uri, runtime, connect, properties);
        let connection = connection.await.map_err(failed)?;
        let channel = connection.create_channel().await.map_err(failed)?;
        Ok((connection, channel))
    }

    /// Why the queue could not be looked at.
    fn refused(&self, error: &lapin::Error) -> ReadError {
        let vhost = &self.address.vhost;
        let code = match error.kind() {
            ErrorKind::ProtocolError(error) => error.get_id(),
            _ => 0,
        };
        match code {
            NOT_FOUND => {
                let message = format!(
                    "there is no queue {} in the virtual host {vhost}",
                    self.queue
                );
                ReadError::of(QUEUE, message)
            }
            ACCESS_REFUSED => {
                let message = format!("the user may not look at it in the virtual host {vhost}");
                ReadError::of(QUEUE, message)
            }
            _ => ReadError::of(HOST, cause(error)),
        }
    }
}

/// What went wrong, without what may have a password.
fn cause(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::IOError(error) => format!("cannot connect: {error}"),
        ErrorKind::ProtocolError(error) if error.get_id() == ACCESS_REFUSED => {
            "the user or the password is not accepted, or not for this virtual host".to_owned()
        }
        ErrorKind::ProtocolError(error) => format!("the server says: {}", error.get_message()),
        _ => error.to_string(),
    }
}
