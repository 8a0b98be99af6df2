//! The table that the ingress routes by, made from the apps' state, and published only when it
//! says something new: a publication makes every held request look again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ebbtide_core::app::Share;
use ebbtide_core::document::Transport;
use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_ingress::{AppRoute, Backend, BackendState, Publisher, Replica, RoutingTable, Split};

use super::app::AppControl;

/// Publishes routing tables.
pub(super) struct Routing {
    publisher: Publisher,
    hint: String,
    published: Option<Vec<RouteKey>>,
}

/// What makes one route differ from another.
#[derive(PartialEq)]
struct RouteKey {
    app: String,
    hosts: Vec<String>,
    labels: BTreeMap<String, usize>,
    weights: Vec<u32>,
    backends: Vec<(RevisionName, BackendKey)>,
}

/// What makes one backend differ from another.
#[derive(PartialEq)]
enum BackendKey {
    Serving(Vec<(ReplicaName, SocketAddr)>),
    Failed(String),
}

impl Routing {
    /// Publishes through `publisher`; answers for unknown hosts point to `hint`.
    pub(super) fn new(publisher: Publisher, hint: String) -> Self {
        Self {
            publisher,
            hint,
            published: None,
        }
    }

    /// Publishes the table of these apps if it says something new.
    pub(super) fn publish<'a>(&mut self, apps: impl Iterator<Item = &'a mut AppControl>) {
        let routes: Vec<AppRoute> = apps.filter_map(route).collect();
        let keys: Vec<RouteKey> = routes.iter().map(key).collect();
        if self.published.as_ref() == Some(&keys) {
            return;
        }
        self.publisher.publish(RoutingTable {
            apps: routes,
            hint: self.hint.clone(),
        });
        self.published = Some(keys);
    }
}

/// The route of one app; none when it takes no HTTP requests.
fn route(control: &mut AppControl) -> Option<AppRoute> {
    let ingress = control.app.document().configuration.ingress.clone()?;
    if ingress.transport == Transport::Tcp {
        return None;
    }
    let shares = shares(control);
    let labels = control.app.labels();
    let mut revisions: Vec<&RevisionName> = shares.iter().map(|share| &share.revision).collect();
    revisions.extend(labels.values());
    revisions.sort();
    revisions.dedup();
    let place = |wanted: &RevisionName| revisions.iter().position(|one| *one == wanted);
    let weights: Vec<(RevisionName, u32)> = revisions
        .iter()
        .map(|revision| {
            let of_it = shares.iter().filter(|share| share.revision == **revision);
            ((*revision).clone(), of_it.map(|share| share.weight).sum())
        })
        .collect();
    let labels = labels
        .iter()
        .filter_map(|(label, revision)| Some((label.clone(), place(revision)?)))
        .collect();
    let backends = revisions.iter().filter_map(|name| {
        let revision = control.revisions.get(*name)?;
        let (meter, state) = (Arc::clone(&revision.meter), revision.backend_state());
        Some(Arc::new(Backend {
            revision: (*name).clone(),
            meter,
            state,
        }))
    });
    let backends = backends.collect();
    Some(AppRoute {
        app: control.app.name().clone(),
        hosts: ingress.custom_domains,
        split: control.split(weights),
        labels,
        backends,
    })
}

/// How requests are split; all to the latest revision when none can take traffic, so that they
/// wake it or are told why it fails.
fn shares(control: &AppControl) -> Vec<Share> {
    let shares = control.app.shares();
    if !shares.is_empty() {
        return shares;
    }
    let revision = control.app.latest().clone();
    vec![Share {
        revision,
        weight: 100,
        label: None,
        latest: true,
    }]
}

fn key(route: &AppRoute) -> RouteKey {
    let backend_key = |backend: &Arc<Backend>| {
        let key = match &backend.state {
            BackendState::Serving(replicas) => {
                let addressed = |one: &Arc<Replica>| (one.name().clone(), one.address());
                BackendKey::Serving(replicas.iter().map(addressed).collect())
            }
            BackendState::Failed { because } => BackendKey::Failed(because.clone()),
        };
        (backend.revision.clone(), key)
    };
    RouteKey {
        app: route.app.to_string(),
        hosts: route.hosts.clone(),
        labels: route.labels.clone(),
        weights: route.split.weights().to_vec(),
        backends: route.backends.iter().map(backend_key).collect(),
    }
}

/// The split in force, kept while its weights stay the same so that its running number goes on.
pub(super) struct CurrentSplit {
    weights: Vec<(RevisionName, u32)>,
    split: Arc<Split>,
}

impl CurrentSplit {
    /// A split by these weights.
    pub(super) fn new(weights: Vec<(RevisionName, u32)>) -> Self {
        let split = Arc::new(Split::new(
            weights.iter().map(|(_, weight)| *weight).collect(),
        ));
        Self { weights, split }
    }

    /// Whether it splits by these weights.
    pub(super) fn is_by(&self, weights: &[(RevisionName, u32)]) -> bool {
        self.weights == weights
    }

    /// The split.
    pub(super) fn split(&self) -> Arc<Split> {
        Arc::clone(&self.split)
    }
}
