//! What a rule says of the servers.

use super::login::Login;
use super::place::{Place, places};
use crate::parameters::Parameters;
use crate::readers::Context;
use ebbtide_brokers::connect::{Connect, Security, TlsSettings};
use ebbtide_brokers::error::ReadError;

/// What a rule says of the servers.
pub(super) struct Settings {
    pub(super) way: Way,
    /// Where to begin, at least one.
    pub(super) places: Vec<Place>,
    pub(super) topology: Topology,
    pub(super) login: Login,
}

/// How places are connected to.
pub(super) struct Way {
    pub(super) connect: Connect,
    /// The key that has the places.
    pub(super) key: &'static str,
    /// None without TLS.
    pub(super) security: Option<Security>,
}

/// What the places are of.
pub(super) enum Topology {
    /// One server.
    Single,
    /// Sentinels, which know where the master of this name is.
    Sentinel { master: String, login: Login },
    /// Nodes of a cluster, which know which of them has a key.
    Cluster,
}

impl Settings {
    /// # Errors
    /// Places or TLS settings that cannot be.
    pub(super) fn of(parameters: &Parameters, context: &Context) -> Result<Self, ReadError> {
        let (key, mut places) = places(parameters)?;
        let scaler = parameters.scaler().name();
        let topology = if scaler.starts_with("redis-sentinel") {
            Topology::Sentinel {
                master: parameters.required("sentinelMaster")?.to_owned(),
                login: Login::of_sentinel(parameters),
            }
        } else if scaler.starts_with("redis-cluster") {
            Topology::Cluster
        } else {
            places.truncate(1);
            Topology::Single
        };
        let tls = TlsSettings {
            ca: parameters.text("ca"),
            cert: parameters.text("cert"),
            key: parameters.text("key"),
            any_server: parameters.flag("unsafeSsl"),
        };
        let is_tls = parameters.flag("enableTLS")
            || parameters.word("tls").is_some_and(|word| word == "enable");
        let way = Way {
            connect: context.connect.clone(),
            key,
            security: is_tls.then(|| Security::new(&tls)).transpose()?,
        };
        Ok(Self {
            way,
            places,
            topology,
            login: Login::of(parameters),
        })
    }
}
