//! A RabbitMQ server with its management plugin.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::bed::{self, Case};
use crate::certificates::Certificates;
use crate::ports;
use crate::process::Server;

/// A user who may do everything.
pub(crate) const USER: &str = "ebbtide";
/// The user's password, which has to be encoded in an address.
pub(crate) const PASSWORD: &str = "hunter2/@:";
const ENCODED_PASSWORD: &str = "hunter2%2F%40%3A";
/// Where Debian keeps the script that its own wrapper runs as another user.
const DEBIAN: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// How long what the server counts may take to be seen.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct RabbitMq {
    pub(crate) ports: Ports,
    pub(crate) certificates: Certificates,
    client: reqwest::Client,
    _server: Server,
    _epmd: Server,
}

/// Where it listens, and its own parts for one another.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) amqp: u16,
    pub(crate) amqps: u16,
    pub(crate) http: u16,
    pub(crate) https: u16,
    nodes: u16,
    epmd: u16,
}

impl RabbitMq {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let ports = Ports {
            amqp: ports::free(),
            amqps: ports::free(),
            http: ports::free(),
            https: ports::free(),
            nodes: ports::free(),
            epmd: ports::free(),
        };
        // Without one of its own it would start one that outlives it.
        let port = ports.epmd.to_string();
        let arguments = ["-address", "127.0.0.1", "-port", &port];
        let folder = tempfile::tempdir().unwrap();
        let mut epmd = Server::start(folder, Path::new("epmd"), &arguments);
        let listens = |_: &str| TcpStream::connect(("127.0.0.1", ports.epmd)).ok();
        epmd.printed(listens).await;
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(folder.path());
        configure(&folder, ports);
        let environment = environment(folder.path(), ports);
        let mut arguments: Vec<&str> = environment.iter().map(String::as_str).collect();
        let is_debian = Path::new(DEBIAN).exists();
        arguments.push(if is_debian { DEBIAN } else { "rabbitmq-server" });
        let mut server = Server::start(folder, Path::new("env"), &arguments);
        server.printed(|log| log.find("completed with")).await;
        Self {
            ports,
            certificates,
            client: bed::http(None),
            _server: server,
            _epmd: epmd,
        }
    }

    /// An address with the user and a password in it.
    pub(crate) fn address(scheme: &str, port: u16, path: &str) -> String {
        format!("{scheme}://{USER}:{ENCODED_PASSWORD}@127.0.0.1:{port}{path}")
    }

    /// A rule for a queue of the default virtual host, by `http`.
    pub(crate) fn by_http(&self, queue: &str) -> Case {
        let address = Self::address("http", self.ports.http, "");
        Case::of("rabbitmq")
            .with("queueName", queue)
            .secret("host", &address)
    }

    /// The same by `amqp`.
    pub(crate) fn by_amqp(&self, queue: &str) -> Case {
        let address = Self::address("amqp", self.ports.amqp, "");
        Case::of("rabbitmq")
            .with("queueName", queue)
            .secret("host", &address)
    }

    /// A request to the management plugin that has to succeed.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}/api/{path}", self.ports.http);
        let request = self.client.request(method, url).body(body.to_string());
        let answer = request.basic_auth(USER, Some(PASSWORD)).send().await;
        let answer = answer.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Makes a virtual host.
    pub(crate) async fn make_vhost(&self, vhost: &str) {
        self.ask(Method::PUT, &format!("vhosts/{vhost}"), &json!({}))
            .await;
    }

    /// Makes a user who may log in with a password and no more.
    pub(crate) async fn make_user(&self, name: &str, tags: &str) {
        let user = json!({"password": PASSWORD, "tags": tags});
        self.ask(Method::PUT, &format!("users/{name}"), &user).await;
    }

    /// Lets a user do everything in the default virtual host.
    pub(crate) async fn permit(&self, name: &str) {
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        let path = format!("permissions/%2F/{name}");
        self.ask(Method::PUT, &path, &all).await;
    }

    /// Makes a queue with so many messages, and waits until they are counted.
    pub(crate) async fn fill(&self, vhost: &str, queue: &str, number: usize) {
        let path = format!("queues/{vhost}/{queue}");
        self.ask(Method::PUT, &path, &json!({"durable": true}))
            .await;
        for _ in 0..number {
            self.publish(vhost, queue).await;
        }
        self.until_counted(vhost, queue, number).await;
    }

    pub(crate) async fn publish(&self, vhost: &str, queue: &str) {
        let message = json!({
            "properties": {}, "routing_key": queue, "payload": "m", "payload_encoding": "string",
        });
        let path = format!("exchanges/{vhost}/amq.default/publish");
        let answer = self.ask(Method::POST, &path, &message).await;
        assert_eq!(answer, json!({"routed": true}));
    }

    /// Waits until the management plugin knows of so many messages.
    pub(crate) async fn until_counted(&self, vhost: &str, queue: &str, number: usize) {
        let path = format!("queues/{vhost}/{queue}");
        eventually("the messages are counted", async || {
            let answer = self.ask(Method::GET, &path, &Value::Null).await;
            (answer["messages"] == number).then_some(())
        })
        .await;
    }

    /// A channel of a consumer.
    pub(crate) async fn channel(&self) -> (Connection, Channel) {
        let address = Self::address("amqp", self.ports.amqp, "");
        let connection = Connection::connect(&address, ConnectionProperties::default()).await;
        let connection = connection.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }
}

/// Takes a message, and acknowledges it or not.
pub(crate) async fn take(channel: &Channel, queue: &str, acknowledge: bool) {
    let got = channel.basic_get(queue.into(), BasicGetOptions::default());
    let message = got.await.expect("an answer").expect("a message");
    if acknowledge {
        let acknowledged = message.ack(BasicAckOptions::default()).await;
        acknowledged.expect("it is acknowledged");
    }
}

/// Waits until something is there.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(PAUSE).await;
        }
    };
    let found = timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("it never is so that {what}"))
}

fn configure(folder: &TempDir, ports: Ports) {
    let Ports {
        amqp,
        amqps,
        http,
        https,
        ..
    } = ports;
    let own = folder.path().display();
    // Queues are counted at the shortest of these intervals.
    let configuration = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         listeners.ssl.1 = 127.0.0.1:{amqps}\n\
         ssl_options.cacertfile = {own}/ca.pem\n\
         ssl_options.certfile = {own}/server.pem\n\
         ssl_options.keyfile = {own}/server.key\n\
         ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false\n\
         auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\n\
         ssl_cert_login_from = common_name\n\
         management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {http}\n\
         management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {https}\n\
         management.ssl.certfile = {own}/server.pem\n\
         management.ssl.keyfile = {own}/server.key\n\
         default_user = {USER}\ndefault_pass = {PASSWORD}\n\
         collect_statistics_interval = 1000\n\
         management.sample_retention_policies.global.minute = 1\n\
         management.sample_retention_policies.basic.minute = 1\n\
         management.sample_retention_policies.detailed.10 = 1\n\
         log.console = true\nlog.console.level = info\n"
    );
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("rabbitmq.conf", &configuration);
    let plugins = "[rabbitmq_management, rabbitmq_auth_mechanism_ssl].";
    write("enabled_plugins", plugins);
}

fn environment(folder: &Path, ports: Ports) -> Vec<String> {
    let own = |name: &str| folder.join(name).display().to_string();
    let erlang = "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none";
    [
        ("HOME", own("")),
        ("ERL_EPMD_PORT", ports.epmd.to_string()),
        ("RABBITMQ_NODENAME", "rabbit@localhost".to_owned()),
        ("RABBITMQ_DIST_PORT", ports.nodes.to_string()),
        ("RABBITMQ_CONFIG_FILE", own("rabbitmq.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", own("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", own("mnesia")),
        ("RABBITMQ_PID_FILE", own("pid")),
        ("RABBITMQ_LOG_BASE", own("log")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        // Those of the system are not there.
        ("RABBITMQ_CONF_ENV_FILE", own("no-environment")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", own("no-advanced")),
        // The script becomes the server instead of waiting for it.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erlang.to_owned()),
    ]
    .map(|(name, value)| format!("{name}={value}"))
    .to_vec()
}
