//! After each message: decide what is due, start and let go replicas, publish.

use ebbtide_core::app::Change;
use ebbtide_core::name::AppName;
use ebbtide_core::time::Timestamp;

use super::app::AppControl;
use super::journal::{is_news, record_of};
use super::role::Kind;
use super::task::{ControlTask, PUBLISH_INTERVAL};

impl ControlTask {
    /// Brings everything in line with the state: decisions, replicas, the ingress's table, the
    /// published status.
    pub(super) fn settle(&mut self) {
        let now = self.now();
        let mut going = Vec::new();
        let names: Vec<AppName> = self.apps.keys().cloned().collect();
        if self.kind == Kind::Ingress {
            going.extend(self.follow_endpoints(now));
        }
        for name in &names {
            if self.kind.decides() {
                self.decide_due(name, now);
            }
            if self.apps.get(name).is_some_and(AppControl::is_adopted) {
                continue;
            }
            self.observe(name);
            going.extend(self.reconcile(name, now));
        }
        self.route_then_drain(going);
        self.forget_left();
        if self
            .published_at
            .is_none_or(|at| now.since(at) >= PUBLISH_INTERVAL)
        {
            self.publish(now);
        }
    }

    /// Decides for each active revision of an app whose time has come.
    fn decide_due(&mut self, name: &AppName, now: Timestamp) {
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        let app = &control.app;
        for (revision, one) in &mut control.revisions {
            let active = app
                .revision(revision)
                .is_some_and(|revision| revision.active);
            if !active || one.next_decision > now {
                continue;
            }
            control.published = None;
            if !one.can_be_decided_for(now) {
                continue;
            }
            let before = one.decision.clone();
            let decision = one.decide(now, app.takeover_replicas(revision)).clone();
            let (app, time) = (name.as_str(), self.options.clock.rfc3339(decision.at));
            let record = if is_news(&decision, before.as_ref()) {
                control.journal.keep(app, time, &decision)
            } else {
                let sequence = one.record.as_ref().map_or(0, |record| record.sequence);
                record_of(sequence, app, time, &decision)
            };
            if decision.changed() {
                self.events.decision(&record);
                // Whoever carries decisions out elsewhere is to hear of this one now.
                self.published_at = None;
            }
            one.record = Some(record);
        }
    }

    /// Lets the app's state machine see how its revisions fare, and act on it.
    fn observe(&mut self, name: &AppName) {
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        let changes = control.observe();
        for change in &changes {
            self.events.change(name, change);
        }
        self.changed(name, &changes);
    }

    /// Takes in what changed: a revision that is active again starts from nothing.
    pub(super) fn changed(&mut self, name: &AppName, changes: &[Change]) {
        let now = self.now();
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        for change in changes {
            if let Change::RevisionActivated(revision) = change
                && let Some(one) = control.revisions.get_mut(revision)
            {
                one.wake(now);
            }
        }
        control.forget_purged();
    }
}
