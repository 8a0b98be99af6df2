//! The table that the ingress routes by, made from the apps' state, and published only when it
//! says something new: a publication makes every held request look again.

mod ports;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use ebbtide_core::app::App;
use ebbtide_core::document::{TrafficTarget, TrafficWeight, Transport};
use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_core::policy::RequestPolicy;
use ebbtide_ingress::{
    AppRoute, Backend, BackendState, HttpRoutes, Publisher, Replica, RoutingTable, Split,
};

use super::app::AppControl;
use super::counters::Counters;
use super::http_routes::{RouteConfigs, named_revisions};
use super::mirror;
use super::role::Kind;
use super::touched::Touched;
use ports::AppPorts;

/// Publishes routing tables.
pub(super) struct Routing {
    publisher: Publisher,
    hint: String,
    /// The routes of the apps that can be reached, as they were published.
    known: BTreeMap<AppName, Known>,
    /// What else was published; none before the first time.
    routes: Option<Vec<Arc<HttpRoutes>>>,
    /// The revisions that are named beside the weights and labels of their apps.
    named: BTreeSet<RevisionName>,
    ports: AppPorts,
    /// Whether ports that are not external are for this machine alone.
    keeps_internal_ports: bool,
}

/// An app's route, and what makes it differ from another.
struct Known {
    key: RouteKey,
    route: Arc<AppRoute>,
}

/// What makes one route differ from another.
#[derive(PartialEq)]
struct RouteKey {
    app: String,
    hosts: Vec<String>,
    policy: Arc<RequestPolicy>,
    labels: BTreeMap<String, usize>,
    weights: Vec<u32>,
    backends: Vec<(RevisionName, BackendKey)>,
}

/// What makes one backend differ from another.
#[derive(PartialEq)]
enum BackendKey {
    Serving(Vec<ReplicaKey>),
    Failed(String),
}

/// A replica and where it listens.
type ReplicaKey = (ReplicaName, SocketAddr, Option<BTreeMap<u16, u16>>);

impl Routing {
    /// Publishes through `publisher`; answers for unknown hosts point to `hint`. Where all apps are on this
    /// machine, ports that are not external are for it alone.
    pub(super) fn new(publisher: Publisher, hint: String, kind: Kind) -> Self {
        Self {
            publisher,
            hint,
            known: BTreeMap::new(),
            routes: None,
            named: BTreeSet::new(),
            ports: AppPorts::default(),
            keeps_internal_ports: kind.runs_replicas(),
        }
    }

    /// Publishes the table of these apps and routes if what was `touched` makes it say something new.
    pub(super) fn publish(
        &mut self,
        apps: &mut BTreeMap<AppName, AppControl>,
        configs: &RouteConfigs,
        touched: &Touched,
    ) {
        let changed = match touched {
            Touched::Only(names) => self.renew(names, apps),
            Touched::All => self.renew_all(apps, configs),
        };
        if !changed {
            return self.publisher.retry_ports();
        }
        self.publisher.publish(RoutingTable {
            apps: self
                .known
                .values()
                .map(|known| Arc::clone(&known.route))
                .collect(),
            routes: self.routes.clone().unwrap_or_default(),
            ports: self.ports.by_port.clone(),
            hint: self.hint.clone(),
        });
    }

    /// Looks again at the routes of apps whose documents are the same, and says whether any is another one.
    fn renew(&mut self, names: &[AppName], apps: &mut BTreeMap<AppName, AppControl>) -> bool {
        let mut changed = false;
        for name in names {
            // One without a route has none until its document is another one.
            let (Some(known), Some(control)) = (self.known.get_mut(name), apps.get_mut(name))
            else {
                continue;
            };
            let Some(route) = route(control, &self.named) else {
                continue;
            };
            let key = key(&route);
            if known.key != key {
                *known = Known {
                    key,
                    route: Arc::new(route),
                };
                changed = true;
            }
        }
        changed
    }

    /// Looks again at everything, and says whether anything is different.
    fn renew_all(
        &mut self,
        apps: &mut BTreeMap<AppName, AppControl>,
        configs: &RouteConfigs,
    ) -> bool {
        self.named = named_revisions(configs);
        let mirrors = apps.values();
        let mirrors = mirrors.filter_map(|app| mirror::named_revision(&app.policy));
        self.named.extend(mirrors.cloned());
        let (known, ports) = self.routes_and_ports(apps);
        let configs = configs.values().map(|one| Arc::clone(&one.routes));
        let routes: Vec<Arc<HttpRoutes>> = configs.collect();
        let same_routes = self.routes.as_ref().is_some_and(|before| {
            let mut pairs = before.iter().zip(&routes);
            before.len() == routes.len() && pairs.all(|(before, now)| Arc::ptr_eq(before, now))
        });
        let same_apps = self.known.iter().map(|(name, known)| (name, &known.key));
        let same_apps = same_apps.eq(known.iter().map(|(name, known)| (name, &known.key)));
        let changed = !same_routes || !same_apps || ports.by_port != self.ports.by_port;
        self.ports = ports;
        if changed {
            self.known = known;
            self.routes = Some(routes);
        }
        changed
    }

    /// The routes of the apps that can be reached, and their ports. What TCP apps need comes before what
    /// others have beside their hosts.
    fn routes_and_ports(
        &self,
        apps: &mut BTreeMap<AppName, AppControl>,
    ) -> (BTreeMap<AppName, Known>, AppPorts) {
        let mut ports = AppPorts::default();
        let mut routes = BTreeMap::new();
        for (name, control) in apps.iter_mut() {
            if let Some(route) = route(control, &self.named)
                && ports.give(control.app.document(), name)
            {
                let key = key(&route);
                let route = Arc::new(route);
                routes.insert(name.clone(), Known { key, route });
            }
        }
        for name in routes.keys() {
            if let Some(control) = apps.get(name) {
                let document = control.app.document();
                ports.give_additional(document, name, self.keeps_internal_ports);
            }
        }
        (routes, ports)
    }

    /// Why apps cannot be reached by TCP.
    pub(super) fn failures(&self) -> BTreeMap<AppName, Vec<String>> {
        self.ports.failures(&self.publisher.port_failures())
    }
}

/// The route of one app, with those of the `named` revisions that are its; none when it takes no requests.
fn route(control: &mut AppControl, named: &BTreeSet<RevisionName>) -> Option<AppRoute> {
    let ingress = control.app.document().configuration.ingress.clone()?;
    if ingress.transport == Transport::Tcp && ingress.tcp_port().is_none() {
        return None;
    }
    let shares = shares(&control.app);
    let labels = control.app.labels();
    let mut revisions: Vec<&RevisionName> = shares.iter().map(|(revision, _)| revision).collect();
    revisions.extend(labels.values());
    let is_active = |name: &&RevisionName| control.app.revision(name).is_some_and(|one| one.active);
    revisions.extend(named.iter().filter(is_active));
    // Places in this list are what the weights and labels are for, so it has what can be routed to.
    revisions.retain(|revision| control.revisions.contains_key(*revision));
    revisions.sort();
    revisions.dedup();
    let place = |wanted: &RevisionName| revisions.iter().position(|one| *one == wanted);
    let weight = |revision: &RevisionName| {
        let of_it = shares.iter().filter(|(name, _)| name == revision);
        (revision.clone(), of_it.map(|(_, weight)| weight).sum())
    };
    let weights = revisions.iter().map(|revision| weight(revision)).collect();
    let labels = labels
        .iter()
        .filter_map(|(label, revision)| Some((label.clone(), place(revision)?)))
        .collect();
    let backends = revisions.iter().filter_map(|name| {
        let revision = control.revisions.get(*name)?;
        let Counters::Own(meter) = &revision.meter else {
            return None;
        };
        let (meter, state) = (Arc::clone(meter), revision.backend_state());
        Some(Arc::new(Backend {
            revision: (*name).clone(),
            policy: Arc::clone(&control.policy),
            meter,
            state,
        }))
    });
    let backends = backends.collect();
    Some(AppRoute {
        app: control.app.name().clone(),
        hosts: ingress.custom_domains,
        policy: Arc::clone(&control.policy),
        split: control.split(weights),
        labels,
        backends,
    })
}

/// How requests are split. When no revision can take traffic, as the document says, so that those
/// it names are woken or tell why they fail, and no other gets what was not meant for it.
fn shares(app: &App) -> Vec<(RevisionName, u32)> {
    let in_force = app.shares().into_iter();
    let in_force: Vec<_> = in_force
        .map(|share| (share.revision, share.weight))
        .collect();
    if !in_force.is_empty() {
        return in_force;
    }
    let entries = app.document().configuration.ingress.iter();
    let entries = entries.flat_map(|ingress| &ingress.traffic);
    let target = |entry: &TrafficWeight| match &entry.target {
        TrafficTarget::LatestRevision => app.latest().clone(),
        TrafficTarget::Revision(name) => name.clone(),
    };
    let mut wanted: Vec<_> = entries.map(|entry| (target(entry), entry.weight)).collect();
    wanted.retain(|(_, weight)| *weight > 0);
    if wanted.is_empty() {
        wanted.push((app.latest().clone(), 100));
    }
    wanted
}

fn key(route: &AppRoute) -> RouteKey {
    let backend_key = |backend: &Arc<Backend>| {
        let key = match &backend.state {
            BackendState::Serving(replicas) => {
                let addressed = |one: &Arc<Replica>| {
                    let additional = one.additional_ports().cloned();
                    (one.name().clone(), one.address(), additional)
                };
                BackendKey::Serving(replicas.iter().map(addressed).collect())
            }
            BackendState::Failed { because } => BackendKey::Failed(because.clone()),
        };
        (backend.revision.clone(), key)
    };
    RouteKey {
        app: route.app.to_string(),
        hosts: route.hosts.clone(),
        policy: Arc::clone(&route.policy),
        labels: route.labels.clone(),
        weights: route.split.weights().to_vec(),
        backends: route.backends.iter().map(backend_key).collect(),
    }
}

/// The split in force, kept while its weights stay the same: its order takes work to make.
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

#[cfg(test)]
mod tests {
    use ebbtide_core::app::Observation;
    use ebbtide_core::time::Timestamp;

    use super::super::fixtures::{self, HELLO, TWO, add_replica, backoff, ready, started};
    use super::super::replica::ReplicaState::{Draining, NotReady, Ready, Starting};
    use super::*;

    fn route(control: &mut AppControl) -> Option<AppRoute> {
        super::route(control, &BTreeSet::new())
    }

    fn name(text: &str) -> RevisionName {
        RevisionName::parse(text).unwrap()
    }

    /// A route as text: each backend with its weight and its replicas, or why it has none.
    fn words(control: &mut AppControl) -> Vec<String> {
        let route = route(control).unwrap();
        let weights = route.split.weights().to_vec();
        let backends = route.backends.iter().zip(weights);
        let words = backends.map(|(backend, weight)| {
            let state = match &backend.state {
                BackendState::Failed { because } => because.clone(),
                BackendState::Serving(replicas) => {
                    let names = replicas.iter().map(|one| one.name().as_str());
                    names.collect::<Vec<_>>().join(",")
                }
            };
            format!("{} {weight}: {state}", backend.revision)
        });
        words.collect()
    }

    #[test]
    fn a_table_has_the_ready_replicas_and_no_others() {
        let mut control = fixtures::app(HELLO);
        let one = control.revisions.values_mut().next().unwrap();
        for (id, state) in [
            ("a", Ready),
            ("b", Starting),
            ("c", NotReady),
            ("d", Draining),
        ] {
            add_replica(one, id, state);
        }
        assert_eq!(words(&mut control), ["hello--v1 100: hello--v1-a"]);
    }

    #[test]
    fn weights_and_labels_lead_to_the_revisions_they_name() {
        let mut control = fixtures::app(TWO);
        assert_eq!(words(&mut control), ["hello--v1 80: ", "hello--v2 20: "]);
        let labels: Vec<_> = route(&mut control).unwrap().labels.into_iter().collect();
        assert_eq!(labels, [("blue".to_owned(), 0), ("green".to_owned(), 1)]);
    }

    #[test]
    fn a_revision_that_routes_name_is_there_without_weight() {
        let text = TWO.replace("label: blue", "label: red");
        let text = text
            .replace("weight: 80", "weight: 0")
            .replace("weight: 20", "weight: 100");
        let text = text.replace("- {revisionName: hello--v1, weight: 0, label: red}", "");
        let mut control = fixtures::app(&text);
        assert_eq!(words(&mut control), ["hello--v2 100: "]);
        let named = ["hello--v1", "hello--v9", "other--v1"].map(name).into();
        let route = super::route(&mut control, &named).unwrap();
        let revisions = route.backends.iter().map(|one| one.revision.as_str());
        assert_eq!(revisions.collect::<Vec<_>>(), ["hello--v1", "hello--v2"]);
        assert_eq!(route.split.weights(), [0, 100]);
    }

    #[test]
    fn an_app_without_ingress_or_with_tcp_and_no_port_has_no_route() {
        let none = "{name: a, properties: {template: {containers: [{name: b, command: [c]}]}}}";
        let tcp = HELLO.replace("targetPort: 80", "transport: tcp");
        for text in [none, &tcp] {
            assert!(route(&mut fixtures::app(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn a_port_is_one_apps_alone() {
        let control = |ingress: &str| {
            let text = HELLO.replace("targetPort: 80", ingress);
            fixtures::app(&text)
        };
        let mut ports = AppPorts::default();
        let mut give = |ingress: &str, app: &str| {
            ports.give(control(ingress).app.document(), &AppName::new(app).unwrap())
        };
        assert!(give("targetPort: 80, transport: tcp", "a"));
        assert!(give("targetPort: 80, exposedPort: 81, transport: tcp", "b"));
        assert!(give("targetPort: 81", "c"), "HTTP has no port of its own");
        assert!(!give("targetPort: 81, transport: tcp", "d"));
        let beside = |external: bool| {
            let mapping =
                "{external: _, targetPort: 90, exposedPort: 81}, {external: _, targetPort: 91}";
            let mappings = mapping.replace('_', &external.to_string());
            control(&format!(
                "targetPort: 80, additionalPortMappings: [{mappings}]"
            ))
        };
        for (app, external) in [("c", false), ("e", true)] {
            let app = AppName::new(app).unwrap();
            ports.give_additional(beside(external).app.document(), &app, true);
        }
        let wanted: Vec<_> = ports
            .by_port
            .iter()
            .map(|(port, to)| (*port, to.app.as_str(), to.target, to.on_loopback))
            .collect();
        assert_eq!(
            wanted,
            [
                (80, "a", None, false),
                (81, "b", None, false),
                (91, "c", Some(91), true)
            ]
        );
        let failures = ports.failures(&[(80, "80 is in use".to_owned())].into());
        let failures: Vec<_> = failures
            .iter()
            .map(|(app, why)| (app.as_str(), why.join(", ")))
            .collect();
        let by_tcp = "the app cannot be reached by TCP:";
        let taken = |port: u16, app: &str| {
            let why = "give one of them another exposedPort";
            format!("{by_tcp} port {port} is that of app {app}; {why}")
        };
        let both = format!("{}, {}", taken(81, "b"), taken(91, "c"));
        let expected = [
            ("a", format!("{by_tcp} 80 is in use")),
            ("c", taken(81, "b")),
            ("d", taken(81, "b")),
            ("e", both),
        ];
        assert_eq!(failures, expected);
    }

    #[test]
    fn an_additional_port_is_for_this_machine_alone_unless_it_is_external() {
        let text = "targetPort: 80, additionalPortMappings: [{external: true, targetPort: 90}, \
                    {external: false, targetPort: 91}]";
        let app = AppName::new("hello").unwrap();
        for (is_machine, expected) in [(true, [false, true]), (false, [false, false])] {
            let control = fixtures::app(&HELLO.replace("targetPort: 80", text));
            let mut ports = AppPorts::default();
            ports.give_additional(control.app.document(), &app, is_machine);
            let found = ports.by_port.values().map(|to| to.on_loopback);
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }

    fn fail(control: &mut AppControl, revision: &str) {
        let name = name(revision);
        let one = control.revisions.get_mut(&name).unwrap();
        add_replica(one, "x", Starting);
        fixtures::replica_of(one, "x").observe(&backoff(revision, 1), Timestamp::ORIGIN);
        control.observe(Timestamp::ORIGIN);
    }

    #[test]
    fn what_a_failed_revision_would_get_goes_to_the_others() {
        let mut control = fixtures::app(TWO);
        fail(&mut control, "hello--v1");
        assert_eq!(
            words(&mut control),
            ["hello--v1 0: hello--v1", "hello--v2 100: "],
            "v1 stays for its label"
        );
        fail(&mut control, "hello--v2");
        assert_eq!(
            words(&mut control),
            ["hello--v1 80: hello--v1", "hello--v2 20: hello--v2"],
            "each says why it fails"
        );
    }

    #[test]
    fn a_revision_without_weight_gets_nothing_when_those_with_weight_fail() {
        let text = TWO
            .replace("weight: 80", "weight: 100")
            .replace("weight: 20", "weight: 0");
        let mut control = fixtures::app(&text);
        fail(&mut control, "hello--v1");
        assert_eq!(
            words(&mut control),
            ["hello--v1 100: hello--v1", "hello--v2 0: "]
        );
    }

    fn changes(control: &mut AppControl, change: impl FnOnce(&mut AppControl)) -> bool {
        let before = key(&route(control).unwrap());
        change(control);
        before != key(&route(control).unwrap())
    }

    fn observe(control: &mut AppControl, kind: &ebbtide_runtime::ReplicaEventKind) {
        let one = control.revisions.get_mut(&name("hello--v1")).unwrap();
        fixtures::replica_of(one, "a").observe(kind, Timestamp::ORIGIN);
        control.observe(Timestamp::ORIGIN);
    }

    #[test]
    fn a_table_is_new_when_a_route_says_something_else() {
        let mut control = fixtures::app(HELLO);
        let one = control.revisions.values_mut().next().unwrap();
        add_replica(one, "a", Starting);
        for (kind, expected) in [
            (started(1000), false),
            (ready(), true),
            (ready(), false),
            (backoff("exit 1", 1), true),
            (started(1000), false),
            (backoff("exit 2", 2), true),
            (started(2000), false),
            (ready(), true),
        ] {
            let new = changes(&mut control, |control| observe(control, &kind));
            assert_eq!(new, expected, "{kind:?}");
        }
    }

    #[test]
    fn a_replica_that_comes_back_on_another_port_is_routed_to_there() {
        let mut control = fixtures::app(HELLO);
        let one = control.revisions.values_mut().next().unwrap();
        add_replica(one, "a", Ready);
        let endpoint = |control: &mut AppControl| match &route(control).unwrap().backends[0].state {
            BackendState::Serving(replicas) => Arc::clone(&replicas[0]),
            BackendState::Failed { because } => panic!("{because}"),
        };
        let first = endpoint(&mut control);
        for kind in [backoff("exit 1", 1), started(2000), ready()] {
            observe(&mut control, &kind);
        }
        let second = endpoint(&mut control);
        assert!(first.is_closed() && !second.is_closed());
        assert_eq!(
            (first.address().port(), second.address().port()),
            (1000, 2000)
        );
    }

    #[test]
    fn a_split_goes_on_while_its_weights_are_the_same() {
        let mut control = fixtures::app(TWO);
        let first = route(&mut control).unwrap().split;
        control.app.observe(
            &name("hello--v2"),
            &Observation {
                desired: 1,
                ready: 1,
                failure: None,
            },
            Timestamp::ORIGIN,
        );
        assert!(Arc::ptr_eq(&first, &route(&mut control).unwrap().split));
        fail(&mut control, "hello--v1");
        assert!(!Arc::ptr_eq(&first, &route(&mut control).unwrap().split));
    }
}
