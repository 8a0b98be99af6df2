//! Which host stands for what, and where each app is in its table.

use std::collections::HashMap;
use std::sync::Arc;

use ebbtide_core::name::AppName;

use super::super::hosts::Hosts;
use super::super::routes::HttpRoutes;
use super::super::{AppRoute, RoutingTable};

/// The domain under which apps are found on one machine.
pub(crate) const DOMAIN: &str = "localhost";

/// A table's hosts and apps by name.
#[derive(Default)]
pub(super) struct Index {
    pub(super) hosts: Hosts<Place>,
    /// The apps' places, by name.
    pub(super) apps: HashMap<AppName, usize>,
}

/// What a host stands for.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A place in the table's apps, and a label's place in the app's backends, without which the weights
    /// decide.
    App(usize, Option<usize>),
    /// A place in the table's routes.
    Routes(usize),
}

impl Index {
    /// The index of `table`.
    pub(super) fn of(table: &RoutingTable) -> Self {
        let mut hosts = Hosts::default();
        let mut apps = HashMap::new();
        for (app, route) in table.apps.iter().enumerate() {
            apps.entry(route.app.clone()).or_insert(app);
            if table.is_tcp(&route.app) {
                continue;
            }
            for (host, backend) in hosts_of(route) {
                hosts.add(&host, Place::App(app, backend));
            }
        }
        for (place, routes) in table.routes.iter().enumerate() {
            for host in hosts_of_routes(routes) {
                hosts.add(&host, Place::Routes(place));
            }
        }
        Self { hosts, apps }
    }
}

/// Whether two tables have the same index, by all that one is made from.
pub(super) fn is_alike(one: &RoutingTable, other: &RoutingTable) -> bool {
    let alike = |(one, other): (&Arc<AppRoute>, &Arc<AppRoute>)| {
        let by_names =
            || (&one.app, &one.hosts, &one.labels) == (&other.app, &other.hosts, &other.labels);
        Arc::ptr_eq(one, other) || by_names()
    };
    let same = |(one, other): (&Arc<HttpRoutes>, &Arc<HttpRoutes>)| Arc::ptr_eq(one, other);
    one.apps.len() == other.apps.len()
        && one.routes.len() == other.routes.len()
        && one.ports == other.ports
        && one.routes.iter().zip(&other.routes).all(same)
        && one.apps.iter().zip(&other.apps).all(alike)
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
