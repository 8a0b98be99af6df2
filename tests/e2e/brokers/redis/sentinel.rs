//! A Redis sentinel that watches one master.

use std::process::Command;

use tempfile::TempDir;

use super::super::{server::Server, tool};
use super::{PASSWORD, Redis, client, is_pong, serve};
use crate::harness::machine;
use crate::ports;

/// What the sentinel calls the master.
pub(crate) const MASTER: &str = "orders-master";
/// The sentinel's own password.
pub(crate) const SENTINEL_PASSWORD: &str = "sentinel-password";

/// A sentinel and its master.
pub(crate) struct Sentinel {
    /// The sentinel's port.
    pub(crate) port: u16,
    /// The master, with [`PASSWORD`].
    pub(crate) master: Redis,
    server: Server,
    _folder: TempDir,
}

impl Sentinel {
    /// Starts both.
    pub(crate) fn start() -> Self {
        let master = Redis::start();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = ports::free();
        let configuration = format!(
            "bind 127.0.0.1\nport {port}\nrequirepass {SENTINEL_PASSWORD}\n\
             sentinel monitor {MASTER} 127.0.0.1 {} 1\nsentinel auth-pass {MASTER} {PASSWORD}\n",
            master.port
        );
        let server = serve("sentinel", folder.path(), &configuration, &["--sentinel"]);
        let mut sentinel = Self {
            port,
            master,
            server,
            _folder: folder,
        };
        let mut ping = sentinel.client(&["ping"]);
        sentinel.server.wait_until(|| is_pong(&mut ping));
        sentinel
    }

    /// The master's address, as the sentinel tells it.
    pub(crate) fn master_address(&self) -> String {
        let mut ask = self.client(&["sentinel", "get-master-addr-by-name", MASTER]);
        let answer = tool::run(&mut ask);
        answer.trim().replace('\n', ":")
    }

    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = client(self.port, SENTINEL_PASSWORD);
        command.args(arguments);
        command
    }
}

#[test]
fn a_sentinel_knows_its_master() {
    let _machine = machine();
    let sentinel = Sentinel::start();
    let master = format!("127.0.0.1:{}", sentinel.master.port);
    assert_eq!(sentinel.master_address(), master);
    sentinel.master.put("orders", 3);
    assert_eq!(sentinel.master.length("orders"), 3);
}
