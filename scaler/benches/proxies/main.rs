//! What a request costs in Ebbtide's ingress, nginx, HAProxy and Envoy:
//! `cargo bench -p ebbtide --bench proxies -- --help`.
//!
//! Each proxy has one worker, pinned to one core; the load and the servers behind are pinned to another.
//! Every proxy splits 3:1 over two servers, adds `X-Forwarded-For` and keeps connections on both sides. In
//! each round every proxy gets the same load in turn, so that what else the machine does is shared by all.
//! Printed are the median of the rounds, and the least and the most. CPU time is what the system says the
//! proxy's processes used, whole processes with whatever else they do, for each request that was answered.
//!
//! `scaler/benches/proxies/install` gets what it takes on Debian: wrk, h2load, nginx, HAProxy and Envoy.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod certificate;
mod cold;
mod connections;
mod echo;
mod found;
mod handshake;
mod load;
mod measurement;
mod options;
mod peer;
#[path = "../../../tests/ports.rs"]
mod ports;
mod process;
mod roles;
mod scenario;
mod servers;
mod shape;
mod table;
mod websocket;
mod workers;

use options::Options;
use peer::Peer;
use roles::Role;
use scenario::Scenario;
use servers::Servers;
use table::{Row, Table};

fn main() {
    if let Some(role) = Role::of_this_process() {
        return role.play();
    }
    // What cargo adds is not for us.
    let arguments = std::env::args().skip(1).filter(|one| one != "--bench");
    let options = match Options::parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::HELP);
            return;
        }
        Err(wrong) => panic!("{wrong}"),
    };
    let missing = process::missing(&["taskset", "nginx", "wrk"]);
    assert!(
        missing.is_empty(),
        "{} is missing: scaler/benches/proxies/install gets it",
        missing.join(", ")
    );
    connections::raise_limit();
    let servers = Servers::start();
    for scenario in &options.scenarios {
        measure(*scenario, &options, &servers);
    }
}

/// Runs all rounds of a scenario, and prints its table.
fn measure(scenario: Scenario, options: &Options, servers: &Servers) {
    println!("\n### {}\n\n{}\n", scenario.title(), scenario.explained());
    let mut peers = Vec::new();
    for kind in options.peers.iter().filter(|kind| scenario.suits(**kind)) {
        for shape in scenario.shapes() {
            match Peer::start(*kind, servers, *shape) {
                Ok(peer) => peers.push(peer),
                Err(why) => println!("Not measured with {}: {why}.\n", kind.name()),
            }
        }
    }
    let mut table = Table::default();
    let rate = scenario.rate(&peers, options.seconds);
    for round in 0..options.rounds {
        let mut rows = vec![Row::new(); peers.len()];
        for place in 0..peers.len() {
            // Each round begins with another one.
            let place = (place + round) % peers.len();
            let peer = &mut peers[place];
            if round > 0 && scenario.is_from_start() {
                let again = Peer::start(peer.kind, servers, peer.shape);
                *peer = again.expect("it has started before");
            }
            rows[place] = scenario.run(peer, servers, options.seconds, rate);
            eprintln!(
                "round {} of {}: {} {:?}",
                round + 1,
                options.rounds,
                peer.label(),
                rows[place]
            );
        }
        scenario.compare(&peers, &mut rows);
        for (peer, row) in peers.iter().zip(rows) {
            table.add(&peer.label(), row);
        }
    }
    println!("{table}");
}
