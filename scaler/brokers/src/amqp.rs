//! Connections of lapin's, which is handed a stream and cannot make one itself: where it may lead and what secures it
//! is its owner's to say.

use std::future::{Ready, ready};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use lapin::tcp::AsyncTcpStream;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use tokio::io::{
    AsyncRead as Reads, AsyncWrite as Writes, DuplexStream, copy_bidirectional, duplex,
};
use tokio::task::JoinSet;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

/// What may be on its way between lapin and the stream, in bytes.
const PIPE: usize = 8192;

type Pipe = Compat<DuplexStream>;

/// Carries what lapin and the server say to each other, until it is dropped. lapin has a thread of its own, which ends
/// then, however long the server says nothing.
pub struct Carrier {
    _carrying: JoinSet<()>,
}

/// A connection of lapin's over a stream to the server. What the address says of the place does not count.
///
/// # Errors
/// The server refuses it, or does not speak AMQP.
pub async fn connect(
    mut stream: impl Reads + Writes + Send + Unpin + 'static,
    uri: AMQPUri,
    properties: ConnectionProperties,
) -> lapin::Result<(Connection, Carrier)> {
    let (mut ours, theirs) = duplex(PIPE);
    let mut carrying = JoinSet::new();
    carrying.spawn(async move {
        // How it ended is what lapin says.
        drop(copy_bidirectional(&mut ours, &mut stream).await);
    });
    let connection = over(theirs, uri, properties).await?;
    let carrier = Carrier {
        _carrying: carrying,
    };
    Ok((connection, carrier))
}

async fn over(
    pipe: DuplexStream,
    uri: AMQPUri,
    properties: ConnectionProperties,
) -> lapin::Result<Connection> {
    let runtime = RuntimeParts::new(Tokio::current(), Handed(Tokio::current()));
    let pipe = Mutex::new(Some(pipe.compat()));
    // lapin asks again where it would connect again, and there is no second pipe.
    let connect = async move |_: AMQPUri, _: Runtime<_>| {
        let pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner).take();
        let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
        Ok(AsyncTcpStream::Plain(pipe.ok_or_else(gone)?))
    };
    Connection::connector(uri, Runtime::new(runtime), connect, properties).await
}

/// tokio without connections.
#[derive(Clone, Debug)]
struct Handed(Tokio);

impl Handed {
    fn refusal() -> io::Error {
        let message = "connections are made by their owner";
        io::Error::new(io::ErrorKind::Unsupported, message)
    }
}

impl Reactor for Handed {
    type TcpStream = Pipe;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Pipe, _>(Self::refusal())
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    fn tcp_connect_addr(
        &self,
        _: SocketAddr,
    ) -> impl Future<Output = io::Result<Pipe>> + Send + 'static {
        let refused: Ready<io::Result<Pipe>> = ready(Err(Self::refusal()));
        refused
    }
}
