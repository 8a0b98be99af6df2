//! RabbitMQ with its management plugin.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::{Answer, SOON, curl, eventually, machine};
use crate::keda::certificates;
use crate::ports;

/// A user who may do everything.
pub(crate) const USER: &str = "ebbtide";
/// The user's password.
pub(crate) const PASSWORD: &str = "rabbitmq-password";
/// The virtual host that every server has.
pub(crate) const DEFAULT_VHOST: &str = "/";
/// A second virtual host.
pub(crate) const SECOND_VHOST: &str = "second";

/// Where Debian keeps the script that its own wrapper runs as another user.
const DEBIAN_SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// A RabbitMQ server; queues are durable and classic.
pub(crate) struct RabbitMq {
    /// The port of AMQP 0-9-1.
    pub(crate) amqp: u16,
    /// The port of the same with TLS.
    pub(crate) amqps: u16,
    /// The port of the management API.
    pub(crate) management: u16,
    server: Server,
    _epmd: Server,
    folder: TempDir,
}

impl RabbitMq {
    /// Starts one, with both virtual hosts.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (amqp, amqps, management) = (ports::free(), ports::free(), ports::free());
        certificates(folder.path());
        write_configuration(folder.path(), (amqp, amqps), management);
        // Without one of its own it would start one that outlives it.
        let epmd_port = ports::free();
        let epmd = start_epmd(folder.path(), epmd_port);
        let command = command(folder.path(), epmd_port);
        let server = Server::start("rabbitmq", folder.path(), End::Kill, &command);
        let mut rabbitmq = Self {
            amqp,
            amqps,
            management,
            server,
            _epmd: epmd,
            folder,
        };
        let listens = rabbitmq.url(&format!("health/checks/port-listener/{amqp}"));
        rabbitmq
            .server
            .wait_until(|| call(&["--fail", &listens]).status == 200);
        rabbitmq.expect("PUT", &format!("vhosts/{SECOND_VHOST}"), &json!({}));
        rabbitmq
    }

    /// Its folder, with `ca.crt`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a queue if it is not there, and puts messages into it.
    pub(crate) fn put(&self, vhost: &str, queue: &str, number: usize) {
        self.expect("PUT", &queue_path(vhost, queue), &json!({"durable": true}));
        if number == 0 {
            return;
        }
        let message = json!({
            "properties": {}, "routing_key": queue, "payload": "m", "payload_encoding": "string",
        });
        // curl makes one request for each number of the range.
        let path = format!("exchanges/{}/amq.default/publish", encoded(vhost));
        let mut publish = Command::new("curl");
        publish
            .args(["--silent", "--show-error", "--fail", "--noproxy", "*"])
            .args(["--user", &format!("{USER}:{PASSWORD}")])
            .args(["--data-binary", &message.to_string()])
            .arg(format!("{}?of=[1-{number}]", self.url(&path)));
        let answers = tool::run(&mut publish);
        let routed = answers.matches("\"routed\":true").count();
        assert_eq!(routed, number, "{answers}");
    }

    /// Takes messages away, and says how many there were to take.
    pub(crate) fn take(&self, vhost: &str, queue: &str, number: usize) -> usize {
        let how = json!({"count": number, "ackmode": "ack_requeue_false", "encoding": "auto"});
        let taken = self.expect("POST", &format!("{}/get", queue_path(vhost, queue)), &how);
        taken.as_array().expect("a list of messages").len()
    }

    /// What the management API says of a queue; it counts each second.
    pub(crate) fn queue(&self, vhost: &str, queue: &str) -> Value {
        self.expect("GET", &queue_path(vhost, queue), &Value::Null)
    }

    /// The messages of a queue; none if they are not counted yet.
    pub(crate) fn length(&self, vhost: &str, queue: &str) -> Option<u64> {
        self.queue(vhost, queue)["messages"].as_u64()
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/api/{path}", self.management)
    }

    /// A request that must succeed, and its answer.
    fn expect(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = self.url(path);
        let body = body.to_string();
        let mut arguments = vec!["--request", method, &url];
        if method != "GET" {
            arguments.extend(["--data-binary", &body]);
        }
        let answer = call(&arguments);
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {}",
            answer.status,
            answer.body
        );
        serde_json::from_str(&answer.body).unwrap_or(Value::Null)
    }
}

/// curl as [`USER`].
fn call(arguments: &[&str]) -> Answer {
    curl(&[&["--user", &format!("{USER}:{PASSWORD}")][..], arguments].concat())
}

fn queue_path(vhost: &str, queue: &str) -> String {
    format!("queues/{}/{queue}", encoded(vhost))
}

fn encoded(vhost: &str) -> String {
    vhost.replace('/', "%2F")
}

fn write_configuration(folder: &Path, (amqp, amqps): (u16, u16), management: u16) {
    let path = folder.display();
    // Queues are counted at the shortest of these intervals, and that of the policies is five seconds
    // unless it is set.
    let configuration = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\nlisteners.ssl.1 = 127.0.0.1:{amqps}\n\
         ssl_options.certfile = {path}/tls.crt\nssl_options.keyfile = {path}/tls.key\n\
         management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n\
         default_user = {USER}\ndefault_pass = {PASSWORD}\n\
         collect_statistics_interval = 1000\n\
         management.sample_retention_policies.global.minute = 1\n\
         management.sample_retention_policies.basic.minute = 1\n\
         management.sample_retention_policies.detailed.10 = 1\n\
         log.console = true\nlog.console.level = warning\n"
    );
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("the folder is writable");
    };
    write("rabbitmq.conf", &configuration);
    write("enabled_plugins", "[rabbitmq_management].");
}

/// Starts the daemon that Erlang's nodes register with.
fn start_epmd(folder: &Path, port: u16) -> Server {
    let mut command = Command::new("epmd");
    command.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
    let mut epmd = Server::start("epmd", folder, End::Kill, &command);
    epmd.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    epmd
}

fn command(folder: &Path, epmd: u16) -> Command {
    let debian = Path::new(DEBIAN_SERVER);
    let program = if debian.exists() {
        debian
    } else {
        Path::new("rabbitmq-server")
    };
    let mut command = Command::new(program);
    command
        .env("HOME", folder)
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("RABBITMQ_NODENAME", "rabbit@localhost")
        .env("RABBITMQ_DIST_PORT", ports::free().to_string())
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
        .env("RABBITMQ_PID_FILE", folder.join("pid"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_LOGS", "-")
        // Those of the system are not there.
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("no-environment"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("no-advanced"))
        // The script becomes the server instead of waiting for it.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
        );
    command
}

#[test]
fn rabbitmq_keeps_messages_in_queues_of_two_virtual_hosts() {
    let _machine = machine();
    let rabbitmq = RabbitMq::start();
    for (vhost, number) in [(DEFAULT_VHOST, 3), (SECOND_VHOST, 5)] {
        rabbitmq.put(vhost, "orders", number);
        eventually(SOON, "the messages are counted", || {
            rabbitmq.length(vhost, "orders") == u64::try_from(number).ok()
        });
    }
    eventually(SOON, "messages are published at a rate", || {
        let queue = rabbitmq.queue(SECOND_VHOST, "orders");
        queue["message_stats"]["publish_details"]["rate"].is_number()
    });
    assert_eq!(rabbitmq.take(DEFAULT_VHOST, "orders", 2), 2);
    eventually(SOON, "one message is left", || {
        rabbitmq.length(DEFAULT_VHOST, "orders") == Some(1)
    });
    let greeting = TcpStream::connect(("127.0.0.1", rabbitmq.amqp));
    assert!(greeting.is_ok(), "{greeting:?}");
}
