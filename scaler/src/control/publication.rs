//! Publishing the state of every app, and keeping a point of it each second.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;

use super::app::AppControl;
use super::handle::{Published, PublishedApp, RevisionMetrics};
use super::ingresses::MOST;
use super::mirror;
use super::role::Kind;
use super::routing::Routing;
use super::status::View;
use super::task::ControlTask;
use crate::api::model::ReplicaCounts;

impl ControlTask {
    /// Makes what is published of these apps, where that is not what it was. A publication has less to make of all
    /// of them at once then, and requests that wake an app are not kept waiting by it.
    pub(super) fn describe(&mut self, apps: &[AppName]) {
        let remarks = self.remarks(apps.iter().filter_map(|name| self.apps.get(name)));
        let view = View::new(&self.options, self.now(), remarks);
        for name in apps {
            if let Some(control) = self.apps.get_mut(name) {
                described(&view, control);
            }
        }
    }

    /// Publishes the state of every app.
    pub(super) fn publish(&mut self, now: Timestamp) {
        let remarks = self.remarks(self.apps.values());
        let view = View::new(&self.options, now, remarks);
        let published = |control: &mut AppControl| described(&view, control);
        let apps = self.apps.values_mut().map(published).collect();
        let rules = self.adopted.apps.values_mut().map(published).collect();
        let sequence = self.published.load().sequence + 1;
        let published = Published {
            apps,
            routes: (self.routes.values())
                .map(|control| view.routes(control, &self.apps))
                .collect(),
            rules,
            ready: self.has_documents && self.knows_endpoints,
            informed: self.kind != Kind::Scaler || self.ingresses.are_settled(now),
            ingresses: (self.kind == Kind::Scaler).then(|| (self.ingresses.count(), MOST)),
            sequence,
        };
        self.published.store(Arc::new(published));
        self.publications.send_replace(sequence);
        self.published_at = Some(now);
    }

    /// What does not work as the documents have it, of those of `apps` whose state is made anew.
    fn remarks<'a>(
        &'a self,
        apps: impl Iterator<Item = &'a AppControl>,
    ) -> BTreeMap<AppName, Vec<String>> {
        let mut remarks = self
            .routing
            .as_ref()
            .map(Routing::failures)
            .unwrap_or_default();
        for control in apps.filter(|app| app.published.is_none()) {
            if let Some(problem) = mirror::problem(control, &self.apps) {
                let name = control.app.name().clone();
                remarks.entry(name).or_default().push(problem);
            }
        }
        remarks
    }

    /// Keeps a point of each revision's past. That of one which is over is forgotten bit by bit: there may be a
    /// hundred of an app.
    pub(super) fn keep_history(&mut self, apps: &[AppName], now: Timestamp) {
        let view = View::new(&self.options, now, BTreeMap::new());
        for name in apps {
            let Some(control) = self.apps.get_mut(name) else {
                continue;
            };
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

/// What is published of an app, which is made if it is not there.
fn described(view: &View<'_>, control: &mut AppControl) -> Arc<PublishedApp> {
    let known = control.published.take().unwrap_or_else(|| {
        Arc::new(PublishedApp {
            status: view.app(control),
            revisions: metrics(control),
        })
    });
    Arc::clone(control.published.insert(known))
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
