//! What all replicas of a runtime share.

use std::sync::Arc;

use ebbtide_core::time::Clock;
use tokio::sync::{mpsc, watch};

use crate::groups::Groups;
use crate::ports::Ports;
use crate::probe::Crowd;
use crate::{LogStore, ReplicaEvent};

/// What all replicas of a runtime share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) logs: Arc<LogStore>,
    pub(crate) ports: Ports,
    pub(crate) groups: Groups,
    /// The identifier of this instance, which marks its processes.
    pub(crate) instance: String,
    pub(crate) events: mpsc::Sender<ReplicaEvent>,
    /// The containers that are waited for.
    pub(crate) crowd: Crowd,
    /// True once the runtime shuts down.
    pub(crate) closing: watch::Sender<bool>,
}

impl Shared {
    /// Sends an event, waiting while the queue is full. During shutdown it does not wait, since
    /// whoever shuts the runtime down may no longer read.
    pub(crate) async fn emit(&self, event: ReplicaEvent) {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            biased;
            permit = self.events.reserve() => {
                // Without a receiver nobody wants to know.
                if let Ok(permit) = permit {
                    permit.send(event);
                }
            }
            _ = closing.wait_for(|closing| *closing) => {
                tracing::debug!(replica = %event.replica, "event dropped at shutdown");
            }
        }
    }
}
