//! Redis: one server, with a password and with TLS if asked for.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::machine;
use crate::keda::certificates;
use crate::ports;

pub(crate) mod cluster;
pub(crate) mod sentinel;

/// The password of the default user, and of [`USER`].
pub(crate) const PASSWORD: &str = "redis-password";
/// A user of the access control list, who may only read.
pub(crate) const USER: &str = "scaler";

/// What every server has in its configuration.
const COMMON: &str = "bind 127.0.0.1\nsave \"\"\nappendonly no\nprotected-mode no\n";

/// A Redis server.
pub(crate) struct Redis {
    /// Its port, which speaks TLS if it was started so.
    pub(crate) port: u16,
    tls: bool,
    configuration: String,
    server: Option<Server>,
    folder: TempDir,
}

impl Redis {
    /// Starts one that wants a password.
    pub(crate) fn start() -> Self {
        Self::start_with(false, |port| format!("port {port}\n"))
    }

    /// Starts one that speaks only TLS, with the certificates of [`Redis::folder`].
    pub(crate) fn start_with_tls() -> Self {
        Self::start_with(true, |port| {
            format!(
                "port 0\ntls-port {port}\ntls-cert-file tls.crt\ntls-key-file tls.key\n\
                 tls-ca-cert-file ca.crt\ntls-auth-clients no\n"
            )
        })
    }

    fn start_with(tls: bool, listen: impl Fn(u16) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if tls {
            certificates(folder.path());
        }
        let port = ports::free();
        let configuration = format!(
            "{COMMON}{}requirepass {PASSWORD}\nuser {USER} on >{PASSWORD} ~* &* +@read +@connection\n",
            listen(port)
        );
        let mut redis = Self {
            port,
            tls,
            configuration,
            server: None,
            folder,
        };
        redis.start_again();
        redis
    }

    /// Ends it, and with it all that it has.
    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    /// Starts it where it was, with nothing in it.
    pub(crate) fn start_again(&mut self) {
        let mut server = serve("redis", self.folder.path(), &self.configuration, &[]);
        let mut ping = self.client(&["ping"]);
        server.wait_until(|| is_pong(&mut ping));
        self.server = Some(server);
    }

    /// Its folder, with `ca.crt` if it speaks TLS.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What redis-cli prints, as the default user.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        tool::run(&mut self.client(arguments)).trim().to_owned()
    }

    /// Appends elements to a list.
    pub(crate) fn put(&self, list: &str, number: usize) {
        self.cli(&[&["rpush", list][..], &vec!["element"; number]].concat());
    }

    /// The length of a list.
    pub(crate) fn length(&self, list: &str) -> usize {
        self.cli(&["llen", list]).parse().expect("a number")
    }

    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = client(self.port, PASSWORD);
        if self.tls {
            command
                .arg("--tls")
                .arg("--cacert")
                .arg(self.folder().join("ca.crt"));
        }
        command.args(arguments);
        command
    }
}

/// Starts redis-server with a configuration, in a folder.
fn serve(name: &'static str, folder: &Path, configuration: &str, arguments: &[&str]) -> Server {
    let file = folder.join(format!("{name}.conf"));
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new("redis-server");
    command.arg(file).args(arguments).current_dir(folder);
    Server::start(name, folder, End::Kill, &command)
}

/// redis-cli for a server, without its command.
fn client(port: u16, password: &str) -> Command {
    let mut command = Command::new("redis-cli");
    command
        .args(["-h", "127.0.0.1", "-p", &port.to_string()])
        .env("REDISCLI_AUTH", password);
    command
}

fn is_pong(ping: &mut Command) -> bool {
    tool::try_run(ping).is_ok_and(|answer| answer.trim() == "PONG")
}

#[test]
fn redis_keeps_a_list_and_wants_a_password() {
    let _machine = machine();
    let redis = Redis::start();
    redis.put("orders", 3);
    assert_eq!(redis.length("orders"), 3);

    let mut as_user = client(redis.port, PASSWORD);
    let answer = tool::run(as_user.args(["--user", USER, "llen", "orders"]));
    assert_eq!(answer.trim(), "3");
    let mut stranger = client(redis.port, "wrong");
    let refused = tool::run(stranger.args(["llen", "orders"]));
    assert!(refused.contains("NOAUTH"), "{refused}");
}

#[test]
fn redis_speaks_tls() {
    let _machine = machine();
    let redis = Redis::start_with_tls();
    redis.put("orders", 3);
    assert_eq!(redis.length("orders"), 3);
    let plain = tool::try_run(client(redis.port, PASSWORD).arg("ping"));
    assert!(plain.is_err(), "{plain:?}");
}
