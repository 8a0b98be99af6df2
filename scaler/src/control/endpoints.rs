//! Replicas that something else runs: those that are there become replicas here, and those that are
//! gone are let go.

use std::collections::BTreeSet;

use ebbtide_core::app::App;
use ebbtide_core::document::ActiveRevisionsMode;
use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_core::scale::ScaleState;
use ebbtide_core::time::Timestamp;
use ebbtide_runtime::endpoints::{Endpoint, Endpoints};

use super::drain::Going;
use super::replica::ReplicaControl;
use super::revision::RevisionControl;
use super::task::ControlTask;

/// The service whose endpoints are a revision's replicas: the one named as the app in Single mode,
/// in which one revision follows another, and else the one named as the revision.
pub(super) fn service<'n>(app: &'n App, revision: &'n RevisionName) -> &'n str {
    match app.document().configuration.active_revisions_mode {
        ActiveRevisionsMode::Single => app.name().as_str(),
        ActiveRevisionsMode::Multiple => revision.as_str(),
    }
}

impl ControlTask {
    /// The endpoints have changed.
    pub(super) fn discovered(&mut self) {
        if self.inbox.endpoints.borrow_and_update().is_some() && !self.knows_endpoints {
            self.knows_endpoints = true;
            self.published_at = None;
        }
    }

    /// Brings the replicas of these apps in line with the endpoints, and returns those that go.
    pub(super) fn follow_endpoints(&mut self, names: &[AppName], now: Timestamp) -> Vec<Going> {
        let endpoints = self.inbox.endpoints.borrow();
        let Some(endpoints) = endpoints.as_ref() else {
            return Vec::new();
        };
        let mut going = Vec::new();
        for name in names {
            let Some(control) = self.apps.get_mut(name) else {
                continue;
            };
            let app = &control.app;
            for (name, one) in &mut control.revisions {
                let active = app.revision(name).is_some_and(|revision| revision.active);
                let present = present(endpoints, service(app, name));
                going.extend(one.follow_endpoints(if active { present } else { &[] }, now));
            }
        }
        going
    }
}

fn present<'e>(endpoints: &'e Endpoints, service: &str) -> &'e [Endpoint] {
    endpoints.get(service).map_or(&[], Vec::as_slice)
}

impl RevisionControl {
    fn follow_endpoints(&mut self, present: &[Endpoint], now: Timestamp) -> Vec<Going> {
        let live = self.replicas.values().filter(|replica| replica.is_live());
        let known: BTreeSet<&Endpoint> = live.filter_map(|one| one.discovered.as_ref()).collect();
        let present: BTreeSet<&Endpoint> = present.iter().collect();
        if known == present {
            return Vec::new();
        }
        let new = present.difference(&known);
        let new: Vec<Endpoint> = new.map(|one| (*one).clone()).collect();
        let gone = self.replicas.values().filter(|replica| {
            let stays = |endpoint: &Endpoint| present.contains(endpoint);
            replica.is_live() && !replica.discovered.as_ref().is_some_and(stays)
        });
        let gone: Vec<ReplicaName> = gone.map(|replica| replica.name.clone()).collect();
        let going = gone.iter().filter_map(|name| self.let_go(name)).collect();
        for endpoint in new {
            let name = self.unused_name(&endpoint);
            let protocol = self.access.protocol;
            let replica = ReplicaControl::discovered(name.clone(), endpoint, protocol, now);
            self.replicas.insert(name, replica);
        }
        // Whoever runs them decides how many there are.
        self.state = ScaleState::starting_with(self.ready(), now);
        going
    }

    /// The name of an endpoint's replica. One of that name, elsewhere, may still be going.
    fn unused_name(&self, endpoint: &Endpoint) -> ReplicaName {
        let name = ReplicaName::new(&self.name, &endpoint.name);
        let others = (2..).map(|n| ReplicaName::new(&self.name, &format!("{}-{n}", endpoint.name)));
        let mut names = std::iter::once(name.clone()).chain(others);
        names
            .find(|name| !self.replicas.contains_key(name))
            .unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, HELLO, TWO};
    use super::*;

    fn endpoints(texts: &[&str]) -> Vec<Endpoint> {
        let endpoint = |text: &&str| Endpoint {
            name: format!("pod-{}", text.rsplit('.').next().unwrap()),
            address: format!("{text}:80").parse().unwrap(),
        };
        texts.iter().map(endpoint).collect()
    }

    fn live(one: &RevisionControl) -> Vec<&str> {
        let live = one.replicas.values().filter(|replica| replica.is_live());
        live.map(|replica| replica.name.as_str()).collect()
    }

    #[test]
    fn replicas_follow_the_endpoints_and_those_that_go_drain() {
        let mut one = fixtures::revision(&[]);
        let now = Timestamp::from_secs(2);
        assert!(
            one.follow_endpoints(&endpoints(&["10.0.0.1", "10.0.0.2"]), now)
                .is_empty()
        );
        assert_eq!(live(&one), ["hello--v1-pod-1", "hello--v1-pod-2"]);
        assert_eq!((one.ready(), one.state.desired()), (2, 2));
        let going = one.follow_endpoints(&endpoints(&["10.0.0.2"]), now);
        assert_eq!((going.len(), live(&one)), (1, vec!["hello--v1-pod-2"]));
        assert_eq!((one.ready(), one.state.desired()), (1, 1));
    }

    #[test]
    fn one_that_is_back_at_another_address_is_another_replica() {
        let mut one = fixtures::revision(&[]);
        let now = Timestamp::from_secs(2);
        one.follow_endpoints(&endpoints(&["10.0.0.1"]), now);
        one.follow_endpoints(&endpoints(&["10.0.1.1"]), now);
        assert_eq!(live(&one), ["hello--v1-pod-1-2"]);
        assert_eq!(one.replicas.len(), 2, "the other one drains");
    }

    #[test]
    fn a_service_is_named_as_the_app_or_as_the_revision() {
        for (text, expected) in [(HELLO, "hello"), (TWO, "hello--v2")] {
            let control = fixtures::app(text);
            assert_eq!(service(&control.app, control.app.latest()), expected);
        }
    }
}
