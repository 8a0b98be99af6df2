//! The bundled example app: a small HTTP server that takes its time to start and to answer, so that
//! there is something to scale.

mod page;
mod routes;
pub mod worker;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use self::page::Identity;

/// Connections that may wait to be accepted: a burst must not be refused.
const BACKLOG: u32 = 1024;

/// How the example behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// The port on 127.0.0.1, from the variable `PORT`.
    pub port: u16,
    /// How long it does not listen yet after its start.
    pub start_delay: Duration,
    /// How long each request waits before it is answered. It uses no processor time.
    pub work_time: Duration,
    /// The colour of its page: a CSS colour name, or `#` and hexadecimal digits.
    pub color: String,
}

/// Serves HTTP/1.1 and HTTP/2 with prior knowledge until SIGTERM, then answers what is in flight and
/// returns.
///
/// # Errors
///
/// The port cannot be listened on, `color` is not a colour, or a `CONTAINER_APP_*` variable cannot
/// be a header value.
pub async fn run(options: SampleOptions) -> anyhow::Result<()> {
    let identity = Identity::from_environment(&options.color)?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        () = sleep(options.start_delay) => {}
        _ = terminate.recv() => return Ok(()),
    }
    let listener = listen(options.port)?;
    say(&format!("{identity} listens on {}", listener.local_addr()?));
    serve(listener, identity, options.work_time, async move {
        terminate.recv().await;
        say("SIGTERM: answering what is in flight");
    })
    .await
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bind = || -> io::Result<TcpListener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().with_context(|| format!("cannot listen on {address}, the port that PORT gives"))
}

/// Serves until `shutdown`, and then ends streams and waits for requests in flight.
async fn serve(
    listener: TcpListener,
    identity: Identity,
    work_time: Duration,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let (ending, ended) = watch::channel(false);
    let router = routes::router(identity, work_time, ended);
    // It only makes answers faster; without it they are right too.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            shutdown.await;
            ending.send_replace(true);
        })
        .await
        .context("the server failed")
}

/// Writes a line to stdout. That nobody reads it any more is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests;
