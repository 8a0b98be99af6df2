//! Where replicas are that something else runs, and how that is found out.

mod file;
#[cfg(feature = "kubernetes")]
mod kubernetes;

use std::collections::BTreeMap;
use std::net::SocketAddr;

pub use file::{FileError, follow_file, read_file};
#[cfg(feature = "kubernetes")]
pub use kubernetes::{KubernetesError, Watch};

/// The ready replicas of each service, by its name.
pub type Endpoints = BTreeMap<String, Vec<Endpoint>>;

/// A replica that may get requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// What it is called: a pod's name, or its address.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
}
