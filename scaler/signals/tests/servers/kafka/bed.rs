//! A broker of Kafka, and its tools.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::process::Command;

use crate::bed::Case;
use crate::ports::free;
use crate::process::{self, Server};

/// The address of the broker.
pub(super) const HOST: &str = "127.0.0.1";
/// The consumer group of all rules and consumers.
pub(super) const GROUP: &str = "workers";
/// Who may log in.
pub(super) const USER: &str = "ebbtide";
/// The password.
pub(super) const PASSWORD: &str = "a-password-that-no-message-shows";

/// A virtual machine that is small and starts quickly.
const JAVA: [&str; 5] = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
];

/// A rule of a group and a topic, at one of a broker's ports.
pub(super) fn of(port: u16, topic: &str) -> Case {
    Case::of("kafka")
        .with("bootstrapServers", &format!("{HOST}:{port}"))
        .with("consumerGroup", GROUP)
        .with("topic", topic)
}

/// A broker; topics are not made by using them.
pub(super) struct Kafka {
    /// The port for everyone.
    pub(super) plain: u16,
    /// The port for [`USER`], without TLS.
    pub(super) login: u16,
    /// The port for everyone, by TLS.
    pub(super) tls: u16,
    /// The root of its certificate.
    pub(super) authority: String,
    _server: Server,
}

impl Kafka {
    /// Starts one, or none where there is no Java to run it; `tests/run` says so.
    pub(super) async fn start() -> Option<Self> {
        if std::env::var_os("EBBTIDE_TESTS_WITHOUT_KAFKA").is_some() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let [plain, login, tls, controller] = [(); 4].map(|()| free());
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let settings = configuration(folder.path(), [plain, login, tls, controller])
            + &tls_settings(&cert.pem(), &signing_key.serialize_pem());
        std::fs::write(folder.path().join("server.properties"), settings).unwrap();
        let properties = folder.path().join("server.properties");
        let scram = |hash| format!("SCRAM-SHA-{hash}=[name={USER},password={PASSWORD}]");
        let mut format = tool("kafka.tools.StorageTool");
        format
            .args(["format", "--cluster-id", "ebbtide-tests-cluster1"])
            .args(["--add-scram", &scram("256"), "--add-scram", &scram("512")])
            .arg("--config")
            .arg(&properties);
        run(format).await;
        let arguments = java("kafka.Kafka");
        let mut arguments: Vec<&str> = arguments.iter().map(|one| one.to_str().unwrap()).collect();
        arguments.push("server.properties");
        let mut server = Server::start(folder, Path::new("java"), &arguments);
        server
            .printed(|log| log.contains("Kafka Server started").then_some(()))
            .await;
        Some(Self {
            plain,
            login,
            tls,
            authority: cert.pem(),
            _server: server,
        })
    }

    /// A rule of a user who logs in so.
    pub(super) fn user(&self, sasl: &str, password: &str) -> Case {
        let case = of(self.login, "orders").with("sasl", sasl);
        case.secret("username", USER).secret("password", password)
    }

    pub(super) async fn make_topic(&self, topic: &str, partitions: &str) {
        let mut command = self.tool("org.apache.kafka.tools.TopicCommand");
        command.args(["--create", "--topic", topic, "--partitions", partitions]);
        run(command).await;
    }

    /// Puts records, each with a key of its own, so that of many all partitions get some.
    pub(super) async fn put(&self, topic: &str, number: usize) {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records");
        let lines: Vec<String> = (0..number).map(|key| format!("{key}:record\n")).collect();
        std::fs::write(&records, lines.concat()).unwrap();
        let mut command = self.tool("org.apache.kafka.tools.ConsoleProducer");
        command.args(["--topic", topic]);
        for property in ["parse.key=true", "key.separator=:"] {
            command.args(["--reader-property", property]);
        }
        command.stdin(std::fs::File::open(records).unwrap());
        run(command).await;
    }

    /// Reads records as the group, which says then that it is done with them.
    pub(super) async fn take(&self, topic: &str, number: usize) {
        let mut command = self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer");
        command
            .args(["--topic", topic, "--group", GROUP])
            .args(["--max-messages", &number.to_string()])
            .args(["--from-beginning", "--timeout-ms", "60000"]);
        let taken = run(command).await;
        assert_eq!(taken.matches("record\n").count(), number, "{taken}");
    }

    fn tool(&self, class: &str) -> Command {
        let mut command = tool(class);
        let port = self.plain;
        command.args(["--bootstrap-server", &format!("{HOST}:{port}")]);
        command
    }
}

fn configuration(folder: &Path, ports: [u16; 4]) -> String {
    let [plain, login, tls, controller] = ports;
    let (data, security) = (folder.join("data"), "org.apache.kafka.common.security");
    let data = data.display();
    format!(
        "process.roles=broker,controller\nnode.id=1\nlog.dirs={data}\n\
         controller.quorum.voters=1@{HOST}:{controller}\ncontroller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://{HOST}:{plain},SASL_PLAINTEXT://{HOST}:{login},SSL://{HOST}:{tls},\
         CONTROLLER://{HOST}:{controller}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,\
         CONTROLLER:PLAINTEXT\n\
         sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n\
         listener.name.sasl_plaintext.plain.sasl.jaas.config={security}.plain.PlainLoginModule \
         required user_{USER}=\"{PASSWORD}\";\n\
         listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config={security}.scram.\
         ScramLoginModule required;\n\
         listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={security}.scram.\
         ScramLoginModule required;\n\
         auto.create.topics.enable=true\noffsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=1\ngroup.initial.rebalance.delay.ms=0\n\
         num.network.threads=1\nnum.io.threads=2\nlog.cleaner.enable=false\n"
    )
}

fn tls_settings(certificate: &str, key: &str) -> String {
    let (certificate, key) = (certificate.trim(), key.trim());
    let line = |pem: &str| pem.replace("\r\n", "\n").replace('\n', "\\n");
    format!(
        "ssl.keystore.type=PEM\nssl.keystore.certificate.chain={}\nssl.keystore.key={}\n",
        line(certificate),
        line(key)
    )
}

fn java(class: &str) -> Vec<OsString> {
    let mut jars = process::file("KAFKA_LIBS", "brokers/kafka/libs").into_os_string();
    jars.push("/*");
    let options = JAVA.iter().map(OsString::from);
    options.chain(["-cp".into(), jars, class.into()]).collect()
}

fn tool(class: &str) -> Command {
    // A tool whose broker is gone tries again for a minute; it ends with the test that waits for it.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "java"])
        .args(java(class));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a tool prints.
async fn run(mut tool: Command) -> String {
    let output = tool.output().await.expect("setpriv and java start");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool:?}: {printed}{errors}");
    printed
}
