//! What a run is to do: made of a scenario file or of the command line, checked, before the first request.

mod kafka;
mod table;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use ebbtide_core::arrival::Schedule;
use http::{HeaderName, Method};

pub(crate) use self::kafka::{KafkaLogin, KafkaTls, KafkaTopic};
pub(crate) use table::{Table, TableTls};

/// A checked run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The scenario's name; the URL of a run without a file.
    pub(crate) name: String,
    /// What random choices are made from, of targets and of templates; schedules have theirs.
    pub(crate) seed: u64,
    /// When requests start.
    pub(crate) load: Load,
    /// When the last request may be due.
    pub(crate) until: Duration,
    /// The parts of the run that are reported on their own, in order.
    pub(crate) stages: Vec<Stage>,
    /// What is sent; at least one.
    pub(crate) targets: Vec<Target>,
    /// Threads that send, each with connections of its own and its share of the schedule. There are not more than any
    /// target has connections, and one if a target is a queue.
    pub(crate) workers: NonZeroUsize,
    /// When the figures do not count.
    pub(crate) validity: Validity,
}

/// What starts the next request.
#[derive(Debug)]
pub(crate) enum Load {
    /// A schedule, however slow the answers are.
    Open {
        /// Requests at once at the start, before the schedule.
        burst: u64,
        /// Offsets from the start of the run; none if there is only a burst.
        schedule: Option<Schedule>,
    },
    /// The answer to the one before: the figures leave out what nobody asked for meanwhile.
    Closed {
        /// Requests in flight at any time.
        clients: NonZeroUsize,
        /// How long requests are started for.
        duration: Duration,
        /// The pause of a client between an answer and its next request.
        pause: Duration,
    },
}

impl Load {
    /// When the first request is intended; none if there is none.
    pub(crate) fn first_request(&self) -> Option<Duration> {
        match self {
            Self::Open { burst, schedule } if *burst == 0 => schedule.clone()?.next(),
            Self::Open { .. } | Self::Closed { .. } => Some(Duration::ZERO),
        }
    }
}

/// A part of the run.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// As in the scenario.
    pub(crate) name: String,
    /// Requests intended from here on are its.
    pub(crate) from: Duration,
    /// Up to here.
    pub(crate) until: Duration,
}

/// When a run's figures do not count, because the generator itself was too slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    /// The most lateness at the 99th percentile.
    pub(crate) lateness_p99: Duration,
}

/// One kind of request, and where it goes.
#[derive(Debug)]
pub(crate) struct Target {
    /// As in the scenario; unique.
    pub(crate) name: String,
    /// Its part of all requests, as a weight above 0.
    pub(crate) share: f64,
    /// How it is sent.
    pub(crate) kind: TargetKind,
    /// The longest that a request may take, from its intended start.
    pub(crate) timeout: Duration,
    /// What a right answer has.
    pub(crate) checks: Vec<Check>,
}

/// How requests are sent.
#[derive(Debug)]
pub(crate) enum TargetKind {
    /// HTTP/1.1 or HTTP/2.
    Http(HttpTarget),
    /// Messages over a WebSocket.
    WebSocket(WebSocketTarget),
    /// Calls of gRPC.
    Grpc(GrpcTarget),
    /// Messages of a queue, which are answered when a worker has completed them.
    Queue(QueueTarget),
}

impl TargetKind {
    /// The server, and what it is asked over HTTP; none of a queue.
    pub(crate) fn http(&self) -> Option<&HttpTarget> {
        match self {
            Self::Http(http) => Some(http),
            Self::WebSocket(web_socket) => Some(&web_socket.http),
            Self::Grpc(grpc) => Some(&grpc.http),
            Self::Queue(_) => None,
        }
    }
}

/// A queue and what is put into it.
#[derive(Clone, Debug)]
pub(crate) struct QueueTarget {
    /// Where it is.
    pub(crate) broker: Broker,
    /// The list or queue of the same broker to which workers give markers back.
    pub(crate) completed: String,
    /// How the broker's certificate is checked, where there is TLS.
    pub(crate) tls: QueueTls,
    /// Of each message, beside its marker.
    pub(crate) body: Template,
}

/// A broker and a queue of it.
#[derive(Clone, Debug)]
pub(crate) enum Broker {
    /// A queue of Azure Storage.
    AzureQueue {
        /// The account's connection string.
        connection: Secret,
        queue: String,
    },
    /// A queue or topic of Azure Service Bus.
    AzureServicebus {
        /// The namespace's connection string.
        connection: Secret,
        /// The queue's or topic's name.
        entity: String,
    },
    /// A list of Redis.
    Redis {
        /// `redis://…`
        url: Secret,
        list: String,
    },
    /// A stream of Redis.
    RedisStreams {
        /// `redis://…`
        url: Secret,
        stream: String,
    },
    /// A stream of NATS.
    NatsJetstream {
        /// `nats://…`
        url: Secret,
        /// A subject that the stream listens to.
        subject: String,
    },
    /// A queue of `RabbitMQ`.
    Rabbitmq {
        /// `amqp://…`
        url: Secret,
        queue: String,
    },
    /// A topic of Kafka.
    Kafka(Box<KafkaTopic>),
    /// A table of `PostgreSQL`.
    Postgresql(Table),
    /// A table of `MySQL` or `MariaDB`.
    Mysql(Table),
}

impl Broker {
    /// Where it is.
    pub(crate) fn url(&self) -> &Secret {
        match self {
            Self::AzureQueue { connection, .. } | Self::AzureServicebus { connection, .. } => {
                connection
            }
            Self::Redis { url, .. }
            | Self::RedisStreams { url, .. }
            | Self::NatsJetstream { url, .. }
            | Self::Rabbitmq { url, .. } => url,
            Self::Kafka(of) => &of.servers,
            Self::Postgresql(table) | Self::Mysql(table) => &table.connection,
        }
    }

    /// What it is called, and its queue.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::AzureQueue { queue, .. } => format!("Azure Storage queue {queue}"),
            Self::AzureServicebus { entity, .. } => format!("Service Bus queue or topic {entity}"),
            Self::Redis { list, .. } => format!("Redis list {list}"),
            Self::RedisStreams { stream, .. } => format!("Redis stream {stream}"),
            Self::NatsJetstream { subject, .. } => format!("NATS subject {subject}"),
            Self::Rabbitmq { queue, .. } => format!("RabbitMQ queue {queue}"),
            Self::Kafka(of) => format!("Kafka topic {}", of.topic),
            Self::Postgresql(table) => format!("PostgreSQL table {}", table.name),
            Self::Mysql(table) => format!("MySQL table {}", table.name),
        }
    }
}

/// Text that is not printed, since there may be a password in it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Of this text.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for whoever needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A server that answers messages over a WebSocket. Each connection carries one message and its answer at a time.
#[derive(Clone, Debug)]
pub(crate) struct WebSocketTarget {
    /// The handshake; its body is the message.
    pub(crate) http: HttpTarget,
    /// Whether messages are binary. Others are text, and valid UTF-8.
    pub(crate) binary: bool,
    /// What the message that answers has in it; none if it is the next one.
    pub(crate) answer: Option<Template>,
}

/// An HTTP server and what it is asked.
#[derive(Clone, Debug)]
pub(crate) struct HttpTarget {
    /// As it was written, for reports.
    pub(crate) url: String,
    /// Where to connect.
    pub(crate) address: SocketAddr,
    /// TLS, where the URL is `https://` or `wss://`.
    pub(crate) tls: Option<Tls>,
    /// The value of `Host` or `:authority`.
    pub(crate) authority: String,
    /// The version.
    pub(crate) version: Version,
    /// How connections are used.
    pub(crate) connections: Connections,
    /// The method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: Template,
    /// Headers beside `Host` and `Content-Length`, in this order.
    pub(crate) headers: Vec<(HeaderName, Template)>,
    /// The body; empty for none.
    pub(crate) body: Template,
    /// The header of answers whose values are counted.
    pub(crate) count_header: Option<HeaderName>,
}

/// A method that is called over gRPC.
#[derive(Clone, Debug)]
pub(crate) struct GrpcTarget {
    /// A POST over HTTP/2, whose path names the method. Its body are the messages, each behind its length.
    pub(crate) http: HttpTarget,
    /// How many messages a right answer has.
    pub(crate) answers: Answers,
}

/// How many messages a right answer of gRPC has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    One,
    Any,
}

/// How a server's certificate is checked.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    /// The name in the certificate, and SNI.
    pub(crate) server_name: String,
    /// Authorities to trust beside the system's, as PEM.
    pub(crate) authorities: Option<PathBuf>,
    /// Trust anything.
    pub(crate) insecure: bool,
}

/// How a broker's certificate is checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueTls {
    /// The name in the certificate, and SNI, if it is not the host of the address.
    pub(crate) server_name: Option<String>,
    /// Authorities to trust beside the system's, as PEM.
    pub(crate) authorities: Option<PathBuf>,
    /// Trust anything.
    pub(crate) insecure: bool,
}

impl QueueTls {
    /// The same for a host.
    pub(crate) fn of(&self, host: &str) -> Tls {
        Tls {
            server_name: self.server_name.clone().unwrap_or_else(|| host.to_owned()),
            authorities: self.authorities.clone(),
            insecure: self.insecure,
        }
    }
}

/// The version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, by ALPN with TLS and by prior knowledge without.
    Http2,
}

/// How connections are used. With HTTP/1.1 each carries one request at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connections {
    /// Kept open and used again; another is opened when all are in use, up to this many. What comes
    /// then waits, and that is part of its response time.
    Pool(NonZeroUsize),
    /// A new one for each request, up to this many at once.
    PerRequest(NonZeroUsize),
    /// This many, opened before the first request and kept.
    Fixed(NonZeroUsize),
}

impl Connections {
    /// How many there are at once, in all workers.
    pub(crate) fn most(self) -> NonZeroUsize {
        let (Self::Pool(most) | Self::PerRequest(most) | Self::Fixed(most)) = self;
        most
    }
}

/// Text with places that differ from request to request.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// The same in all requests.
    Fixed(Bytes),
    /// Pieces one after the other.
    Pieces(Vec<Piece>),
}

/// A piece of a template. Random values are made from the run's seed and the request's position, so that a seed
/// gives the same requests everywhere.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// As it is.
    Text(Bytes),
    /// The request's position in the run, from 0.
    Sequence,
    /// A whole number between the two, both included.
    Number(i64, i64),
    /// A UUID of version 4.
    Uuid,
    /// So many letters and digits.
    Letters(usize),
    /// One of these.
    OneOf(Vec<Bytes>),
}

/// What a right answer has. One that has it not counts as failed.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// One of these ranges of status codes, ends included. Without such a check it is anything below 400.
    Status(Vec<(u16, u16)>),
    /// A header, and its value where one is given.
    Header(HeaderName, Option<String>),
    /// Text somewhere in the first 64 KiB of the body.
    BodyContains(String),
}
