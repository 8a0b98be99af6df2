//! Servers of NATS, and who speaks to them.

use std::path::Path;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::ports;
use crate::process::Server;

/// The account that has the streams.
pub(super) const ACCOUNT: &str = "SHOP";
const LOGIN: &str = "user: ebbtide, password: hunter2";

/// A server of NATS.
pub(super) struct Nats {
    /// Where its monitoring endpoint is.
    pub(super) monitoring: String,
    clients: String,
    _server: Server,
}

/// A port that is free at all of these addresses.
fn free_on(hosts: [&str; 3]) -> u16 {
    let mut free = std::iter::repeat_with(ports::free);
    let everywhere = |port: &u16| {
        let mut hosts = hosts.iter();
        hosts.all(|host| std::net::TcpListener::bind((*host, *port)).is_ok())
    };
    free.find(everywhere).unwrap()
}

impl Nats {
    /// Starts one that stands alone.
    pub(super) async fn start() -> Self {
        let configuration = "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"";
        Self::with(tempfile::tempdir().unwrap(), configuration).await
    }

    /// Starts one whose folder may have something for its configuration.
    pub(super) async fn with(folder: tempfile::TempDir, configuration: &str) -> Self {
        Self::ready(folder, configuration, "Server is ready").await
    }

    async fn ready(folder: tempfile::TempDir, configuration: &str, ready: &str) -> Self {
        let all = format!(
            "{configuration}\njetstream: {{store_dir: \".\", max_mem: 16MB, max_file: 64MB}}\n\
             accounts: {{{ACCOUNT}: {{jetstream: enabled, users: [{{{LOGIN}}}]}}, \
             EMPTY: {{jetstream: enabled}}, \
             SYS: {{users: [{{user: system, password: hunter3}}]}}}}\nsystem_account: SYS\n"
        );
        std::fs::write(folder.path().join("nats.conf"), all).unwrap();
        let arguments = ["--config", "nats.conf"];
        let mut server = Server::start(folder, Path::new("nats-server"), &arguments);
        let (monitoring, clients) = server
            .printed(|log| {
                let after = |text| Some(log.split_once(text)?.1.lines().next()?.to_owned());
                let monitoring = after("Starting http monitor on ");
                let monitoring = monitoring.or_else(|| after("Starting https monitor on "));
                log.contains(ready).then_some(())?;
                Some((monitoring?, after("Listening for client connections on ")?))
            })
            .await;
        Self {
            monitoring,
            clients,
            _server: server,
        }
    }

    /// Starts three that are a cluster, at the same ports of three addresses.
    pub(super) async fn cluster() -> [Self; 3] {
        let hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
        let (monitoring, routes) = (free_on(hosts), free_on(hosts));
        let all = hosts
            .each_ref()
            .map(|host| format!("\"nats://{host}:{routes}\""));
        let start = async |number: usize| {
            let host = hosts[number];
            let configuration = format!(
                "server_name: n{number}\nlisten: \"{host}:-1\"\nhttp: \"{host}:{monitoring}\"\n\
                 cluster: {{name: c, listen: \"{host}:{routes}\", routes: [{}]}}",
                all.join(", ")
            );
            let folder = tempfile::tempdir().unwrap();
            // Streams can be made once they have agreed on who leads.
            Self::ready(folder, &configuration, " metadata leader").await
        };
        tokio::join!(start(0), start(1), start(2)).into()
    }

    /// Makes a stream that so many servers keep, and its consumer.
    pub(super) async fn make(&self, stream: &str, replicas: u8, filter: Option<&str>) {
        let mut client = self.client().await;
        let subjects = [stream, &format!("{stream}.*")];
        let what = json!({
            "name": stream, "subjects": subjects, "storage": "file", "num_replicas": replicas,
        });
        client.api(&format!("STREAM.CREATE.{stream}"), &what).await;
        let mut config = json!({"durable_name": "workers", "ack_policy": "explicit"});
        if let Some(filter) = filter {
            config["filter_subject"] = json!(filter);
        }
        let what = json!({"stream_name": stream, "config": config});
        client
            .api(&format!("CONSUMER.DURABLE.CREATE.{stream}.workers"), &what)
            .await;
    }

    pub(super) async fn put(&self, subject: &str, number: usize) {
        let mut client = self.client().await;
        for _ in 0..number {
            let stored = client.request(subject, "m").await.body;
            assert!(stored.contains("\"seq\""), "{stored}");
        }
    }

    /// Takes messages, and says that it is done with them if `acknowledge`.
    pub(super) async fn take(&self, stream: &str, number: usize, acknowledge: bool) {
        let mut client = self.client().await;
        for _ in 0..number {
            let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.workers");
            let taken = client.request(&next, "").await;
            assert_eq!(taken.body, "m");
            if acknowledge {
                client.request(&taken.answer_to, "+ACK").await;
            }
        }
    }

    async fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.clients).await.unwrap();
        let mut client = Client(BufReader::new(stream));
        let information = client.line().await;
        assert!(information.starts_with("INFO "), "{information}");
        let login = json!({"verbose": false, "user": "ebbtide", "pass": "hunter2"});
        client
            .send(&format!("CONNECT {login}\r\nSUB _INBOX.tests 1\r\n"))
            .await;
        client
    }
}

struct Client(BufReader<TcpStream>);

struct Message {
    answer_to: String,
    body: String,
}

impl Client {
    async fn api(&mut self, what: &str, request: &Value) {
        let subject = format!("$JS.API.{what}");
        let answer = self.request(&subject, &request.to_string()).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(answer["error"].is_null(), "{what}: {answer}");
    }

    async fn request(&mut self, subject: &str, body: &str) -> Message {
        let length = body.len();
        self.send(&format!(
            "PUB {subject} _INBOX.tests {length}\r\n{body}\r\n"
        ))
        .await;
        loop {
            let line = self.line().await;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["MSG", _, _, between @ .., length] => {
                    let mut body = vec![0; length.parse::<usize>().unwrap() + 2];
                    self.0.read_exact(&mut body).await.unwrap();
                    let body = String::from_utf8(body).unwrap().trim_end().to_owned();
                    let answer_to = between.concat();
                    return Message { answer_to, body };
                }
                ["PING"] => self.send("PONG\r\n").await,
                ["INFO", ..] => {}
                _ => panic!("{line}"),
            }
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line
    }

    async fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }
}
