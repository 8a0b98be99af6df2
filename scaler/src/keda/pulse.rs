//! Turns publications into what streams wait for: that a subject has replicas decided for it, or
//! that requests wait for its first one.
//!
//! One task looks at each publication and tells only the streams whose subject's pulse changed, so
//! that thousands of them cost nothing while nothing happens.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Mutex, PoisonError};

use ebbtide_core::trigger::Scope;
use tokio::sync::watch;

use crate::api::model::RevisionStatus;
use crate::control::{Control, Published};

/// What a stream has to know of its subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pulse {
    /// Whether it is to have replicas.
    pub(super) active: bool,
    /// Whether requests wait and no replica is ready to take them.
    pub(super) waiting: bool,
    /// How often it became active since it is watched, so that an edge is seen however late.
    pub(super) rises: u64,
}

impl Pulse {
    /// Takes in what it is now. Returns whether that is something else.
    fn update(&mut self, now: Self) -> bool {
        let rises = self.rises + u64::from(now.active && !self.active);
        let next = Self { rises, ..now };
        std::mem::replace(self, next) != next
    }
}

/// The pulses of all subjects that are watched.
#[derive(Default)]
pub(super) struct Pulses {
    watched: Mutex<BTreeMap<Scope, watch::Sender<Pulse>>>,
}

impl Pulses {
    /// Watches a subject, whose pulse is as it was published last until [`Pulses::follow`] sees the
    /// next publication.
    pub(super) fn watch(&self, scope: Scope, control: &Control) -> watch::Receiver<Pulse> {
        let mut all = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that nothing older is taken in after something newer.
        let now = pulse(&control.published(), &scope);
        let sender = all.entry(scope).or_insert_with(|| watch::Sender::new(now));
        sender.send_if_modified(|pulse| pulse.update(now));
        sender.subscribe()
    }

    /// Follows publications, without end: when the control task has ended, what it published last
    /// stays in force.
    pub(super) async fn follow(&self, control: &Control) -> Infallible {
        let mut publications = control.publications();
        while publications.changed().await.is_ok() {
            self.update(control);
        }
        pending().await
    }

    /// Tells those whose pulse is another one now, and forgets what nobody watches any more.
    fn update(&self, control: &Control) {
        let mut all = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let published = control.published();
        all.retain(|_, sender| sender.receiver_count() > 0);
        for (scope, sender) in all.iter() {
            let now = pulse(&published, scope);
            sender.send_if_modified(|pulse| pulse.update(now));
        }
    }
}

/// The pulse of a subject; that of an app that is gone is flat.
fn pulse(published: &Published, scope: &Scope) -> Pulse {
    let app = published.app(scope.app.as_str());
    let revisions = app.into_iter().flat_map(|app| &app.revisions);
    let wanted = |one: &&RevisionStatus| {
        one.active
            && scope
                .revision
                .as_ref()
                .is_none_or(|name| one.name == name.as_str())
    };
    revisions
        .filter(wanted)
        .fold(Pulse::default(), |pulse, one| Pulse {
            active: pulse.active || one.replicas.desired > 0,
            waiting: pulse.waiting || waits(one),
            rises: 0,
        })
}

/// Whether requests wait for a revision's first ready replica.
fn waits(revision: &RevisionStatus) -> bool {
    revision.waiting_requests > 0 && revision.replicas.ready == 0
}
