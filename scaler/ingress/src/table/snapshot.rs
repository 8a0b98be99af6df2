//! A routing table made ready for looking up.

use std::collections::HashMap;
use std::sync::Arc;

use ebbtide_core::name::AppName;
use ebbtide_core::policy::RequestPolicy;

use super::{AppRoute, Backend, RoutingTable};
use crate::replica::Replica;

/// The domain under which apps are found on one machine.
pub(crate) const DOMAIN: &str = "localhost";

/// A published table with its hosts by name.
#[derive(Default)]
pub(crate) struct Snapshot {
    table: RoutingTable,
    hosts: HashMap<Box<str>, Target>,
    /// Each app's place in the table.
    apps: HashMap<AppName, usize>,
}

/// What a host stands for.
#[derive(Clone, Copy)]
pub(crate) struct Target {
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
        let mut apps = HashMap::new();
        for (index, route) in table.apps.iter().enumerate() {
            apps.entry(route.app.clone()).or_insert(index);
        }
        Self { table, hosts, apps }
    }

    /// The table it was made from.
    pub(crate) fn table(&self) -> &RoutingTable {
        &self.table
    }

    /// Whether `host` (a key) leads to an app.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    /// The revision for a request to `host` (a key, see [`super::host::key`]). A request that was
    /// for the revision of `previous` stays with it as long as the app has it.
    pub(crate) fn find(&self, host: &str, previous: Option<&Backend>) -> Found<'_> {
        self.target(host)
            .map_or(Found::Nothing, |target| self.find_at(target, previous))
    }

    /// What `host` (a key) stands for.
    pub(crate) fn target(&self, host: &str) -> Option<Target> {
        self.hosts.get(host).copied()
    }

    /// What the app that this stands for asks of the ingress.
    pub(crate) fn policy(&self, target: Target) -> &Arc<RequestPolicy> {
        &self.table.apps[target.app].policy
    }

    /// The revision for a request to what this stands for, as [`find`](Self::find) has it.
    pub(crate) fn find_at(&self, target: Target, previous: Option<&Backend>) -> Found<'_> {
        let route = &self.table.apps[target.app];
        let found = route.same_revision(previous).or_else(|| {
            route
                .backends
                .get(target.backend.or_else(|| route.split.pick())?)
        });
        found.map_or(Found::NoRevision(&route.app), Found::Backend)
    }

    /// The replicas of a revision, if the app has it here.
    pub(crate) fn replicas_of(&self, app: &AppRoute, backend: &Backend) -> &[Arc<Replica>] {
        let here = self.route(&app.app);
        let here = here.and_then(|route| route.same_revision(Some(backend)));
        here.map_or(&[], |backend| backend.state.replicas())
    }

    /// The route of an app.
    pub(super) fn route(&self, app: &AppName) -> Option<&AppRoute> {
        self.apps.get(app).map(|index| &self.table.apps[*index])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BackendState, RevisionMeter, Split};
    use ebbtide_core::name::RevisionName;
    use std::num::NonZeroUsize;

    fn table(revisions: &[&str], weights: &[u32], labels: &[(&str, usize)]) -> RoutingTable {
        let backends = revisions.iter().map(|name| {
            Arc::new(Backend {
                revision: RevisionName::parse(name).unwrap(),
                policy: Arc::default(),
                meter: RevisionMeter::new(NonZeroUsize::MIN),
                state: BackendState::Serving(Vec::new()),
            })
        });
        let labels = labels
            .iter()
            .map(|(label, index)| ((*label).to_owned(), *index));
        let route = AppRoute {
            app: AppName::new("hello").unwrap(),
            hosts: vec!["Shop.Example".to_owned()],
            policy: Arc::default(),
            split: Arc::new(Split::new(weights.to_vec())),
            labels: labels.collect(),
            backends: backends.collect(),
        };
        RoutingTable {
            apps: vec![route],
            hint: String::new(),
        }
    }

    fn found(snapshot: &Snapshot, host: &str, previous: Option<&Backend>) -> String {
        match snapshot.find(host, previous) {
            Found::Backend(backend) => backend.revision.to_string(),
            Found::NoRevision(app) => format!("no revision of {app}"),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn hosts_lead_to_revisions() {
        let revisions = ["hello--v1", "hello--v2"];
        let labels = [("blue", 1), ("broken", 9)];
        let snapshot = Snapshot::new(table(&revisions, &[100, 0], &labels));
        for (host, expected) in [
            ("hello.localhost", "hello--v1"),
            ("hello", "hello--v1"),
            ("shop.example", "hello--v1"),
            ("hello---blue.localhost", "hello--v2"),
            ("hello---broken", "no revision of hello"),
            ("hello---green", "nothing"),
            ("", "nothing"),
        ] {
            assert_eq!(found(&snapshot, host, None), expected, "{host}");
        }
        let none = Snapshot::new(table(&revisions, &[0, 0], &[]));
        assert_eq!(found(&none, "hello", None), "no revision of hello");
    }

    #[test]
    fn a_request_stays_with_its_revision_while_there_is_one() {
        let before = table(&["hello--v1"], &[1], &[]);
        let v1 = &before.apps[0].backends[0];
        let both = Snapshot::new(table(&["hello--v1", "hello--v2"], &[0, 1], &[]));
        assert_eq!(found(&both, "hello", Some(v1)), "hello--v1");
        let only = Snapshot::new(table(&["hello--v2"], &[1], &[]));
        assert_eq!(found(&only, "hello", Some(v1)), "hello--v2");
    }

    #[test]
    fn a_split_goes_on_from_table_to_table() {
        let revisions = ["hello--v1", "hello--v2"];
        let first = Snapshot::new(table(&revisions, &[1, 1], &[]));
        let mut same = table(&revisions, &[1, 1], &[]);
        same.keep_splits(&first);
        assert!(Arc::ptr_eq(
            &same.apps[0].split,
            &first.table().apps[0].split
        ));
        first.table().apps[0].split.pick();
        let mut other = table(&revisions, &[1, 3], &[]);
        other.keep_splits(&first);
        let fresh = Split::new(vec![1, 3]);
        fresh.pick();
        assert_eq!(other.apps[0].split.pick(), fresh.pick());
    }
}
