//! What goes on from one table to the next.

use std::sync::Arc;

use super::{AppRoute, RoutingTable, Snapshot};

impl RoutingTable {
    /// Takes over the splits of `earlier` whose weights are for the same revisions as now, so that
    /// a change elsewhere does not begin their sequences again.
    pub(crate) fn keep_splits(&mut self, earlier: &Snapshot) {
        for route in &mut self.apps {
            let before = earlier.route(&route.app);
            if let Some(before) = before.filter(|before| splits_alike(before, route)) {
                route.split = Arc::clone(&before.split);
            }
        }
    }
}

fn splits_alike(one: &AppRoute, other: &AppRoute) -> bool {
    let revisions = |route: &AppRoute| {
        let names = route
            .backends
            .iter()
            .map(|backend| backend.revision.clone());
        names.collect::<Vec<_>>()
    };
    one.split.weights() == other.split.weights() && revisions(one) == revisions(other)
}
