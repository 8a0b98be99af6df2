//! The stand-in for Azure Service Bus, with a queue `orders` and a topic `events` with the subscription
//! `audit`.

use std::process::Command;

use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::{machine, program};

/// The key of the policy `root`.
pub(crate) const KEY: &str = "servicebus-key";

const REQUEST: &str = include_str!("servicebus/request.py");

/// A namespace.
pub(crate) struct ServiceBus {
    /// Its port.
    pub(crate) port: u16,
    _server: Server,
    folder: TempDir,
}

impl ServiceBus {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(program("SERVICEBUS_STAND_IN_BIN", "servicebus-stand-in"));
        command
            .arg("--authority")
            .arg(folder.path().join("ca.pem"))
            .args(["--key", "root=KEY", "--queue", "orders"])
            .args(["--topic", "events", "--subscription", "events/audit"])
            .env("KEY", KEY);
        let mut server = Server::start("servicebus", folder.path(), End::Kill, &command);
        let mut port = None;
        let log = server.log().to_owned();
        server.wait_until(|| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            port = port_in(&text);
            port.is_some()
        });
        Self {
            port: port.expect("it was just there"),
            _server: server,
            folder,
        }
    }

    /// The connection string by which counts are read.
    pub(crate) fn connection_string(&self, key: &str) -> String {
        let port = self.port;
        format!("Endpoint=sb://localhost:{port}/;SharedAccessKeyName=root;SharedAccessKey={key}")
    }

    /// The certificate that clients have to trust, in PEM.
    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.authority_file()).expect("it was written")
    }

    /// The file that has it.
    pub(crate) fn authority_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Sends messages to a queue or a topic.
    pub(crate) fn put(&self, entity: &str, number: usize) {
        let path = format!("/{entity}/messages");
        let (status, answer) = self.request(&["POST", &path, "an order", &number.to_string()]);
        assert_eq!(status, 201, "{answer}");
    }

    /// The active messages of a queue or a subscription, those that are locked too.
    pub(crate) fn length(&self, entity: &str) -> u64 {
        let (status, answer) = self.request(&["GET", &format!("/{entity}?api-version=2021-05")]);
        assert_eq!(status, 200, "{answer}");
        let (_, count) = answer
            .split_once("ActiveMessageCount>")
            .expect("it is counted");
        let digits = count
            .split('<')
            .next()
            .and_then(|digits| digits.parse().ok());
        digits.expect("a number")
    }

    fn request(&self, arguments: &[&str]) -> (u16, String) {
        let mut command = Command::new("python3");
        command
            .args(["-c", REQUEST, &self.port.to_string()])
            .arg(self.authority_file())
            .args(arguments)
            .env("KEY", KEY);
        let answer = tool::run(&mut command);
        let status = answer.lines().next().and_then(|line| line.parse().ok());
        (status.expect("a status"), answer)
    }
}

fn port_in(log: &str) -> Option<u16> {
    let (_, address) = log.split_once("listening on 127.0.0.1:")?;
    address.split_once('\n')?.0.trim().parse().ok()
}

#[test]
fn the_stand_in_keeps_messages_of_queues_and_subscriptions() {
    let _machine = machine();
    let servicebus = ServiceBus::start();
    servicebus.put("orders", 3);
    servicebus.put("events", 2);
    assert_eq!(servicebus.length("orders"), 3);
    assert_eq!(servicebus.length("events/Subscriptions/audit"), 2);
}
