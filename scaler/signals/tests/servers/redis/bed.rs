//! A Redis server.

use std::path::Path;

use ebbtide_core::trigger::reach::{Allowed, Reach};
use redis::Value;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::bed::Case;
use crate::certificates::Certificates;
use crate::ports;
use crate::process::Server;

/// The default user's password, and that of [`USER`].
pub(crate) const PASSWORD: &str = "hunter2/@:";
/// A user who may only read.
pub(crate) const USER: &str = "scaler";

pub(crate) struct Redis {
    pub(crate) port: u16,
    /// Here it speaks TLS, with those whose certificate is signed by the same.
    pub(crate) tls_port: u16,
    pub(crate) certificates: Certificates,
    connection: MultiplexedConnection,
    _server: Server,
}

impl Redis {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with further arguments.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(folder.path());
        let (port, tls_port) = (ports::free(), ports::free());
        let (port_text, tls_port_text) = (port.to_string(), tls_port.to_string());
        let mut arguments = vec!["--port", &port_text, "--tls-port", &tls_port_text];
        arguments.extend(["--tls-cert-file", "server.pem"]);
        arguments.extend([
            "--tls-key-file",
            "server.key",
            "--tls-ca-cert-file",
            "ca.pem",
        ]);
        arguments.extend(["--requirepass", PASSWORD]);
        arguments.extend(more);
        let server = serve(folder, &arguments, "Ready to accept connections").await;
        let redis = Self {
            port,
            tls_port,
            certificates,
            connection: connect(port, PASSWORD).await,
            _server: server,
        };
        let password = format!(">{PASSWORD}");
        redis
            .run(&[
                "ACL",
                "SETUSER",
                USER,
                "on",
                &password,
                "~*",
                "+@read",
                "+@connection",
            ])
            .await;
        redis
    }

    /// What it answers to a command, which has to succeed.
    pub(crate) async fn run(&self, command: &[&str]) -> Value {
        run(&self.connection, command).await
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A rule of a scaler with its address and the default user's password.
    pub(crate) fn case(&self, scaler: &str) -> Case {
        let case = Case::of(scaler).with("address", &self.address());
        case.secret("password", PASSWORD)
    }
}

/// Starts redis-server, and waits until it says that it has.
pub(super) async fn serve(folder: TempDir, arguments: &[&str], started: &str) -> Server {
    let common = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    let all = [arguments, &common].concat();
    let mut server = Server::start(folder, Path::new("redis-server"), &all);
    server.printed(|log| log.find(started)).await;
    server
}

/// A connection of the default user.
pub(super) async fn connect(port: u16, password: &str) -> MultiplexedConnection {
    let client = redis::Client::open(("127.0.0.1", port)).expect("an address");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("it listens");
    let mut login = redis::cmd("AUTH");
    let answer = login.arg(password).query_async::<Value>(&mut connection);
    answer.await.expect("it lets in");
    connection
}

pub(super) async fn run(connection: &MultiplexedConnection, command: &[&str]) -> Value {
    let answer = try_run(connection, command).await;
    answer.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(super) async fn try_run(
    connection: &MultiplexedConnection,
    command: &[&str],
) -> redis::RedisResult<Value> {
    let mut asked = redis::Cmd::new();
    for part in command {
        asked.arg(*part);
    }
    asked.query_async(&mut connection.clone()).await
}

/// Someone who may only reach one port of this machine.
pub(super) fn only(port: u16) -> Reach {
    let entry: Allowed = format!("127.0.0.1:{port}").parse().unwrap();
    Reach::new(vec![entry])
}
