//! A scenario as people write it.

mod azure;
mod kafka;
mod table;

use std::fmt;

use ebbtide_core::arrival::ScheduleSpec;
use ebbtide_core::duration::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::azure::{AzureQueueDocument, AzureServicebusDocument};
pub(crate) use self::kafka::{KafkaDocument, SaslDocument, SwitchDocument};
use super::headers::Headers;

pub(crate) use table::{TableDocument, TableTlsDocument};

/// A run: what is sent, when, and what it must have shown to be good.
///
/// One of `schedule`, `stages`, `burst` and `closed` says when requests start.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Document {
    /// What reports call it; the file's name if it is not given.
    pub(crate) name: Option<String>,
    /// What random choices are made from: the same seed gives the same requests at the same times everywhere.
    #[serde(default)]
    pub(crate) seed: u64,
    /// What is sent, and where; at least one.
    pub(crate) targets: Vec<TargetDocument>,
    /// When requests start.
    pub(crate) schedule: Option<ScheduleSpec>,
    /// Schedules one after the other, each reported on its own.
    pub(crate) stages: Option<Vec<StageDocument>>,
    /// Sends this many requests at once at the start, before the schedule or without one. They are not counted as
    /// late.
    pub(crate) burst: Option<u64>,
    /// Clients that each wait for an answer before their next request, in place of a schedule. The figures leave out
    /// what nobody asked for while an answer was late.
    pub(crate) closed: Option<ClosedDocument>,
    /// What must hold of the report, as in `p99 < 250ms`.
    #[serde(default)]
    pub(crate) thresholds: Vec<String>,
    /// The autoscaler to follow, so that the report shows what it did.
    pub(crate) observe: Option<ObserveDocument>,
    /// Files to write the report to, beside what is printed.
    #[serde(default)]
    pub(crate) outputs: OutputsDocument,
    /// When the figures do not count.
    #[serde(default)]
    pub(crate) validity: ValidityDocument,
    /// Threads that send; 1 if it is not given.
    pub(crate) workers: Option<usize>,
}

/// A schedule with a name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StageDocument {
    /// What reports and thresholds call it: `stages.NAME.p99 < 2s`.
    pub(crate) name: String,
    /// When its requests start, from its own start.
    pub(crate) schedule: ScheduleSpec,
}

/// A closed loop.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ClosedDocument {
    /// How many.
    pub(crate) clients: usize,
    /// How long requests start.
    pub(crate) duration: Span,
    /// The pause of a client between an answer and its next request.
    #[serde(default)]
    pub(crate) pause: Span,
}

/// A kind of request. Which one it is says the key that it has, `url` or `queue`, and the URL.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TargetDocument {
    /// What reports and thresholds call it: `targets.NAME.failed == 0`. May be left out if it is the only one.
    pub(crate) name: Option<String>,
    /// Its part of all requests, as a weight; 1 if it is not given.
    pub(crate) share: Option<f64>,
    /// How long a request may take from its intended start; 300 s if it is not given.
    pub(crate) timeout: Option<Span>,
    /// What a right answer has. Without a check of the status it is below 400.
    #[serde(default)]
    pub(crate) checks: Vec<CheckDocument>,
    /// `http://`, `https://`, `ws://` or `wss://`; `localhost` and the names below it are this machine. The path may have templates.
    pub(crate) url: Option<String>,
    /// A queue, into which messages with the `body` are put. A message is answered when a worker has completed it.
    pub(crate) queue: Option<QueueDocument>,
    /// The value of `Host`, if it is not the URL's.
    pub(crate) host: Option<String>,
    /// GET if it is not given.
    pub(crate) method: Option<String>,
    /// Headers; values may have templates.
    #[serde(default)]
    pub(crate) headers: Headers,
    /// The body; may have templates.
    pub(crate) body: Option<String>,
    /// A file with the body, which is sent as it is; its path is relative to the scenario.
    pub(crate) body_file: Option<String>,
    /// `http1` if it is not given.
    pub(crate) version: Option<VersionDocument>,
    /// How connections are used; a pool of up to 10,000 if it is not given.
    pub(crate) connections: Option<ConnectionsDocument>,
    /// How the server's certificate is checked.
    pub(crate) tls: Option<TlsDocument>,
    /// Counts answers by the value of this header.
    pub(crate) count_header: Option<String>,
    /// What messages over a WebSocket (`ws://`, `wss://`) are; the body is the message.
    pub(crate) web_socket: Option<WebSocketDocument>,
    /// The method that is called over gRPC; its metadata are the headers.
    pub(crate) grpc: Option<GrpcDocument>,
}

/// A call of gRPC. One of `message`, `messageFile` and `messageHex` is what is sent; the empty message, if there is
/// none of them. It is encoded once, and so has no templates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GrpcDocument {
    /// `package.Service/Method`.
    pub(crate) method: String,
    /// What describes the method: a `.proto` file, or an encoded `FileDescriptorSet`. Its path is relative to the
    /// scenario.
    pub(crate) proto: Option<String>,
    /// The folder that the imports of a `.proto` file are relative to; its own, if this is not given.
    pub(crate) proto_folder: Option<String>,
    /// The message, as protobuf's JSON; needs `proto`.
    pub(crate) message: Option<serde_json::Value>,
    /// A file with the message as JSON; its path is relative to the scenario.
    pub(crate) message_file: Option<String>,
    /// The message as it is encoded, in hexadecimal digits; spaces do not matter.
    pub(crate) message_hex: Option<String>,
    /// How many times the message is sent in a call whose client streams; 1, if it is not given.
    pub(crate) messages: Option<usize>,
    /// What kind of method it is, where no `proto` says so; `unary`, if it is not given.
    pub(crate) mode: Option<GrpcModeDocument>,
}

/// Who sends several messages in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum GrpcModeDocument {
    Unary,
    ServerStreaming,
    ClientStreaming,
    /// All messages are sent, whatever is answered meanwhile.
    Bidirectional,
}

/// Messages over a WebSocket. Each connection carries one and its answer at a time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebSocketDocument {
    /// Whether messages are sent as binary ones; text, if it is not given.
    #[serde(default)]
    pub(crate) binary: bool,
    /// What the message that answers a request has in it; it is the next one, if this is not given. May have
    /// `${sequence}`.
    pub(crate) answer_contains: Option<String>,
}

/// A queue: its broker, and what workers give the markers of completed messages back through.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum QueueDocument {
    /// A queue of Azure Storage.
    AzureQueue(AzureQueueDocument),
    /// A queue or topic of Azure Service Bus.
    AzureServicebus(AzureServicebusDocument),
    /// A list of Redis.
    Redis(RedisDocument),
    /// A stream of Redis.
    RedisStreams(RedisStreamsDocument),
    /// A stream of NATS, by a subject that it listens to.
    NatsJetstream(NatsDocument),
    /// A queue of RabbitMQ.
    Rabbitmq(RabbitmqDocument),
    /// A topic of Kafka.
    Kafka(Box<KafkaDocument>),
    /// A table of PostgreSQL.
    Postgresql(TableDocument),
    /// A table of MySQL or MariaDB.
    Mysql(TableDocument),
}

/// A list, to whose end messages are appended.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RedisDocument {
    /// `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` with TLS.
    pub(crate) url: SecretDocument,
    /// Its key.
    pub(crate) list: String,
    /// The key of the list to which workers append markers; `LIST-completed` if it is not given.
    pub(crate) completed: Option<String>,
}

/// A stream, to whose end messages are appended.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RedisStreamsDocument {
    /// `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` with TLS.
    pub(crate) url: SecretDocument,
    /// Its key.
    pub(crate) stream: String,
    /// The key of the list to which workers append markers; `STREAM-completed` if it is not given.
    pub(crate) completed: Option<String>,
}

/// A subject, to which a stream listens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NatsDocument {
    /// `nats://USER:PASSWORD@HOST:PORT`, or `tls://` with TLS.
    pub(crate) url: SecretDocument,
    /// Where messages are published.
    pub(crate) subject: String,
    /// The subject to which workers publish markers; `SUBJECT-completed` if it is not given.
    pub(crate) completed: Option<String>,
}

/// A queue, which is there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RabbitmqDocument {
    /// `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` with TLS; the virtual host `/` is `%2F`.
    pub(crate) url: SecretDocument,
    /// Its name.
    pub(crate) queue: String,
    /// The queue to which workers publish markers, which is made if it is not there; `QUEUE-completed` if it is not
    /// given.
    pub(crate) completed: Option<String>,
}

/// Text that may have a password in it. Spaces and line breaks around it do not count.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "write the text, {env: VARIABLE} or {file: PATH}"
)]
pub(crate) enum SecretDocument {
    /// The text itself.
    Text(String),
    From(SecretSource),
}

/// Where such text is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SecretSource {
    /// In a variable of the environment.
    Env(String),
    /// In a file; its path is relative to the scenario.
    File(String),
}

impl fmt::Debug for SecretDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("(secret)"),
            Self::From(source) => source.fmt(f),
        }
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum VersionDocument {
    /// HTTP/1.1, one request at a time on a connection.
    Http1,
    /// HTTP/2: by ALPN with TLS, with prior knowledge without.
    Http2,
}

/// How connections are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "write a number of connections, {pool: 100}, {perRequest: 100} or {fixed: 16}"
)]
pub(crate) enum ConnectionsDocument {
    /// The same as `pool`.
    Most(usize),
    Policy(ConnectionPolicy),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ConnectionPolicy {
    /// Kept open and used again; up to this many. With HTTP/2 there is one, of up to this many requests at a time.
    Pool(usize),
    /// A new one for each request, up to this many at once.
    PerRequest(usize),
    /// This many, opened before the first request.
    Fixed(usize),
}

/// How a server's certificate is checked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TlsDocument {
    /// A PEM file with authorities to trust beside the system's; its path is relative to the scenario.
    pub(crate) ca: Option<String>,
    /// Trusts any certificate.
    #[serde(default)]
    pub(crate) insecure: bool,
    /// The name that the certificate has, if it is not the URL's host.
    pub(crate) server_name: Option<String>,
}

/// What a right answer has: one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CheckDocument {
    /// Its status code: 200, 200-299, or a list of these.
    Status(StatusDocument),
    /// A header, or one with a value.
    Header(HeaderDocument),
    /// Text that is in the first 64 KiB of the body.
    BodyContains(String),
}

/// Status codes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "write a status code, a range such as 200-299, or a list of these"
)]
pub(crate) enum StatusDocument {
    Code(u16),
    Range(String),
    Several(Vec<StatusDocument>),
}

/// A header to look for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "write a header's name, or {name: value} with one header"
)]
pub(crate) enum HeaderDocument {
    Name(String),
    Value(Headers),
}

/// What to follow.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "write the URL of Ebbtide's status API, {ebbtide: URL, after: 60s}, or \
                 {kubernetes: {namespace: NAME, deployment: NAME}, after: 60s}"
)]
pub(crate) enum ObserveDocument {
    /// Ebbtide, by the URL of its status API: `http://127.0.0.1:8081`.
    Url(String),
    Other(ObservedDocument),
}

/// What to follow, and for how long: one of `ebbtide` and `kubernetes`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ObservedDocument {
    /// Ebbtide, by the URL of its status API.
    pub(crate) ebbtide: Option<String>,
    /// A Deployment, whoever scales it.
    pub(crate) kubernetes: Option<KubernetesDocument>,
    /// How long to go on looking after the last answer, or until no replica is left. 2 minutes if a threshold asks for
    /// `timeToZero`, else not at all, if it is not given.
    pub(crate) after: Option<Span>,
}

/// A Deployment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KubernetesDocument {
    pub(crate) namespace: String,
    pub(crate) deployment: String,
}

/// Files; their paths are relative to the folder in which loadgen was started.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OutputsDocument {
    /// A folder that gets all forms: report.json, report.html, seconds.csv and response.hgrm.
    pub(crate) folder: Option<String>,
    /// The report as JSON.
    pub(crate) json: Option<String>,
    /// A row for each second.
    pub(crate) csv: Option<String>,
    /// Response times for HdrHistogram's tools.
    pub(crate) hgrm: Option<String>,
    /// The report as a page.
    pub(crate) html: Option<String>,
}

/// When the figures do not count.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ValidityDocument {
    /// The most that requests may be late at the 99th percentile; 1 ms if it is not given.
    #[serde(rename = "latenessP99")]
    pub(crate) lateness_p99: Option<Span>,
}
