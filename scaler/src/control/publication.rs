//! Publishing the state of every app, and keeping a point of it each second.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;

use super::app::AppControl;
use super::handle::{Published, RevisionMetrics, Rules};
use super::ingresses::MOST;
use super::mirror;
use super::role::Kind;
use super::routing::Routing;
use super::status::View;
use super::task::ControlTask;
use crate::api::model::ReplicaCounts;

impl ControlTask {
    /// Publishes the state of every app.
    pub(super) fn publish(&mut self, now: Timestamp) {
        let view = View {
            clock: &self.options.clock,
            now,
            ingress_port: self.options.ingress_port,
            remarks: self.remarks(),
        };
        let adopted = self.adopted.apps.values_mut();
        let rules = adopted.map(|control| rules(&view, control)).collect();
        let apps = self.apps.values();
        let sequence = self.published.load().sequence + 1;
        let published = Published {
            apps: apps.clone().map(|control| view.app(control)).collect(),
            routes: (self.routes.values())
                .map(|control| view.routes(control, &self.apps))
                .collect(),
            rules,
            revisions: apps.flat_map(metrics).collect(),
            ready: self.has_documents && self.knows_endpoints,
            informed: self.kind != Kind::Scaler || self.ingresses.are_settled(now),
            ingresses: (self.kind == Kind::Scaler).then(|| (self.ingresses.count(), MOST)),
            sequence,
        };
        self.published.store(Arc::new(published));
        self.publications.send_replace(sequence);
        self.published_at = Some(now);
    }

    /// What does not work as the documents of apps have it.
    fn remarks(&self) -> BTreeMap<AppName, Vec<String>> {
        let mut remarks = self
            .routing
            .as_ref()
            .map(Routing::failures)
            .unwrap_or_default();
        for (name, control) in &self.apps {
            if let Some(problem) = mirror::problem(control, &self.apps) {
                remarks.entry(name.clone()).or_default().push(problem);
            }
        }
        remarks
    }

    /// Keeps a point of each revision's past. That of one which is over is forgotten bit by bit: there may be a
    /// hundred of an app.
    pub(super) fn keep_history(&mut self, now: Timestamp) {
        let clock = Arc::clone(&self.options.clock);
        let view = View {
            clock: &clock,
            now,
            ingress_port: self.options.ingress_port,
            remarks: BTreeMap::new(),
        };
        for control in self.apps.values_mut() {
            let names: Vec<RevisionName> = control.revisions.keys().cloned().collect();
            for name in names {
                let point = view.history_point(control, &name);
                let is_active = control.app.revision(&name).is_some_and(|one| one.active);
                if let (Some(point), Some(one)) = (point, control.revisions.get_mut(&name)) {
                    if is_active || point.replicas != ReplicaCounts::default() {
                        one.history.keep(point);
                    } else {
                        one.history.fade();
                    }
                }
            }
        }
    }
}

/// An app that stands for rules, as of its last decision: of thousands few have a new one.
fn rules(view: &View<'_>, control: &mut AppControl) -> Rules {
    if let Some(published) = &control.published {
        return published.clone();
    }
    let rules = Rules {
        status: Arc::new(view.app(control)),
        lowered: control.revisions.values().any(|one| one.lowered),
    };
    control.published.insert(rules).clone()
}

fn metrics(control: &AppControl) -> Vec<RevisionMetrics> {
    let metrics =
        |(revision, one): (&RevisionName, &super::revision::RevisionControl)| RevisionMetrics {
            app: control.app.name().to_string(),
            revision: revision.to_string(),
            meter: one.meter.clone(),
            decisions: one.counts,
            replicas: one.replica_counts(control.desired(revision)),
            lowered: one.lowered,
            readings: one.readings_of_sources(),
        };
    control.revisions.iter().map(metrics).collect()
}
