//! Taking in what ingresses elsewhere report.

use ebbtide_core::document::ActiveRevisionsMode;
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;

use super::app::AppControl;
use super::counters::Counting;
use super::ingresses::News;
use super::revision::RevisionControl;
use super::task::ControlTask;
use crate::telemetry::Report;

impl ControlTask {
    /// Takes in a report, and decides at once for revisions whose requests wait.
    pub(super) fn reported(&mut self, report: Report) {
        let now = self.now();
        let run = report.run;
        let news = self.ingresses.take_in(report, now);
        for (revision, counts) in &news.counts {
            if let Some(app) = self.app_of(revision) {
                for (_, one) in app.counting(revision) {
                    one.count(run, revision, *counts, news.from_zero, now);
                }
            }
            self.adopted
                .count(run, revision, *counts, news.from_zero, now);
        }
        self.forget_gone(&news);
    }

    /// Tells revisions that have just come to be what ingresses said of them before.
    pub(super) fn introduce(&mut self, now: Timestamp) {
        for control in self.apps.values_mut() {
            let app = control.app.name().clone();
            let of_app = |known: &RevisionName| known.app() == app.as_str();
            for (run, revision, counts) in self.ingresses.counts_of(of_app) {
                let new = control.counting(&revision);
                for (_, one) in new.filter(|(_, one)| !one.is_reported_by(run, &revision)) {
                    one.count(run, &revision, counts, false, now);
                }
            }
        }
    }

    /// Forgets what ingresses counted that have not been heard for long.
    pub(super) fn forget_silent_ingresses(&mut self, now: Timestamp) {
        let news = self.ingresses.forget_silent(now);
        self.forget_gone(&news);
    }

    /// When the ingress was heard that has been silent longest; the one of this process always is.
    pub(super) fn heard(&self, now: Timestamp) -> Option<Timestamp> {
        match self.counting {
            Counting::Here(_) => Some(now),
            Counting::Elsewhere => self.ingresses.heard(),
        }
    }

    fn forget_gone(&mut self, news: &News) {
        for (run, revision) in &news.gone {
            let app = self.app_of(revision);
            for one in app.into_iter().flat_map(|app| app.revisions.values_mut()) {
                one.forget(*run, revision);
            }
            self.adopted.forget(*run, revision);
        }
    }

    fn app_of(&mut self, revision: &RevisionName) -> Option<&mut AppControl> {
        let app = AppName::new(revision.app()).ok()?;
        self.apps.get_mut(&app)
    }
}

impl AppControl {
    /// The revisions that count what is reported of `reported`: that one, or in Single mode those that
    /// are active, since a changed document need not have come to ingress and scaler at once.
    fn counting<'a>(
        &'a mut self,
        reported: &'a RevisionName,
    ) -> impl Iterator<Item = (&'a RevisionName, &'a mut RevisionControl)> {
        let app = &self.app;
        let mode = app.document().configuration.active_revisions_mode;
        self.revisions
            .iter_mut()
            .filter(move |(name, _)| match mode {
                ActiveRevisionsMode::Single => app.revision(name).is_some_and(|one| one.active),
                ActiveRevisionsMode::Multiple => *name == reported,
            })
    }
}
