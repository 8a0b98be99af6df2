//! What the control loop publishes: which apps there are, by which hosts they are found, and which
//! replicas serve each of their revisions.

pub(crate) mod host;
mod hosts;
mod keep;
mod mirror;
mod port;
#[cfg(test)]
mod properties;
pub(crate) mod routes;
pub(crate) mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::policy::RequestPolicy;

use crate::meter::RevisionMeter;
use crate::replica::Replica;
use crate::split::Split;

pub use port::AppPort;
pub use routes::HttpRoutes;
pub(crate) use snapshot::{Astray, Found, Snapshot};

/// Everything that requests are routed by. Published as a whole.
#[derive(Clone, Debug, Default)]
pub struct RoutingTable {
    /// The apps that take requests. One that is what it was in the table before is best the same one, at the same
    /// place: publishing costs next to nothing for those.
    pub apps: Vec<Arc<AppRoute>>,
    /// Hosts whose requests go to apps by rules, beside the apps' own.
    pub routes: Vec<Arc<HttpRoutes>>,
    /// Ports for TCP, each with what it leads to.
    pub ports: BTreeMap<u16, AppPort>,
    /// Where to look for more, for the body of a 404: the status page's URL.
    pub hint: String,
}

impl RoutingTable {
    /// Whether an app has a port instead of hosts.
    pub(crate) fn is_tcp(&self, app: &AppName) -> bool {
        let mut ports = self.ports.values();
        ports.any(|port| port.target.is_none() && port.app == *app)
    }

    /// The apps that have hosts.
    pub(crate) fn apps_with_hosts(&self) -> impl Iterator<Item = &AppRoute> {
        let apps = self.apps.iter().map(Arc::as_ref);
        apps.filter(|route| !self.is_tcp(&route.app))
    }
}

/// One app.
#[derive(Clone, Debug)]
pub struct AppRoute {
    /// Its name. It is found as `APP.localhost` and `APP`, and a label of it as
    /// `APP---LABEL.localhost` and `APP---LABEL`.
    pub app: AppName,
    /// Its custom domains; `*.example.com` stands for all below `example.com`.
    pub hosts: Vec<String>,
    /// What becomes of its requests on their way.
    pub policy: Arc<RequestPolicy>,
    /// The weights, one for each backend.
    pub split: Arc<Split>,
    /// Labels, each with the index of its backend.
    pub labels: BTreeMap<String, usize>,
    /// The revisions that can get requests.
    pub backends: Vec<Arc<Backend>>,
}

/// One revision.
#[derive(Debug)]
pub struct Backend {
    /// Its name.
    pub revision: RevisionName,
    /// What becomes of its requests on their way: its app's, here too so that who has the one need not
    /// look for the other.
    pub policy: Arc<RequestPolicy>,
    /// Its counters, the same in every publication.
    pub meter: Arc<RevisionMeter>,
    /// Where its requests go.
    pub state: BackendState,
}

/// Where the requests of a revision go.
#[derive(Clone, Debug)]
pub enum BackendState {
    /// They go to the replica with the fewest requests in flight. With none that admits requests
    /// they wait, and the first one to wait raises activation.
    Serving(Vec<Arc<Replica>>),
    /// They are answered 503, those that wait already too.
    Failed {
        /// Why, in one sentence.
        because: String,
    },
}

impl BackendState {
    /// The replicas that there are.
    pub(crate) fn replicas(&self) -> &[Arc<Replica>] {
        match self {
            Self::Serving(replicas) => replicas,
            Self::Failed { .. } => &[],
        }
    }
}
