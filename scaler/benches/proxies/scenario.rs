//! What the proxies are put through.

use crate::connections::idle;
use crate::load::{Found, Wrk, http2, open_loop};
use crate::peer::{Kind, Peer};
use crate::servers::LARGE;
use crate::table::Row;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Small,
    Half,
    Down,
    Up,
    Http2,
    Idle,
    Apps,
}

impl Scenario {
    pub(crate) const ALL: [Self; 7] = [
        Self::Small,
        Self::Half,
        Self::Down,
        Self::Up,
        Self::Http2,
        Self::Idle,
        Self::Apps,
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
            Self::Idle => "Idle connections",
            Self::Apps => "Apps in the table",
        }
    }

    pub(crate) fn explained(self) -> &'static str {
        match self {
            Self::Small => {
                "64 connections that are kept, 200 bytes an answer, as many as there can be."
            }
            Self::Half => {
                "Half of what the slowest of them does with small bodies, as Poisson arrivals that wait for no \
                 answer. Envoy could not do as much."
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
            Self::Idle => {
                "Memory, and what each of 1,000 and 10,000 connections takes that had one request and wait."
            }
            Self::Apps => "Small bodies, of each app in turn, with 1, 100 and 10,000 apps.",
        }
    }

    /// Whether a proxy is compared in this.
    pub(crate) fn suits(self, kind: Kind) -> bool {
        match self {
            Self::Apps => matches!(kind, Kind::Ebbtide | Kind::Other),
            Self::Half => kind != Kind::Envoy,
            _ => true,
        }
    }

    /// The numbers of apps that there are, each in a process of its own.
    pub(crate) fn apps(self) -> &'static [usize] {
        match self {
            Self::Apps => &[1, 100, 10_000],
            _ => &[1],
        }
    }

    /// The requests a second that each is to get, where that is given.
    pub(crate) fn rate(self, peers: &[Peer], seconds: u64) -> f64 {
        if self != Self::Half {
            return f64::NAN;
        }
        let all = peers.iter().map(|peer| {
            let found = small(peer, seconds).run();
            found.requests / found.seconds
        });
        all.fold(f64::INFINITY, f64::min) / 2.0
    }

    /// Measures it once.
    pub(crate) fn run(self, peer: &Peer, seconds: u64, rate: f64) -> Row {
        let small = small(peer, seconds);
        match self {
            Self::Small | Self::Apps => loaded(peer, || small.run()),
            Self::Half => half(peer, rate, seconds),
            Self::Down => loaded(peer, || {
                Wrk {
                    path: "/large",
                    connections: 16,
                    ..small
                }
                .run()
            }),
            Self::Up => loaded(peer, || {
                Wrk {
                    method: "POST",
                    length: LARGE,
                    connections: 16,
                    ..small
                }
                .run()
            }),
            Self::Http2 => loaded(peer, || http2(peer.http2, seconds)),
            Self::Idle => waiting(peer),
        }
    }
}

/// As many requests with small answers as there can be.
fn small(peer: &Peer, seconds: u64) -> Wrk<'static> {
    Wrk {
        port: peer.port,
        path: "/",
        method: "GET",
        length: 0,
        connections: 64,
        apps: peer.apps,
        seconds,
    }
}

/// What a load finds, and what it costs the proxy.
fn loaded(peer: &Peer, load: impl FnOnce() -> Found) -> Row {
    let before = peer.process.cpu();
    let found = load();
    let used = peer.process.cpu() - before;
    vec![
        ("requests/s", found.requests / found.seconds),
        ("CPU µs/request", used * 1e6 / found.requests),
        ("core busy %", used * 100.0 / found.seconds),
        ("p50 µs", found.p50),
        ("p99 µs", found.p99),
        ("p99.9 µs", found.p999),
        ("memory MiB", peer.process.memory()),
    ]
}

fn half(peer: &Peer, rate: f64, seconds: u64) -> Row {
    let before = peer.process.cpu();
    let Some(found) = open_loop(peer.port, rate, seconds) else {
        return Row::new();
    };
    let used = peer.process.cpu() - before;
    vec![
        ("requests/s", found.requests / found.seconds),
        ("CPU µs/request", used * 1e6 / found.requests),
        ("p50 µs", found.p50),
        ("p99 µs", found.p99),
        ("p99.9 µs", found.p999),
    ]
}

fn waiting(peer: &Peer) -> Row {
    const KIB: f64 = 1024.0;
    let at_start = peer.process.memory();
    let mut open = idle(peer.port, "app0.localhost", 1_000);
    let with_some = peer.process.memory();
    open.extend(idle(peer.port, "app0.localhost", 9_000));
    let with_all = peer.process.memory();
    vec![
        ("MiB at start", at_start),
        ("MiB with 1,000", with_some),
        ("MiB with 10,000", with_all),
        ("KiB a connection", (with_all - at_start) * KIB / 10_000.0),
    ]
}
