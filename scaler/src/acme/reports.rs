//! What is told of orders, beside what the certificates themselves say.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// What the names of certificates begin with that were ordered here.
pub const NAME_PREFIX: &str = "acme/";

/// How the orders for one host went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderReport {
    /// Orders that failed since this process began.
    pub failures: u64,
    /// Why the last one failed, and when there will be another; none if it did not.
    pub problem: Option<String>,
}

/// The orders, by host.
pub type OrderReports = watch::Receiver<BTreeMap<String, OrderReport>>;

/// Whether a certificate with this name was ordered here: those of a folder have one `/` at most.
pub fn is_ordered(name: &str) -> bool {
    name.strip_prefix(NAME_PREFIX)
        .is_some_and(|rest| rest.contains('/'))
}
