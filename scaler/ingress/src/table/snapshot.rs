//! A routing table made ready for looking up.

use std::collections::HashMap;
use std::sync::Arc;

use ebbtide_core::name::AppName;

use super::{AppRoute, Backend, RoutingTable};

/// The domain under which apps are found on one machine.
pub(crate) const DOMAIN: &str = "localhost";

/// A published table with its hosts by name.
#[derive(Default)]
pub(crate) struct Snapshot {
    table: RoutingTable,
    hosts: HashMap<Box<str>, Target>,
}

/// What a host stands for.
#[derive(Clone, Copy)]
struct Target {
    /// Its place in the table's apps.
    app: usize,
    /// A label's place in the app's backends; none if the weights decide.
    backend: Option<usize>,
}

/// What a request's host led to.
pub(crate) enum Found<'a> {
    /// A revision of an app.
    Backend(&'a Arc<Backend>),
    /// An app without a revision that takes requests.
    NoRevision(&'a AppName),
    /// No app.
    Nothing,
}

impl Snapshot {
    /// Makes `table` ready. Of two that claim one host, the first has it.
    pub(crate) fn new(table: RoutingTable) -> Self {
        let mut hosts = HashMap::new();
        for (app, route) in table.apps.iter().enumerate() {
            for (host, backend) in hosts_of(route) {
                let host = host.to_ascii_lowercase().into_boxed_str();
                hosts.entry(host).or_insert(Target { app, backend });
            }
        }
        Self { table, hosts }
    }

    /// The table it was made from.
    pub(crate) fn table(&self) -> &RoutingTable {
        &self.table
    }

    /// The revision for a request to `host` (a key, see [`super::host::key`]). A request that was
    /// for the revision of `previous` stays with it as long as the app has it.
    pub(crate) fn find(&self, host: &str, previous: Option<&Backend>) -> Found<'_> {
        let Some(target) = self.hosts.get(host) else {
            return Found::Nothing;
        };
        let route = &self.table.apps[target.app];
        let found = route.same_revision(previous).or_else(|| {
            route
                .backends
                .get(target.backend.or_else(|| route.split.pick())?)
        });
        found.map_or(Found::NoRevision(&route.app), Found::Backend)
    }

    /// The route of an app.
    pub(super) fn route(&self, app: &AppName) -> Option<&AppRoute> {
        self.table.apps.iter().find(|route| route.app == *app)
    }
}

impl AppRoute {
    fn same_revision(&self, previous: Option<&Backend>) -> Option<&Arc<Backend>> {
        let previous = previous?;
        let mut backends = self.backends.iter();
        backends.find(|backend| backend.revision == previous.revision)
    }
}

/// Every host of an app, with the backend for those that are a label's.
fn hosts_of(route: &AppRoute) -> impl Iterator<Item = (String, Option<usize>)> {
    let app = &route.app;
    let domains = route.hosts.iter().map(|host| (host.clone(), None));
    let labels = route.labels.iter().flat_map(move |(label, backend)| {
        let bare = format!("{app}---{label}");
        [
            (format!("{bare}.{DOMAIN}"), Some(*backend)),
            (bare, Some(*backend)),
        ]
    });
    let names = [(format!("{app}.{DOMAIN}"), None), (app.to_string(), None)];
    names.into_iter().chain(labels).chain(domains)
}
