//! A routing table made ready for looking up.

mod index;
#[cfg(test)]
mod tests;

use std::num::NonZeroU64;
use std::sync::Arc;

use ebbtide_core::document::{
    ClientCertificateMode, HttpRouteRevision, HttpRouteTarget, RouteTimeouts,
};
use ebbtide_core::name::{AppName, RouteConfigName};
use ebbtide_core::policy::RequestPolicy;
use ebbtide_core::request_path::{self, PathError};
use http::Request;

pub(crate) use self::index::DOMAIN;
use self::index::{Index, Place};
use super::routes::rewrite::Rewrite;
use super::{AppRoute, Backend, RoutingTable};
use crate::replica::Replica;
use crate::split::Split;

/// A published table with its hosts by name.
#[derive(Default)]
pub(crate) struct Snapshot {
    table: RoutingTable,
    index: Arc<Index>,
}

/// What a request is for: an app.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Its place in the table's apps.
    app: usize,
    /// A label's place, or that of the revision a route names, in the app's backends; none if the weights
    /// decide.
    backend: Option<usize>,
    /// What becomes of the request's path, if it does not stay as it is.
    pub(crate) rewrite: Option<Rewrite<'a>>,
    /// How long answers may take, as far as a route says that itself.
    pub(crate) timeouts: RouteTimeouts,
    /// The weights by which a route led here. The next request draws anew once this one goes on: those
    /// that are answered at the door come again, and would take one app's turn each time.
    drawn: Option<&'a Split>,
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
    #[cfg(test)]
    pub(crate) fn new(table: RoutingTable) -> Self {
        Self::after(&Self::default(), table)
    }

    /// The same, when `earlier` is in force: its index is kept where that would be the same.
    pub(crate) fn after(earlier: &Self, table: RoutingTable) -> Self {
        let index = if index::is_alike(&earlier.table, &table) {
            Arc::clone(&earlier.index)
        } else {
            Arc::new(Index::of(&table))
        };
        Self { table, index }
    }

    /// Whether this very route is at `place`.
    pub(super) fn has(&self, place: usize, route: &Arc<AppRoute>) -> bool {
        let here = self.table.apps.get(place);
        here.is_some_and(|here| Arc::ptr_eq(here, route))
    }

    /// The table it was made from.
    pub(crate) fn table(&self) -> &RoutingTable {
        &self.table
    }

    /// Whether `host` (a key) leads to an app, or to routes.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.index.hosts.find(host).is_some()
    }

    /// The revision for a request to `host` (a key, see [`super::host::key`]). A request that was
    /// for the revision of `previous` stays with it as long as the app has it, and where routes led it to
    /// an app, with that.
    pub(crate) fn find(&self, host: &str, previous: Option<&Backend>) -> Found<'_> {
        let target = match (self.index.hosts.find(host), previous) {
            (Some(Place::App(app, backend)), _) => Some(Target::of_app(app, backend)),
            (Some(Place::Routes(_)), Some(before)) => {
                let app = self.index.apps.get(before.revision.app());
                app.map(|app| Target::of_app(*app, None))
            }
            (Some(Place::Routes(_)) | None, _) => None,
        };
        target.map_or(Found::Nothing, |target| self.find_at(target, previous))
    }

    /// The revision for a connection to a port for TCP, which stays with that of `previous` likewise.
    pub(crate) fn find_port(&self, port: u16, previous: Option<&Backend>) -> Found<'_> {
        let port = self.table.ports.get(&port);
        let place = port.and_then(|port| self.index.apps.get(&port.app));
        place.map_or(Found::Nothing, |place| {
            self.find_at(Target::of_app(*place, None), previous)
        })
    }

    /// The additional target port that a port for TCP stands for, if it does.
    pub(crate) fn target_port(&self, port: u16) -> Option<u16> {
        self.table.ports.get(&port)?.target
    }

    /// What a request to `host` (a key) is for.
    ///
    /// # Errors
    /// When that depends on the host's routes, and they lead nowhere.
    pub(crate) fn target<B>(
        &self,
        host: &str,
        request: &Request<B>,
    ) -> Result<Option<Target<'_>>, Astray<'_>> {
        match self.index.hosts.find(host) {
            Some(Place::App(app, backend)) => Ok(Some(Target::of_app(app, backend))),
            Some(Place::Routes(place)) => {
                let routes = &self.table.routes[place];
                request_path::check(request.uri().path()).map_err(Astray::Path)?;
                let lost = Astray::NoRoute(&routes.config().name);
                let matched = routes.find(request).ok_or(lost)?;
                let (target, split) = routes.next(matched.rule).ok_or(lost)?;
                let (app, backend) = self.place(target).ok_or_else(|| {
                    split.advance();
                    Astray::NoTarget(target)
                })?;
                Ok(Some(Target {
                    rewrite: matched.rewrite,
                    timeouts: routes.timeouts(matched.rule),
                    drawn: Some(split),
                    ..Target::of_app(app, backend)
                }))
            }
            None => Ok(None),
        }
    }

    /// Where a route's target is; none if it is not there.
    fn place(&self, target: &HttpRouteTarget) -> Option<(usize, Option<usize>)> {
        let app = *self.index.apps.get(target.app.as_str())?;
        let route = &self.table.apps[app];
        if self.table.is_tcp(&route.app) {
            return None;
        }
        let backend = match &target.revision {
            HttpRouteRevision::ByTraffic => return Some((app, None)),
            HttpRouteRevision::Labelled(label) => *route.labels.get(label)?,
            HttpRouteRevision::Named(name) => {
                let mut backends = route.backends.iter();
                backends.position(|backend| backend.revision == *name)?
            }
        };
        Some((app, Some(backend)))
    }

    /// Whether clients of `host` (a key) are asked for a certificate.
    pub(crate) fn asks_certificate(&self, host: &str) -> bool {
        let mut apps = self.apps_of(host);
        apps.any(|app| {
            self.table.apps[app].policy.client_certificates != ClientCertificateMode::Ignore
        })
    }

    /// Whether requests to `host` (a key) may be for the app that `target` stands for.
    pub(crate) fn leads_to(&self, host: &str, target: Target<'_>) -> bool {
        self.apps_of(host).any(|app| app == target.app)
    }

    /// The apps that requests to `host` (a key) may be for.
    fn apps_of(&self, host: &str) -> impl Iterator<Item = usize> {
        let (app, routes) = match self.index.hosts.find(host) {
            Some(Place::App(app, _)) => (Some(app), None),
            Some(Place::Routes(place)) => (None, Some(&self.table.routes[place])),
            None => (None, None),
        };
        let rules = routes.into_iter().flat_map(|routes| &routes.config().rules);
        let targets = rules.flat_map(|rule| &rule.targets);
        let places = targets.filter_map(|target| Some(self.place(target)?.0));
        app.into_iter().chain(places)
    }

    /// What the app that this stands for asks of the ingress.
    pub(crate) fn policy(&self, target: Target<'_>) -> &Arc<RequestPolicy> {
        &self.table.apps[target.app].policy
    }

    /// The same app at the revision that `text` names or is a label of; none if that is none of its. A
    /// label's host and a route that names a revision lead there whatever the text.
    pub(crate) fn pinned<'a>(&self, target: Target<'a>, text: &str) -> Option<Target<'a>> {
        if target.backend.is_some() {
            return Some(target);
        }
        let route = &self.table.apps[target.app];
        let is_named = |backend: &Arc<Backend>| {
            let suffix = backend.revision.as_str().split_once("--");
            backend.revision.as_str() == text || suffix.is_some_and(|(_, suffix)| suffix == text)
        };
        let by_label = route.labels.get(text).copied();
        let backend = by_label.or_else(|| route.backends.iter().position(is_named))?;
        Some(Target {
            backend: Some(backend),
            ..target
        })
    }

    /// The same app at the revision that the replica called `name` is of, with that replica's identity; none
    /// if the replica is not there, or its revision gets no requests by this way.
    pub(crate) fn replica_named<'a>(
        &self,
        target: Target<'a>,
        name: &str,
    ) -> Option<(Target<'a>, NonZeroU64)> {
        let route = &self.table.apps[target.app];
        let has_traffic = |place: usize| match target.backend {
            Some(wanted) => wanted == place,
            None => route
                .split
                .weights()
                .get(place)
                .is_some_and(|weight| *weight > 0),
        };
        let backends = route.backends.iter().enumerate();
        let mut replicas =
            backends
                .filter(|(place, _)| has_traffic(*place))
                .flat_map(|(place, backend)| {
                    backend.state.replicas().iter().map(move |it| (place, it))
                });
        let (place, replica) = replicas.find(|(_, replica)| replica.name().as_str() == name)?;
        let there = Target {
            backend: Some(place),
            ..target
        };
        Some((there, NonZeroU64::new(replica.id())?))
    }

    /// The revision for a request to what this stands for, as [`find`](Self::find) has it.
    pub(crate) fn find_at(&self, target: Target<'_>, previous: Option<&Backend>) -> Found<'_> {
        if let Some(split) = target.drawn {
            split.advance();
        }
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
        let here = self.route(app.app.as_str());
        let here = here.and_then(|route| route.same_revision(Some(backend)));
        here.map_or(&[], |backend| backend.state.replicas())
    }

    /// The route of an app.
    pub(super) fn route(&self, app: &str) -> Option<&AppRoute> {
        let place = self.index.apps.get(app)?;
        self.table.apps.get(*place).map(Arc::as_ref)
    }
}

impl AppRoute {
    fn same_revision(&self, previous: Option<&Backend>) -> Option<&Arc<Backend>> {
        let previous = previous?;
        let mut backends = self.backends.iter();
        backends.find(|backend| backend.revision == previous.revision)
    }
}

impl Target<'_> {
    /// An app, by a host of its own.
    fn of_app(app: usize, backend: Option<usize>) -> Self {
        Self {
            app,
            backend,
            rewrite: None,
            timeouts: RouteTimeouts::default(),
            drawn: None,
        }
    }
}
