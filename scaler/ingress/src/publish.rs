//! How a routing table reaches the workers.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::table::RoutingTable;

/// Publishes routing tables to the workers of an ingress.
#[derive(Clone)]
pub struct Publisher {
    pub(crate) table: Arc<ArcSwap<RoutingTable>>,
}

impl Publisher {
    /// Makes `table` the one that requests are routed by, and lets every waiting request look at
    /// it.
    pub fn publish(&self, table: RoutingTable) {
        self.table.store(Arc::new(table));
    }
}
