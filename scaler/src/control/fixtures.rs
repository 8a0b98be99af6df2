//! Apps, revisions and replicas for tests.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;
use ebbtide_ingress::UpstreamProtocol;
use ebbtide_runtime::{ReplicaEventKind, ReplicaPorts};

use super::app::AppControl;
use super::apply::{Against, Prepared, prepare};
use super::counters::Counting;
use super::handle::Origin;
use super::identifier::Identifiers;
use super::replica::{ReplicaControl, ReplicaState};
use super::revision::RevisionControl;
use super::role::Kind;
use crate::documents::{self, Documents, InvalidDocument};

/// The apps that a control task has.
pub(super) type Apps = BTreeMap<ebbtide_core::name::AppName, AppControl>;

/// One app with the revision `hello--v1`.
pub(super) const HELLO: &str = "
name: hello
properties:
  configuration: {ingress: {targetPort: 80}}
  template: {revisionSuffix: v1, containers: [{name: web, command: [serve]}]}
";

/// `hello` in Multiple mode with revisions v1 (declared) and v2 (the latest).
pub(super) const TWO: &str = "
name: hello
properties:
  configuration:
    activeRevisionsMode: Multiple
    ingress:
      targetPort: 80
      traffic:
      - {revisionName: hello--v1, weight: 80, label: blue}
      - {latestRevision: true, weight: 20, label: green}
  template: {revisionSuffix: v2, containers: [{name: web, command: [serve]}]}
---
type: Microsoft.App/containerApps/revisions
name: hello--v1
properties: {template: {containers: [{name: web, command: [serve, slowly]}]}}
";

/// The documents of texts with their files' names.
pub(super) fn documents(texts: &[(&str, &str)]) -> Documents {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    documents::parse(&texts.iter().map(own).collect(), &BTreeMap::new()).unwrap()
}

/// What applying them would lead to.
pub(super) fn prepared(
    texts: &[(&str, &str)],
    origin: Origin,
    present: &Apps,
) -> Result<Vec<Prepared>, InvalidDocument> {
    let mut identifiers = Identifiers::new(7);
    let against = Against {
        origin,
        kind: Kind::Machine,
        present,
        now: Timestamp::from_secs(1),
    };
    prepare(documents(texts), against, &mut identifiers)
}

/// Applies them, as the control task does.
pub(super) fn apply(apps: &mut Apps, texts: &[(&str, &str)], origin: Origin) {
    for one in prepared(texts, origin, apps).unwrap() {
        let name = one.app.name().clone();
        let new = || AppControl::new(one.app.clone(), one.source.clone());
        let control = apps.entry(name).or_insert_with(new);
        let counting = Counting::Here(NonZeroUsize::MIN);
        control.commit(one, counting, Timestamp::from_secs(1));
    }
}

/// One app from a file.
pub(super) fn app(text: &str) -> AppControl {
    let mut apps = Apps::new();
    apply(&mut apps, &[("app.yaml", text)], Origin::Files);
    apps.into_values().next().unwrap()
}

/// The revision of [`HELLO`] with these replicas.
pub(super) fn revision(replicas: &[(&str, ReplicaState)]) -> RevisionControl {
    let mut revision = app(HELLO).revisions.into_values().next().unwrap();
    for (id, state) in replicas {
        add_replica(&mut revision, id, *state);
    }
    revision
}

/// Adds a replica; one that may have requests has an address.
pub(super) fn add_replica(revision: &mut RevisionControl, id: &str, state: ReplicaState) {
    let name = ReplicaName::new(&revision.name, id);
    let protocol = UpstreamProtocol::Http1;
    let now = Timestamp::from_secs(1);
    let mut replica = ReplicaControl::starting(name.clone(), 0, protocol, now);
    replica.observe(&started(1000), now);
    replica.state = state;
    replica.failed_to_start = state == ReplicaState::Backoff;
    revision.replicas.insert(name, replica);
}

/// The replica of this identifier.
pub(super) fn replica_of<'a>(one: &'a mut RevisionControl, id: &str) -> &'a mut ReplicaControl {
    let name = ReplicaName::new(&one.name, id);
    one.replicas.get_mut(&name).unwrap()
}

pub(super) fn started(port: u16) -> ReplicaEventKind {
    ReplicaEventKind::Started {
        pid: u32::from(port),
        ports: ReplicaPorts {
            main: Some(port),
            ..ReplicaPorts::default()
        },
    }
}

pub(super) fn ready() -> ReplicaEventKind {
    ReplicaEventKind::Ready
}

pub(super) fn backoff(because: &str, restarts: u32) -> ReplicaEventKind {
    ReplicaEventKind::Backoff {
        because: because.to_owned(),
        last_lines: Vec::new(),
        retry_in: Duration::from_secs(1),
        restarts,
    }
}
