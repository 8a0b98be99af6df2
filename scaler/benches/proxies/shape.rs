//! What stands behind a proxy, and how large it is.

use std::fmt;

use crate::servers::Servers;

/// What a proxy is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One app.
    App,
    /// So many apps, all with the same two servers, which pages of other sites may ask.
    Table(usize),
    /// One app, whose servers send back what comes by WebSocket.
    Echo,
    /// One app, and so many workers.
    Workers(usize),
    /// So many apps that are started when they are asked for.
    FromZero(usize),
}

impl Shape {
    pub(crate) fn apps(self) -> usize {
        match self {
            Self::Table(apps) | Self::FromZero(apps) => apps,
            Self::App | Self::Echo | Self::Workers(_) => 1,
        }
    }

    pub(crate) fn workers(self) -> usize {
        match self {
            Self::Workers(workers) => workers,
            _ => 1,
        }
    }

    pub(crate) fn servers(self, servers: &Servers) -> [u16; 2] {
        match self {
            Self::Echo => servers.echo,
            _ => servers.ports,
        }
    }
}

impl fmt::Display for Shape {
    /// What tells it from others of a scenario.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App | Self::Echo | Self::FromZero(_) => Ok(()),
            Self::Table(1) => f.write_str(", 1 app"),
            Self::Table(apps) => write!(f, ", {apps} apps"),
            Self::Workers(workers) => write!(f, ", {workers} workers"),
        }
    }
}
