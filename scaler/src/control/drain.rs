//! Letting replicas go: out of the ingress's table, closed to new requests, drained, then stopped.

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::ReplicaName;
use ebbtide_ingress::Replica;
use tokio::time::timeout;

use super::app::AppControl;
use super::replica::ReplicaState;
use super::revision::RevisionControl;
use super::task::ControlTask;
use super::touched::Touched;

/// A replica that gets no new requests from the next publication on.
pub(super) struct Going {
    name: ReplicaName,
    endpoint: Option<Arc<Replica>>,
    grace: Duration,
}

impl RevisionControl {
    /// Marks a replica as going; none if it is going already.
    pub(super) fn let_go(&mut self, name: &ReplicaName) -> Option<Going> {
        let grace = self.grace_period();
        let replica = self.replicas.get_mut(name)?;
        if !replica.is_live() {
            return None;
        }
        replica.state = ReplicaState::Draining;
        Some(Going {
            name: replica.name.clone(),
            endpoint: replica.endpoint.clone(),
            grace,
        })
    }

    /// Marks all its replicas as going.
    fn let_all_go(&mut self) -> Vec<Going> {
        let live = self.replicas.values().filter(|replica| replica.is_live());
        let live: Vec<ReplicaName> = live.map(|replica| replica.name.clone()).collect();
        live.iter().filter_map(|name| self.let_go(name)).collect()
    }
}

impl ControlTask {
    /// Publishes a table without the replicas that go. Only then they are closed and drained, so
    /// that no worker routes to a replica that refuses.
    pub(super) fn route_then_drain(&mut self, touched: &Touched, going: Vec<Going>) {
        // A table without the apps of the first documents would have their requests answered with 404.
        if let Some(routing) = self.routing.as_mut().filter(|_| self.has_documents) {
            routing.publish(&mut self.apps, &self.routes, touched);
        }
        for one in going {
            self.drain(one);
        }
    }

    /// Closes a replica to new requests and has it stopped once its last one has ended.
    fn drain(&mut self, going: Going) {
        let Going {
            name,
            endpoint,
            grace,
        } = going;
        let Some(endpoint) = endpoint else {
            let _ = self.drained(&name);
            return;
        };
        endpoint.close();
        self.drains.spawn(async move {
            // Past the grace period it is stopped with requests in flight.
            drop(timeout(grace, endpoint.drained()).await);
            name
        });
    }

    /// A replica has no request left: it is stopped, or forgotten if something else runs it.
    pub(super) fn drained(&mut self, name: &ReplicaName) -> Touched {
        let apps = self.apps.values_mut().chain(&mut self.leaving);
        let mut revisions = apps.flat_map(|app| app.revisions.values_mut());
        let Some(one) = revisions.find(|one| one.replicas.contains_key(name)) else {
            return Touched::Only(Vec::new());
        };
        match &mut self.runtime {
            Some(runtime) => {
                if let Some(replica) = one.replicas.get_mut(name) {
                    replica.state = ReplicaState::Stopping;
                }
                runtime.stop_replica(name);
            }
            None => drop(one.replicas.remove(name)),
        }
        Touched::app(one.name.app())
    }

    /// Lets all replicas of an app go, and keeps it until they are gone.
    pub(super) fn leave(&mut self, mut control: AppControl) {
        let revisions = control.revisions.values_mut();
        let going = revisions.flat_map(RevisionControl::let_all_go).collect();
        self.leaving.push(control);
        self.route_then_drain(&Touched::All, going);
    }

    /// Forgets apps that were taken away and have no replica left.
    pub(super) fn forget_left(&mut self) {
        let remains = |one: &RevisionControl| !one.replicas.is_empty();
        self.leaving
            .retain(|app| app.revisions.values().any(remains));
    }
}
