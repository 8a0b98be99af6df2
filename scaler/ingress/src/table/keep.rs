//! What goes on from one table to the next.

use std::sync::Arc;

use super::{AppRoute, RoutingTable, Snapshot};

impl RoutingTable {
    /// Takes over the splits of `earlier` whose weights are for the same revisions as now, so that
    /// a change elsewhere does not disturb their sequences; others go on from the same number.
    pub(crate) fn keep_splits(&mut self, earlier: &Snapshot) {
        for (place, route) in self.apps.iter_mut().enumerate() {
            if earlier.has(place, route) {
                continue;
            }
            let Some(before) = earlier.route(route.app.as_str()) else {
                continue;
            };
            if Arc::ptr_eq(&before.split, &route.split) {
                continue;
            }
            if splits_alike(before, route) {
                Arc::make_mut(route).split = Arc::clone(&before.split);
            } else {
                route.split.continue_from(&before.split);
            }
        }
    }

    /// The apps that are not as they were in `earlier`.
    pub(crate) fn new_since(&self, earlier: &Snapshot) -> Vec<Arc<AppRoute>> {
        let apps = self.apps.iter().enumerate();
        let new = apps.filter(|(place, route)| !earlier.has(*place, route));
        new.map(|(_, route)| Arc::clone(route)).collect()
    }
}

fn splits_alike(one: &AppRoute, other: &AppRoute) -> bool {
    let revisions = |route: &AppRoute| -> Vec<_> {
        let backends = route.backends.iter();
        backends.map(|backend| backend.revision.clone()).collect()
    };
    one.split.weights() == other.split.weights() && revisions(one) == revisions(other)
}
