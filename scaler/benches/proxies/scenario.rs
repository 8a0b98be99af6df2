//! What the proxies are put through.

use crate::cold::STARTS;
use crate::peer::Kind;
use crate::shape::Shape;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Small,
    Half,
    Down,
    Up,
    Http2,
    Tls,
    Handshake,
    Websocket,
    Idle,
    Apps,
    Cold,
    Workers,
}

impl Scenario {
    pub(crate) const ALL: [Self; 12] = [
        Self::Small,
        Self::Half,
        Self::Down,
        Self::Up,
        Self::Http2,
        Self::Tls,
        Self::Handshake,
        Self::Websocket,
        Self::Idle,
        Self::Apps,
        Self::Cold,
        Self::Workers,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| format!("{one:?}").eq_ignore_ascii_case(name))
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Small => "Small bodies over HTTP/1.1",
            Self::Half => "Half of the load",
            Self::Down => "Bodies of 100 KB to the client",
            Self::Up => "Bodies of 100 KB from the client",
            Self::Http2 => "HTTP/2, 100 streams",
            Self::Tls => "Small bodies over TLS",
            Self::Handshake => "TLS handshakes",
            Self::Websocket => "WebSocket",
            Self::Idle => "Idle connections",
            Self::Apps => "Apps in the table",
            Self::Cold => "Cold starts",
            Self::Workers => "Connections of each worker",
        }
    }

    pub(crate) fn explained(self) -> &'static str {
        match self {
            Self::Small => {
                "64 connections that are kept, 200 bytes an answer, as many as there can be."
            }
            Self::Half => {
                "Half of what the slowest of them does with small bodies, as Poisson arrivals that wait for no \
                 answer, or as much of it as loadgen can send on time beside the servers. Envoy could not do as \
                 much."
            }
            Self::Down => {
                "16 connections that are kept, as many answers of 100 KB as there can be."
            }
            Self::Up => {
                "16 connections that are kept, as many requests with 100 KB as there can be."
            }
            Self::Http2 => {
                "4 connections without TLS with 100 requests at a time each; HTTP/1.1 to the servers."
            }
            Self::Tls => "The same as small bodies over HTTP/1.1, by TLS 1.3 with a key on P-256.",
            Self::Handshake => {
                "A new connection by TLS 1.3 for each small answer, none of which resumes another, 16 at a time; \
                 times are from connecting to the answer's end. The client needs more than the proxy."
            }
            Self::Websocket => {
                "64 connections, on each of which a message of 125 bytes is sent once the one before has come back; \
                 a request is a message."
            }
            Self::Idle => {
                "Memory, and what each of 1,000 and 10,000 connections takes that had one request and have \
                 waited for three seconds, and what each of 10,000 does that has had ten more in a row, and has \
                 waited again."
            }
            Self::Apps => {
                "Small bodies of one app, of 1, 100 and 10,000 that there are. Then each app in turn is asked what it \
                 allows other sites, which is answered at the door: with replicas, each of which has connections of its \
                 own, the cost of these would be measured. CPU is the worker's, told as a multiple of that with 1 app, \
                 too; beside it is what the rest of the process takes of a core meanwhile."
            }
            Self::Cold => {
                "Milliseconds that a request waits for an app at zero beyond the app's own start, which is from its \
                 program's beginning until it listens: until it begins, and from its listening to the answer. Alone is \
                 the first of the two where the client itself starts the program."
            }
            Self::Workers => {
                "How many of 8, 16 and 64 new connections the busiest worker has, as a multiple of an even share, and \
                 how many of a hundred workers have none; the mean of 20 times."
            }
        }
    }

    /// Whether a proxy is compared in this.
    pub(crate) fn suits(self, kind: Kind) -> bool {
        match self {
            Self::Apps | Self::Cold | Self::Workers => kind.is_ebbtide(),
            Self::Half => kind != Kind::Envoy,
            _ => true,
        }
    }

    /// What each of them is started for, in a process of its own.
    pub(crate) fn shapes(self) -> &'static [Shape] {
        match self {
            Self::Apps => &[Shape::Table(1), Shape::Table(100), Shape::Table(10_000)],
            Self::Websocket => &[Shape::Echo],
            Self::Cold => &[Shape::FromZero(STARTS + 1)],
            Self::Workers => &[Shape::Workers(2), Shape::Workers(4)],
            _ => &[Shape::App],
        }
    }

    /// Whether each round needs proxies that have done nothing yet.
    pub(crate) fn is_from_start(self) -> bool {
        matches!(self, Self::Idle | Self::Cold)
    }
}
