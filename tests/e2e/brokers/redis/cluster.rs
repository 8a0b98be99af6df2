//! A Redis cluster of three masters without replicas.

use std::process::Command;

use tempfile::TempDir;

use super::super::{server::Server, tool};
use super::{COMMON, PASSWORD, client, is_pong, serve};
use crate::harness::machine;
use crate::ports;

/// A cluster; every node has [`PASSWORD`].
pub(crate) struct Cluster {
    /// The ports of its nodes.
    pub(crate) ports: [u16; 3],
    servers: [Server; 3],
    _folders: [TempDir; 3],
}

impl Cluster {
    /// Starts its nodes and joins them.
    pub(crate) fn start() -> Self {
        let ports = [ports::free(), ports::free(), ports::free()];
        let folders = ports.map(|_| tempfile::tempdir().expect("a temporary folder"));
        let nodes = [0, 1, 2];
        let servers = nodes.map(|node| {
            let configuration = format!(
                "{COMMON}port {}\ncluster-port {}\ncluster-enabled yes\nrequirepass {PASSWORD}\n",
                ports[node],
                ports::free()
            );
            serve("redis-node", folders[node].path(), &configuration, &[])
        });
        let mut cluster = Self {
            ports,
            servers,
            _folders: folders,
        };
        cluster.each(&["ping"], is_pong);
        cluster.join();
        cluster.each(&["cluster", "info"], |info| {
            tool::try_run(info).is_ok_and(|info| info.contains("cluster_state:ok"))
        });
        cluster
    }

    fn join(&self) {
        let mut command = client(self.ports[0], PASSWORD);
        command
            .args(["--cluster", "create"])
            .args(self.addresses())
            .args(["--cluster-replicas", "0", "--cluster-yes"]);
        tool::run(&mut command);
    }

    /// Waits until every node answers as it should.
    fn each(&mut self, command: &[&str], answers: impl Fn(&mut Command) -> bool) {
        for (server, port) in self.servers.iter_mut().zip(self.ports) {
            let mut command_of_node = client(port, PASSWORD);
            command_of_node.args(command);
            server.wait_until(|| answers(&mut command_of_node));
        }
    }

    /// The addresses of its nodes.
    pub(crate) fn addresses(&self) -> [String; 3] {
        self.ports.map(|port| format!("127.0.0.1:{port}"))
    }

    /// What redis-cli prints, which follows a key to its node.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = client(self.ports[0], PASSWORD);
        tool::run(command.arg("-c").args(arguments))
            .trim()
            .to_owned()
    }

    /// Appends elements to a list.
    pub(crate) fn put(&self, list: &str, number: usize) {
        self.cli(&[&["rpush", list][..], &vec!["element"; number]].concat());
    }

    /// The length of a list.
    pub(crate) fn length(&self, list: &str) -> usize {
        self.cli(&["llen", list]).parse().expect("a number")
    }
}

#[test]
fn a_cluster_keeps_lists_on_every_node() {
    let _machine = machine();
    let cluster = Cluster::start();
    // Their slots are in different thirds, so each is on another node.
    let lists = ["b", "c", "a"];
    for list in lists {
        cluster.put(list, 3);
        assert_eq!(cluster.length(list), 3);
    }
    for port in cluster.ports {
        let mut size = client(port, PASSWORD);
        assert_eq!(tool::run(size.arg("dbsize")).trim(), "1");
    }
}
