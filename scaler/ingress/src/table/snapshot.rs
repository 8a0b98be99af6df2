//! A routing table made ready for looking up.

use std::collections::HashMap;
use std::sync::Arc;

use ebbtide_core::document::{HttpRouteRevision, HttpRouteTarget};
use ebbtide_core::name::{AppName, RouteConfigName};
use ebbtide_core::request_path::{self, PathError};
use http::Request;

use super::hosts::Hosts;
use super::routes::{HttpRoutes, Matched};
use super::{AppRoute, Backend, RoutingTable};

/// The domain under which apps are found on one machine.
pub(crate) const DOMAIN: &str = "localhost";

/// A published table with its hosts by name.
#[derive(Default)]
pub(crate) struct Snapshot {
    table: RoutingTable,
    hosts: Hosts<Place>,
    /// The apps' places, by name.
    apps: HashMap<AppName, usize>,
}

/// What a host stands for.
#[derive(Clone, Copy)]
enum Place {
    /// A place in the table's apps, and a label's place in the app's backends, without which the weights
    /// decide.
    App(usize, Option<usize>),
    /// A place in the table's routes.
    Routes(usize),
}

/// What a request is for.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// An app, or a label of it, by its host.
    App {
        /// Its place in the table's apps.
        app: usize,
        /// The label's place in the app's backends; none if the weights decide.
        backend: Option<usize>,
    },
    /// The targets of a rule, by what it matches.
    Routes(&'a HttpRoutes, Matched<'a>),
    /// Nothing here.
    Nothing,
}

/// What a request led to.
pub(crate) enum Found<'a> {
    /// A revision of an app.
    Backend(&'a Arc<Backend>),
    /// An app without a revision that takes requests.
    NoRevision(&'a AppName),
    /// No app.
    Nothing,
}

/// Why the routes of a host lead a request to no app.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Astray<'a> {
    /// Apps might read its path in different ways.
    Path(PathError),
    /// It matches no route of this config.
    NoRoute(&'a RouteConfigName),
    /// What it leads to is not there.
    NoTarget(&'a HttpRouteTarget),
}

impl Snapshot {
    /// Makes `table` ready. Of two that claim one host, the first has it, and apps come before routes.
    pub(crate) fn new(table: RoutingTable) -> Self {
        let mut hosts = Hosts::default();
        let mut apps = HashMap::new();
        for (app, route) in table.apps.iter().enumerate() {
            apps.entry(route.app.clone()).or_insert(app);
            for (host, backend) in hosts_of(route) {
                hosts.add(&host, Place::App(app, backend));
            }
        }
        for (place, routes) in table.routes.iter().enumerate() {
            for host in hosts_of_routes(routes) {
                hosts.add(&host, Place::Routes(place));
            }
        }
        Self { table, hosts, apps }
    }

    /// The table it was made from.
    pub(crate) fn table(&self) -> &RoutingTable {
        &self.table
    }

    /// Whether `host` (a key) leads to an app, or to routes.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.hosts.find(host).is_some()
    }

    /// The revision for a request to `host` (a key, see [`super::host::key`]). A request that was
    /// for the revision of `previous` stays with it as long as the app has it, and where routes led it to
    /// an app, with that.
    pub(crate) fn find(&self, host: &str, previous: Option<&Backend>) -> Found<'_> {
        match (self.hosts.find(host), previous) {
            (Some(Place::App(app, backend)), _) => self.find_of_app(app, backend, previous),
            (Some(Place::Routes(_)), Some(before)) => {
                let mut apps = self.table.apps.iter();
                let same = |route: &AppRoute| route.app.as_str() == before.revision.app();
                let app = apps.position(same);
                app.map_or(Found::Nothing, |app| self.find_of_app(app, None, previous))
            }
            (Some(Place::Routes(_)) | None, _) => Found::Nothing,
        }
    }

    /// What a request to `host` (a key) is for.
    ///
    /// # Errors
    /// When its path decides that, and cannot.
    pub(crate) fn target<B>(
        &self,
        host: &str,
        request: &Request<B>,
    ) -> Result<Target<'_>, Astray<'_>> {
        let routes = match self.hosts.find(host) {
            Some(Place::App(app, backend)) => return Ok(Target::App { app, backend }),
            Some(Place::Routes(place)) => &*self.table.routes[place],
            None => return Ok(Target::Nothing),
        };
        request_path::check(request.uri().path()).map_err(Astray::Path)?;
        let matched = routes.find(request);
        matched.map_or(Err(Astray::NoRoute(&routes.config().name)), |matched| {
            Ok(Target::Routes(routes, matched))
        })
    }

    /// Whether what this stands for may be asked in the clear: all that its requests can lead to.
    pub(crate) fn allows_insecure(&self, target: Target<'_>) -> bool {
        let allows = |app: usize| self.table.apps[app].policy.allow_insecure;
        match target {
            Target::App { app, .. } => allows(app),
            Target::Routes(routes, matched) => {
                let rule = routes.config().rules.get(matched.rule);
                let mut apps = rule.iter().flat_map(|rule| &rule.targets);
                apps.all(|one| self.apps.get(&one.app).is_none_or(|app| allows(*app)))
            }
            Target::Nothing => true,
        }
    }

    /// The revision for a request to what this stands for, the first time that is asked.
    ///
    /// # Errors
    /// When routes lead to what is not there.
    pub(crate) fn find_at<'a>(&'a self, target: Target<'a>) -> Result<Found<'a>, Astray<'a>> {
        match target {
            Target::App { app, backend } => Ok(self.find_of_app(app, backend, None)),
            Target::Routes(routes, matched) => match routes.pick(matched.rule) {
                Some(target) => self.find_target(target),
                None => Err(Astray::NoRoute(&routes.config().name)),
            },
            Target::Nothing => Ok(Found::Nothing),
        }
    }

    fn find_of_app(
        &self,
        app: usize,
        backend: Option<usize>,
        previous: Option<&Backend>,
    ) -> Found<'_> {
        let route = &self.table.apps[app];
        let found = route
            .same_revision(previous)
            .or_else(|| route.choose(backend));
        found.map_or(Found::NoRevision(&route.app), Found::Backend)
    }

    /// The revision for the next request to a target of a rule.
    fn find_target<'a>(&'a self, target: &'a HttpRouteTarget) -> Result<Found<'a>, Astray<'a>> {
        let missing = Astray::NoTarget(target);
        let app = *self.apps.get(&target.app).ok_or(missing)?;
        let route = &self.table.apps[app];
        let backend = match &target.revision {
            HttpRouteRevision::ByTraffic => return Ok(self.find_of_app(app, None, None)),
            HttpRouteRevision::Labelled(label) => {
                let place = route.labels.get(label);
                place.and_then(|place| route.backends.get(*place))
            }
            HttpRouteRevision::Named(name) => {
                let mut backends = route.backends.iter();
                backends.find(|backend| backend.revision == *name)
            }
        };
        backend.map(Found::Backend).ok_or(missing)
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

    /// The backend of a label, or the next by the weights.
    fn choose(&self, backend: Option<usize>) -> Option<&Arc<Backend>> {
        self.backends.get(backend.or_else(|| self.split.pick())?)
    }
}

/// Every host of a config.
fn hosts_of_routes(routes: &HttpRoutes) -> impl Iterator<Item = String> {
    let config = routes.config();
    let names = [format!("{}.{DOMAIN}", config.name), config.name.to_string()];
    names
        .into_iter()
        .chain(config.custom_domains.iter().cloned())
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
            ..RoutingTable::default()
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
