//! `redis` and `redis-streams`, of one server, of a sentinel's master and of a cluster.

mod keys;
mod lists;
mod streams;

pub(super) use lists::{LIST, LIST_OF_CLUSTER, LIST_OF_SENTINEL};
pub(super) use streams::{STREAM, STREAM_OF_CLUSTER, STREAM_OF_SENTINEL};

use super::Constraint;

/// What the keys of every one have to do with one another. Of those that say where the server is,
/// the first that is given counts, as for KEDA, so that more than one may be there.
const CONSTRAINTS: &[Constraint] = &[
    Constraint::AtLeastOne(&["address", "addresses", "host", "hosts"]),
    Constraint::AtMostOne(&["host", "hosts"]),
    Constraint::Needs("host", &["port"]),
    Constraint::Needs("hosts", &["ports"]),
    Constraint::Needs("username", &["password"]),
    Constraint::AtMostOne(&["enableTLS", "tls"]),
    Constraint::Needs("cert", &["key"]),
    Constraint::Needs("key", &["cert"]),
];
