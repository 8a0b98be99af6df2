//! Azurite: the queues of Azure Storage.

use std::process::Command;

use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::{machine, program};

/// The account that Azurite has.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
/// The account's key, which is the same everywhere and public.
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const REQUEST: &str = include_str!("azurite/request.py");

/// An Azurite with its queue service alone.
pub(crate) struct Azurite {
    /// Its port.
    pub(crate) port: u16,
    _server: Server,
    _folder: TempDir,
}

impl Azurite {
    /// Starts one, or none where there is no Node.js to run it; `tests/run` says so.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os("EBBTIDE_TESTS_WITHOUT_AZURITE").is_some() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("node");
        command
            .arg(program(
                "AZURITE_BIN",
                "../brokers/azurite/node_modules/azurite/dist/src/queue/main.js",
            ))
            .args(["--queueHost", "127.0.0.1", "--queuePort", "0", "--location"])
            .arg(folder.path())
            .args(["--skipApiVersionCheck", "--disableTelemetry", "--silent"]);
        let mut server = Server::start("azurite", folder.path(), End::Kill, &command);
        let mut port = None;
        let log = server.log().to_owned();
        server.wait_until(|| {
            port = std::fs::read_to_string(&log)
                .ok()
                .and_then(|log| port_in(&log));
            port.is_some()
        });
        let azurite = Self {
            port: port.expect("it was just there"),
            _server: server,
            _folder: folder,
        };
        assert_eq!(azurite.request(&["GET", "?comp=list"]).0, 200);
        Some(azurite)
    }

    /// The connection string of the account.
    pub(crate) fn connection_string(&self) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};\
             QueueEndpoint=http://127.0.0.1:{}/{ACCOUNT};",
            self.port
        )
    }

    /// Makes a queue if it is not there, and puts messages into it.
    pub(crate) fn put(&self, queue: &str, number: usize) {
        let made = self.request(&["PUT", queue]).0;
        assert!([201, 204].contains(&made), "{made}");
        if number == 0 {
            return;
        }
        let message = "<QueueMessage><MessageText>bQ==</MessageText></QueueMessage>";
        let path = format!("{queue}/messages");
        let (put, answer) = self.request(&["POST", &path, message, &number.to_string()]);
        assert_eq!(put, 201, "{answer}");
    }

    /// Receives messages, which are invisible then for a minute, and says how many came.
    pub(crate) fn receive(&self, queue: &str, number: usize) -> usize {
        self.messages(
            queue,
            &format!("numofmessages={number}&visibilitytimeout=60"),
        )
    }

    /// The messages that can be seen, up to 32.
    pub(crate) fn visible(&self, queue: &str) -> usize {
        self.messages(queue, "peekonly=true&numofmessages=32")
    }

    /// All messages of a queue, those that are invisible for now too.
    pub(crate) fn length(&self, queue: &str) -> usize {
        let (status, answer) = self.request(&["GET", &format!("{queue}?comp=metadata")]);
        assert_eq!(status, 200, "{answer}");
        let count = answer
            .lines()
            .find_map(|line| line.strip_prefix("x-ms-approximate-messages-count: "));
        count
            .and_then(|count| count.parse().ok())
            .expect("a number")
    }

    fn messages(&self, queue: &str, query: &str) -> usize {
        let (status, answer) = self.request(&["GET", &format!("{queue}/messages?{query}")]);
        assert_eq!(status, 200, "{answer}");
        answer.matches("<QueueMessage>").count()
    }

    /// A signed request: the status of its answer, and the whole answer.
    fn request(&self, arguments: &[&str]) -> (u16, String) {
        let mut command = Command::new("python3");
        command
            .args(["-c", REQUEST, &self.port.to_string(), ACCOUNT])
            .args(arguments)
            .env("AZURE_STORAGE_KEY", KEY);
        let answer = tool::run(&mut command);
        let status = answer.lines().next().and_then(|line| line.parse().ok());
        (status.expect("a status"), answer)
    }
}

/// The port that the log's line of the start has, once the line is whole.
fn port_in(log: &str) -> Option<u16> {
    let (_, address) = log.split_once("successfully listens on http://127.0.0.1:")?;
    let (port, _) = address.split_once('\n')?;
    port.trim().parse().ok()
}

#[test]
fn azurite_keeps_messages_that_are_invisible_once_received() {
    let _machine = machine();
    let Some(azurite) = Azurite::start() else {
        return;
    };
    azurite.put("orders", 3);
    assert_eq!(azurite.length("orders"), 3);
    assert_eq!(azurite.receive("orders", 1), 1);
    assert_eq!(
        (azurite.length("orders"), azurite.visible("orders")),
        (3, 2)
    );
    let text = azurite.connection_string();
    assert!(text.contains(&azurite.port.to_string()), "it has the port");
}
