//! Where a server is.

use std::fmt;

use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Place {
    /// The place that `HOST:PORT` names. IPv6 addresses may be without brackets, as clusters have them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let is_host = !host.is_empty() && !host.contains(['/', '@', ' ', '?']);
        is_host.then(|| Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The places that a rule names, at least one, and the key that does: the first one that is given.
///
/// # Errors
/// There is none, or one that cannot be.
pub(super) fn places(parameters: &Parameters) -> Result<(&'static str, Vec<Place>), ReadError> {
    for key in ["address", "addresses"] {
        if parameters.text(key).is_some() {
            let listed = parameters.list(key).into_iter();
            let places: Option<Vec<_>> = listed.map(Place::parse).collect();
            let places = places.ok_or_else(|| ReadError::of(key, "is not HOST:PORT"))?;
            return Ok((key, places));
        }
    }
    for (key, ports_key) in [("host", "port"), ("hosts", "ports")] {
        if parameters.text(key).is_some() {
            let (hosts, ports) = (parameters.list(key), parameters.list(ports_key));
            if hosts.len() != ports.len() {
                let message = format!("has to be as many as {key}, one for each");
                return Err(ReadError::of(ports_key, message));
            }
            let pairs = hosts.into_iter().zip(ports);
            let places = pairs.map(|(host, port)| {
                let place = Place::parse(&format!("{host}:{port}"));
                place.ok_or_else(|| ReadError::of(key, "has no host and port that can be"))
            });
            return Ok((key, places.collect::<Result<_, _>>()?));
        }
    }
    Err(ReadError::of("address", "is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (text, expected) in [
            ("redis:6379", Some(("redis", 6379))),
            ("10.0.0.1:1", Some(("10.0.0.1", 1))),
            ("[fd00::1]:6379", Some(("[fd00::1]", 6379))),
            ("fd00::1:6379", Some(("fd00::1", 6379))),
            ("redis", None),
            (":6379", None),
            ("redis:0", None),
            ("redis:65536", None),
            ("redis://redis:6379", None),
            ("user@redis:6379", None),
        ] {
            let expected = expected.map(|(host, port)| Place {
                host: host.to_owned(),
                port,
            });
            assert_eq!(Place::parse(text), expected, "{text}");
        }
    }
}
