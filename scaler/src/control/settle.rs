//! After each message: decide what is due, start and let go replicas, publish.

use ebbtide_core::app::Change;
use ebbtide_core::name::AppName;
use ebbtide_core::time::Timestamp;

use super::app::AppControl;
use super::events::Events;
use super::journal::{is_news, record_of};
use super::role::Kind;
use super::task::{ControlTask, PUBLISH_INTERVAL};
use super::touched::Touched;
use crate::clock::SystemClock;

impl ControlTask {
    /// What is published of the apps that were touched is no longer so, and all is brought in line with them.
    pub(super) fn settle_changed(&mut self, touched: &Touched) {
        let changed = |control: &mut AppControl| control.published = None;
        match touched {
            Touched::All => self.apps.values_mut().for_each(changed),
            Touched::Only(names) => {
                for name in names {
                    self.apps.get_mut(name).into_iter().for_each(changed);
                }
            }
        }
        self.settle(touched);
    }

    /// Brings everything in line with the state of the apps that were touched: decisions, replicas, the ingress's
    /// table, the published status.
    pub(super) fn settle(&mut self, touched: &Touched) {
        let now = self.now();
        let mut going = Vec::new();
        let names = touched.names(&self.apps);
        if self.kind == Kind::Ingress {
            going.extend(self.follow_endpoints(&names, now));
        }
        let heard = self.heard(now);
        for name in &names {
            if self.kind.decides() {
                self.decide_due(name, heard, now);
            }
            self.observe(name, now);
            going.extend(self.reconcile(name, now));
        }
        self.decide_adopted(heard, now);
        self.route_then_drain(touched, going);
        self.forget_left();
        if self
            .published_at
            .is_none_or(|at| now.since(at) >= PUBLISH_INTERVAL)
        {
            self.publish(now);
        }
    }

    fn decide_due(&mut self, name: &AppName, heard: Option<Timestamp>, now: Timestamp) {
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        if control.decide_due(heard, now, &self.options.clock, &self.events) {
            // Whoever carries decisions out elsewhere is to hear of this one now.
            self.published_at = None;
        }
    }

    /// Lets the app's state machine see how its revisions fare, and act on it.
    fn observe(&mut self, name: &AppName, now: Timestamp) {
        let Some(control) = self.apps.get_mut(name) else {
            return;
        };
        let changes = control.observe(now);
        if !changes.is_empty() {
            control.published = None;
        }
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

impl AppControl {
    /// Decides for each active revision whose time has come. Returns whether the replicas of any are
    /// to be others.
    pub(super) fn decide_due(
        &mut self,
        heard: Option<Timestamp>,
        now: Timestamp,
        clock: &SystemClock,
        events: &Events,
    ) -> bool {
        let app = &self.app;
        let mut changed = false;
        for (revision, one) in &mut self.revisions {
            let known = app.revision(revision);
            if one.next_decision > now || !known.is_some_and(|revision| revision.active) {
                continue;
            }
            self.published = None;
            one.heard = heard;
            if !one.can_be_decided_for(now) {
                continue;
            }
            let before = one.decision.clone();
            let decision = one.decide(now, app.takeover_replicas(revision)).clone();
            let (app, time) = (app.name().as_str(), clock.rfc3339(decision.at));
            let record = if is_news(&decision, before.as_ref()) {
                self.journal.keep(app, time, &decision)
            } else {
                let sequence = one.record.as_ref().map_or(0, |record| record.sequence);
                record_of(sequence, app, time, &decision)
            };
            if decision.changed() {
                events.decision(&record);
                changed = true;
            }
            one.record = Some(record);
        }
        changed
    }
}
