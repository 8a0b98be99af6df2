//! Apache Kafka: one broker that is its own controller.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::server::{End, Server};
use super::tool;
use crate::harness::{SOON, machine, program};
use crate::ports;

/// A user of the port that wants one.
pub(crate) const USER: &str = "ebbtide";
/// The user's password.
pub(crate) const PASSWORD: &str = "kafka-password";
/// The ways in which the user may log in.
pub(crate) const MECHANISMS: [&str; 2] = ["PLAIN", "SCRAM-SHA-256"];

/// A virtual machine that is small and starts quickly.
const JAVA: [&str; 5] = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/// A Kafka broker.
pub(crate) struct Kafka {
    /// The port for everyone.
    pub(crate) port: u16,
    /// The port for [`USER`], without TLS.
    pub(crate) sasl: u16,
    _server: Server,
    folder: TempDir,
}

impl Kafka {
    /// Starts one that makes no topics by their being used, or none where there is no Java to run it; `tests/run` says
    /// so.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("auto.create.topics.enable=false")
    }

    /// The same, but it makes topics that are asked for.
    pub(crate) fn start_making_topics() -> Option<Self> {
        Self::start_with("auto.create.topics.enable=true\nnum.partitions=2")
    }

    fn start_with(setting: &str) -> Option<Self> {
        if std::env::var_os("EBBTIDE_TESTS_WITHOUT_KAFKA").is_some() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (port, sasl) = (ports::free(), ports::free());
        let settings = folder.path().join("server.properties");
        let configuration = configuration(folder.path(), port, sasl) + setting + "\n";
        std::fs::write(&settings, configuration).expect("the folder is writable");
        let scram = format!("SCRAM-SHA-256=[name={USER},password={PASSWORD}]");
        let mut format = java("kafka.tools.StorageTool");
        format
            .args(["format", "--cluster-id", "ebbtide-tests-cluster1"])
            .args(["--add-scram", &scram, "--config"])
            .arg(&settings);
        tool::run(&mut format);
        let mut command = java("kafka.Kafka");
        command.arg(settings);
        let mut server = Server::start("kafka", folder.path(), End::Kill, &command);
        server.wait_until(|| answers(port).is_some() && answers(sasl).is_some());
        Some(Self {
            port,
            sasl,
            _server: server,
            folder,
        })
    }

    /// Makes a topic.
    pub(crate) fn make_topic(&self, topic: &str, partitions: usize) {
        let partitions = partitions.to_string();
        let mut command = self.tool("org.apache.kafka.tools.TopicCommand");
        command.args(["--create", "--topic", topic, "--partitions", &partitions]);
        tool::run(&mut command);
    }

    /// Puts records into a topic, each with a key of its own, so that all partitions get some.
    pub(crate) fn put(&self, topic: &str, number: usize) {
        self.produce(
            self.tool("org.apache.kafka.tools.ConsoleProducer"),
            topic,
            number,
        );
    }

    /// Puts records into a topic as [`USER`], who logs in by one of [`MECHANISMS`].
    pub(crate) fn put_as_user(&self, mechanism: &str, topic: &str, number: usize) {
        let module = match mechanism {
            "PLAIN" => "plain.PlainLoginModule",
            _ => "scram.ScramLoginModule",
        };
        let login = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\n\
             sasl.jaas.config=org.apache.kafka.common.security.{module} required \
             username=\"{USER}\" password=\"{PASSWORD}\";\n"
        );
        let file = self.folder.path().join("login.properties");
        std::fs::write(&file, login).expect("the folder is writable");
        let mut command = tool_for("org.apache.kafka.tools.ConsoleProducer", self.sasl);
        command.arg("--command-config").arg(file);
        self.produce(command, topic, number);
    }

    fn produce(&self, mut command: Command, topic: &str, number: usize) {
        let records = self.folder.path().join("records");
        let lines: Vec<String> = (0..number).map(|key| format!("{key}:record\n")).collect();
        std::fs::write(&records, lines.concat()).expect("the folder is writable");
        let records = std::fs::File::open(records).expect("it was just written");
        command.args(["--topic", topic]);
        for property in ["parse.key=true", "key.separator=:"] {
            command.args(["--reader-property", property]);
        }
        tool::run(command.stdin(records));
    }

    /// Reads records as a group, which says then that they are done with.
    pub(crate) fn take(&self, topic: &str, group: &str, number: usize) {
        let patience = SOON.as_millis().to_string();
        let mut command = self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer");
        command
            .args(["--topic", topic, "--group", group, "--from-beginning"])
            .args(["--max-messages", &number.to_string()])
            .args(["--timeout-ms", &patience]);
        let taken = tool::run(command.stdin(Stdio::null()));
        assert_eq!(taken.matches("record\n").count(), number, "{taken}");
    }

    /// The records of a topic, or of one partition of it: `TOPIC:PARTITION`.
    pub(crate) fn length(&self, topic: &str) -> u64 {
        self.offsets(topic).iter().sum()
    }

    /// How many partitions a topic has.
    pub(crate) fn partitions(&self, topic: &str) -> usize {
        self.offsets(topic).len()
    }

    fn offsets(&self, topic: &str) -> Vec<u64> {
        let mut command = self.tool("org.apache.kafka.tools.GetOffsetShell");
        let offsets = tool::run(command.args(["--topic-partitions", topic]));
        let of_partition = |line: &str| line.rsplit(':').next()?.parse::<u64>().ok();
        offsets.lines().filter_map(of_partition).collect()
    }

    /// How many records of a topic a group has not done with.
    pub(crate) fn lag(&self, topic: &str, group: &str) -> u64 {
        let mut command = self.tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand");
        let table = tool::run(command.args(["--describe", "--group", group]));
        let of_partition = |line: &str| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let lag = cells.get(5)?.parse::<u64>().ok()?;
            (cells[..2] == [group, topic]).then_some(lag)
        };
        table.lines().filter_map(of_partition).sum()
    }

    fn tool(&self, class: &str) -> Command {
        tool_for(class, self.port)
    }
}

fn configuration(folder: &Path, port: u16, sasl: u16) -> String {
    let controller = ports::free();
    let (data, mechanisms) = (folder.join("data"), MECHANISMS.join(","));
    let data = data.display();
    let security = "org.apache.kafka.common.security";
    format!(
        "process.roles=broker,controller\nnode.id=1\nlog.dirs={data}\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl},\
         CONTROLLER://127.0.0.1:{controller}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,\
         CONTROLLER:PLAINTEXT\n\
         sasl.enabled.mechanisms={mechanisms}\n\
         listener.name.sasl_plaintext.plain.sasl.jaas.config={security}.plain.PlainLoginModule \
         required user_{USER}=\"{PASSWORD}\";\n\
         listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config={security}.scram.\
         ScramLoginModule required;\n\
         offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         num.network.threads=1\nnum.io.threads=2\nlog.cleaner.enable=false\n"
    )
}

/// One of Kafka's programs.
fn java(class: &str) -> Command {
    with_class(Command::new("java"), class)
}

/// One of Kafka's tools, for the broker at a port.
fn tool_for(class: &str, port: u16) -> Command {
    // A tool whose broker is gone tries again for a minute; it ends with the test that waits for it.
    let mut killed_with_test = Command::new("setpriv");
    killed_with_test.args(["--pdeathsig", "KILL", "java"]);
    let mut command = with_class(killed_with_test, class);
    command.args(["--bootstrap-server", &format!("127.0.0.1:{port}")]);
    command
}

fn with_class(mut java: Command, class: &str) -> Command {
    let mut jars = OsString::from(program("KAFKA_LIBS", "../brokers/kafka/libs"));
    jars.push("/*");
    java.args(JAVA).arg("-cp").arg(jars).arg(class);
    java
}

/// Whether a broker answers when asked which versions of requests it knows.
fn answers(port: u16) -> Option<()> {
    // The length, the kind of request (18) and its version (0), a number to know the answer by, and
    // no client's name.
    const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(SOON)).ok()?;
    stream.write_all(&REQUEST).ok()?;
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).ok()?;
    // After its length come the number, and no error.
    (answer[4..] == [0, 0, 0, 7, 0, 0]).then_some(())
}

#[test]
fn kafka_keeps_records_and_knows_how_far_a_group_is() {
    let _machine = machine();
    let Some(kafka) = Kafka::start() else {
        return;
    };
    kafka.make_topic("orders", 3);
    kafka.put("orders", 3);
    assert_eq!(kafka.length("orders"), 3);
    kafka.take("orders", "workers", 2);
    assert_eq!(kafka.lag("orders", "workers"), 1);
    for mechanism in MECHANISMS {
        kafka.put_as_user(mechanism, "orders", 1);
    }
    assert_eq!(kafka.lag("orders", "workers"), 3);
}
