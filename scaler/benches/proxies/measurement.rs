//! How a scenario is measured.

use std::thread::sleep;
use std::time::Duration;

use crate::certificate::HOST;
use crate::connections::{ask, idle};
use crate::found::Found;
use crate::load::{Wrk, http2, loadgen, open_loop, ours};
use crate::peer::Peer;
use crate::process::Thread;
use crate::roles::Role;
use crate::scenario::Scenario;
use crate::servers::{LARGE, Servers};
use crate::table::Row;
use crate::workers::{self, WORKERS};

impl Scenario {
    /// The requests a second that each is to get, where that is given.
    pub(crate) fn rate(self, peers: &[Peer], seconds: u64) -> f64 {
        if self != Self::Half {
            return f64::NAN;
        }
        let all = peers.iter().map(|peer| {
            let found = small(peer, seconds).run();
            found.requests / found.seconds
        });
        let half = all.fold(f64::INFINITY, f64::min) / 2.0;
        peers
            .first()
            .map_or(half, |peer| on_time(peer, half, seconds))
    }

    /// Measures it once.
    pub(crate) fn run(self, peer: &Peer, servers: &Servers, seconds: u64, rate: f64) -> Row {
        let small = small(peer, seconds);
        match self {
            Self::Small => loaded(peer, || small.run()),
            Self::Apps => routed(peer, &small),
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
            Self::Http2 => loaded(peer, || http2(peer.ports.http2, seconds)),
            Self::Tls => loaded(peer, || {
                Wrk {
                    scheme: "https",
                    port: peer.ports.tls,
                    ..small
                }
                .run()
            }),
            Self::Handshake => loaded(peer, || {
                let certificate = servers.certificate.certificate();
                let seconds = seconds.to_string();
                let arguments = [seconds.as_ref(), certificate.as_os_str()];
                Found::read(&ours(Role::Handshake, peer.ports.tls, &arguments))
            }),
            Self::Websocket => loaded(peer, || {
                let seconds = seconds.to_string();
                let arguments = [seconds.as_ref()];
                Found::read(&ours(Role::Websocket, peer.ports.http1, &arguments))
            }),
            Self::Idle => waiting(peer),
            Self::Cold => cold(peer),
            Self::Workers => workers::spread(peer),
        }
    }

    /// Adds to the rows of a round what more apps cost, where that is what is asked.
    pub(crate) fn compare(self, peers: &[Peer], rows: &mut [Row]) {
        if self != Self::Apps {
            return;
        }
        let base = |one: &Peer| peers.iter().position(|peer| peer.kind == one.kind);
        let bases: Vec<_> = peers.iter().filter_map(base).collect();
        let before = rows.to_vec();
        for (row, base) in rows.iter_mut().zip(bases) {
            for (cpu, ratio) in [(CPU, "CPU × 1 app"), (AT_THE_DOOR, "at the door × 1 app")] {
                let of = |row: &Row| {
                    row.iter()
                        .find(|(name, _)| *name == cpu)
                        .map(|(_, cpu)| *cpu)
                };
                if let (Some(cpu), Some(with_one)) = (of(row), of(&before[base])) {
                    row.push((ratio, cpu / with_one));
                }
            }
        }
    }
}

const CPU: &str = "CPU µs/request";
const AT_THE_DOOR: &str = "at the door µs";

/// As many requests with small answers as there can be.
fn small(peer: &Peer, seconds: u64) -> Wrk<'static> {
    Wrk {
        scheme: "http",
        port: peer.ports.http1,
        path: "/",
        method: "GET",
        length: 0,
        connections: 64,
        apps: 1,
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
        (CPU, used * 1e6 / found.requests),
        ("core busy %", used * 100.0 / found.seconds),
        ("p50 µs", found.p50),
        ("p99 µs", found.p99),
        ("p99.9 µs", found.p999),
        ("memory MiB", peer.process.memory()),
    ]
}

/// What a request costs the workers among other apps, and what those cost that no replica answers. What the rest
/// of the process does for so many apps is told apart.
fn routed(peer: &Peer, small: &Wrk<'_>) -> Row {
    let workers = peer.process.threads(WORKERS);
    let cpu = || workers.iter().map(Thread::cpu).sum::<f64>();
    let (all, before) = (peer.process.cpu(), cpu());
    let found = small.run();
    let (all, used) = (peer.process.cpu() - all, cpu() - before);
    // The system counts a process by hundredths of a second, a thread by nanoseconds.
    let beside = all - used;
    let at_the_door = Wrk {
        method: "OPTIONS",
        apps: peer.shape.apps(),
        ..*small
    };
    let before = cpu();
    let answered = at_the_door.run();
    let used_at_the_door = cpu() - before;
    vec![
        ("requests/s", found.requests / found.seconds),
        (CPU, used * 1e6 / found.requests),
        (AT_THE_DOOR, used_at_the_door * 1e6 / answered.requests),
        (
            "beside it, core busy %",
            beside.max(0.0) * 100.0 / found.seconds,
        ),
        ("memory MiB", peer.process.memory()),
    ]
}

/// The rate, or as much of it as the load generator sends on time beside the servers.
fn on_time(peer: &Peer, rate: f64, seconds: u64) -> f64 {
    let lower = std::iter::successors(Some(rate), |rate| Some(rate * 0.8));
    let mut rates = lower.take_while(|rate| *rate > LEAST_RATE);
    let port = peer.ports.http1;
    // Once may be luck.
    let is_on_time = |rate: &f64| (0..2).all(|_| open_loop(port, *rate, seconds).is_some());
    let found = rates.find(|rate| loadgen().is_none() || is_on_time(rate));
    found.unwrap_or(rate)
}

/// Requests a second of which a late load generator is of no use.
const LEAST_RATE: f64 = 1_000.0;

fn half(peer: &Peer, rate: f64, seconds: u64) -> Row {
    let before = peer.process.cpu();
    let Some(found) = open_loop(peer.ports.http1, rate, seconds) else {
        return Row::new();
    };
    let used = peer.process.cpu() - before;
    vec![
        ("requests/s", found.requests / found.seconds),
        (CPU, used * 1e6 / found.requests),
        ("p50 µs", found.p50),
        ("p99 µs", found.p99),
        ("p99.9 µs", found.p999),
    ]
}

/// How long connections wait before it is looked what they take: some give up their buffers meanwhile.
const IDLE: Duration = Duration::from_secs(3);

/// What each then asks for, one after another.
const MORE: usize = 10;

fn waiting(peer: &Peer) -> Row {
    const KIB: f64 = 1024.0;
    let at_start = peer.process.memory();
    let mut open = idle(peer.ports.http1, HOST, 1_000);
    sleep(IDLE);
    let with_some = peer.process.memory();
    open.extend(idle(peer.ports.http1, HOST, 9_000));
    sleep(IDLE);
    let with_all = peer.process.memory();
    for stream in &mut open {
        (0..MORE).for_each(|_| drop(ask(stream, HOST)));
    }
    sleep(IDLE);
    let later = peer.process.memory();
    vec![
        ("MiB at start", at_start),
        ("MiB with 1,000", with_some),
        ("MiB with 10,000", with_all),
        ("KiB each of 1,000", (with_some - at_start) * KIB / 1_000.0),
        ("KiB each of 10,000", (with_all - at_start) * KIB / 10_000.0),
        (
            "KiB each after ten more",
            (later - at_start) * KIB / 10_000.0,
        ),
    ]
}

fn cold(peer: &Peer) -> Row {
    let said = ours(Role::Cold, peer.ports.http1, &[]);
    let time = |name: &str| said[name].as_f64().unwrap_or(f64::NAN);
    vec![
        ("added p50", time("added50")),
        ("added p99", time("added99")),
        ("until it begins p50", time("before50")),
        ("until it begins p99", time("before99")),
        ("once it listens p50", time("after50")),
        ("once it listens p99", time("after99")),
        ("alone p50", time("alone50")),
        ("alone p99", time("alone99")),
    ]
}
