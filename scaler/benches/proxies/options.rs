//! What is measured.

use crate::peer::Kind;
use crate::scenario::Scenario;

pub(crate) const HELP: &str = "\
What a request costs in Ebbtide's ingress, nginx, HAProxy and Envoy

Usage: cargo bench -p ebbtide --bench proxies -- [OPTIONS]

Options:
  --rounds N           how often each is measured; 5 if absent
  --seconds N          how long each time; 5 if absent
  --peer NAME          ebbtide, nginx, haproxy or envoy, all of these if absent, or other, which is the
                       build of Ebbtide that OTHER_EBBTIDE_BIN names; may be repeated
  --scenario NAME      small, half, down, up, http2, tls, handshake, websocket, idle, apps, cold or workers;
                       all if absent; may be repeated. The last three are of Ebbtide alone
  --help               this

scaler/benches/proxies/install gets the others on Debian; Envoy's program may be named by ENVOY_BIN.";

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
    pub(crate) peers: Vec<Kind>,
    pub(crate) scenarios: Vec<Scenario>,
}

impl Options {
    /// Reads the arguments; none if help is wanted.
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let mut options = Self {
            rounds: 5,
            seconds: 5,
            peers: Vec::new(),
            scenarios: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            if argument == "--help" {
                return Ok(None);
            }
            let value = arguments.next().unwrap_or_default();
            let wrong = || format!("{argument} {value} is not known\n\n{HELP}");
            match argument.as_str() {
                "--rounds" => options.rounds = value.parse().map_err(|_| wrong())?,
                "--seconds" => options.seconds = value.parse().map_err(|_| wrong())?,
                "--peer" => options.peers.push(Kind::named(&value).ok_or_else(wrong)?),
                "--scenario" => {
                    let scenario = Scenario::named(&value).ok_or_else(wrong)?;
                    options.scenarios.push(scenario);
                }
                _ => return Err(wrong()),
            }
        }
        if options.peers.is_empty() {
            options.peers = Kind::USUAL.to_vec();
        }
        if options.scenarios.is_empty() {
            options.scenarios = Scenario::ALL.to_vec();
        }
        Ok(Some(options))
    }
}
