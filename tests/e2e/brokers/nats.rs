//! NATS with JetStream and its monitoring endpoint.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::client::Client;
use super::server::{End, Server};
use crate::harness::{curl, machine};
use crate::keda::certificates;

mod client;

/// The account that has the streams.
pub(crate) const ACCOUNT: &str = "SHOP";
/// A user of the account.
pub(crate) const USER: &str = "ebbtide";
/// The user's password.
pub(crate) const PASSWORD: &str = "nats-password";

/// A NATS server.
pub(crate) struct Nats {
    /// The port of clients.
    pub(crate) port: u16,
    /// The port of the monitoring endpoint, which wants no password.
    pub(crate) monitoring: u16,
    _server: Server,
    folder: TempDir,
}

impl Nats {
    /// Starts one, without streams.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one to which clients may come by TLS, with the certificates of [`Nats::folder`].
    pub(crate) fn start_with_tls() -> Self {
        Self::start_with(
            "tls: {cert_file: \"tls.crt\", key_file: \"tls.key\"}\nallow_non_tls: true\n",
        )
    }

    fn start_with(tls: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if !tls.is_empty() {
            certificates(folder.path());
        }
        let path = folder.path().display();
        let configuration = format!(
            "{tls}listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: \"{path}\"\n\
             jetstream: {{store_dir: \"{path}\", max_mem: 16MB, max_file: 64MB}}\n\
             accounts: {{{ACCOUNT}: {{jetstream: enabled, \
             users: [{{user: {USER}, password: {PASSWORD}}}]}}}}\n"
        );
        let file = folder.path().join("nats.conf");
        std::fs::write(&file, configuration).expect("the folder is writable");
        let mut command = Command::new("nats-server");
        command.arg("--config").arg(file).current_dir(folder.path());
        let mut server = Server::start("nats", folder.path(), End::Kill, &command);
        let mut ports = None;
        server.wait_until(|| {
            ports = read_ports(folder.path());
            ports.is_some_and(|(_, monitoring)| {
                curl(&[&format!("http://127.0.0.1:{monitoring}/healthz")]).status == 200
            })
        });
        let (port, monitoring) = ports.expect("it was just there");
        Self {
            port,
            monitoring,
            _server: server,
            folder,
        }
    }

    /// Its folder, with `ca.crt` if it speaks TLS.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a stream of one subject.
    pub(crate) fn make_stream(&self, stream: &str, subject: &str) {
        let what = json!({"name": stream, "subjects": [subject], "storage": "file"});
        self.api(&format!("STREAM.CREATE.{stream}"), &what);
    }

    /// Makes a durable consumer of a stream, which is asked for messages.
    pub(crate) fn make_consumer(&self, stream: &str, consumer: &str) {
        let config = json!({
            "durable_name": consumer, "ack_policy": "explicit", "deliver_policy": "all",
        });
        let what = json!({"stream_name": stream, "config": config});
        self.api(
            &format!("CONSUMER.DURABLE.CREATE.{stream}.{consumer}"),
            &what,
        );
    }

    /// Puts messages into the stream that has this subject.
    pub(crate) fn put(&self, subject: &str, number: usize) {
        let mut client = self.client();
        for _ in 0..number {
            let stored = client.request(subject, "m");
            assert!(stored.contains("\"seq\""), "{stored}");
        }
    }

    /// Takes messages by a consumer; those that are acknowledged are done with.
    pub(crate) fn take(&self, stream: &str, consumer: &str, number: usize, acknowledge: bool) {
        let mut client = self.client();
        for _ in 0..number {
            let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
            let taken = client.request_message(&next, "");
            if acknowledge {
                let answer_to = taken.answer_to.expect("JetStream wants an answer");
                client.request(&answer_to, "+ACK");
            }
        }
    }

    /// A stream with its consumers, as the monitoring endpoint shows it.
    pub(crate) fn stream(&self, stream: &str) -> Value {
        let url = format!(
            "http://127.0.0.1:{}/jsz?acc={ACCOUNT}&consumers=true&config=true",
            self.monitoring
        );
        let answer = curl(&[&url]);
        let all: Value = serde_json::from_str(&answer.body).expect("it answers in JSON");
        let streams = all["account_details"][0]["stream_detail"].as_array();
        let found = streams.and_then(|all| all.iter().find(|one| one["name"] == stream));
        found
            .unwrap_or_else(|| panic!("{stream} is not there: {all}"))
            .clone()
    }

    /// The messages of a stream.
    pub(crate) fn length(&self, stream: &str) -> u64 {
        let stream = self.stream(stream);
        stream["state"]["messages"].as_u64().expect("a number")
    }

    fn client(&self) -> Client {
        Client::connect(self.port, USER, PASSWORD)
    }

    fn api(&self, what: &str, request: &Value) {
        let answer = self
            .client()
            .request(&format!("$JS.API.{what}"), &request.to_string());
        let answer: Value = serde_json::from_str(&answer).expect("it answers in JSON");
        assert!(answer["error"].is_null(), "{what}: {answer}");
    }
}

/// The ports of clients and of monitoring, from the file that the server writes.
fn read_ports(folder: &Path) -> Option<(u16, u16)> {
    let file = folder.read_dir().ok()?.find_map(|entry| {
        let path = entry.ok()?.path();
        path.extension()
            .is_some_and(|end| end == "ports")
            .then_some(path)
    })?;
    let ports: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let port = |kind: &str| {
        let url = ports[kind][0].as_str()?;
        url.rsplit(':').next()?.parse().ok()
    };
    Some((port("nats")?, port("monitoring")?))
}

#[test]
fn nats_keeps_messages_until_a_consumer_acknowledges_them() {
    let _machine = machine();
    let nats = Nats::start();
    nats.make_stream("ORDERS", "orders");
    nats.make_consumer("ORDERS", "workers");
    nats.put("orders", 3);
    assert_eq!(nats.length("ORDERS"), 3);
    nats.take("ORDERS", "workers", 1, true);
    nats.take("ORDERS", "workers", 1, false);
    let consumer = &nats.stream("ORDERS")["consumer_detail"][0];
    assert_eq!(consumer["name"], "workers", "{consumer}");
    assert_eq!(consumer["num_pending"], 1, "{consumer}");
    assert_eq!(consumer["num_ack_pending"], 1, "{consumer}");
}
