//! Taking in what ingresses elsewhere report.

use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;

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
            if let Some(one) = self.revision_mut(revision) {
                one.count(run, revision, *counts, news.from_zero, now);
            }
            self.adopted
                .count(run, revision, *counts, news.from_zero, now);
        }
        self.forget_gone(&news);
    }

    /// Tells revisions that have just come to be what ingresses said of them before.
    pub(super) fn introduce(&mut self, now: Timestamp) {
        let revisions = self.apps.values_mut().flat_map(|app| &mut app.revisions);
        for (name, one) in revisions.filter(|(_, one)| !one.is_reported()) {
            for (run, revision, counts) in self.ingresses.counts_of(|known| known == name) {
                one.count(run, &revision, counts, false, now);
            }
        }
    }

    /// Forgets what ingresses counted that have not been heard for long.
    pub(super) fn forget_silent_ingresses(&mut self, now: Timestamp) {
        let news = self.ingresses.forget_silent(now);
        self.forget_gone(&news);
    }

    fn forget_gone(&mut self, news: &News) {
        for (run, revision) in &news.gone {
            if let Some(one) = self.revision_mut(revision) {
                one.forget(*run, revision);
            }
            self.adopted.forget(*run, revision);
        }
    }

    fn revision_mut(&mut self, name: &RevisionName) -> Option<&mut RevisionControl> {
        let app = AppName::new(name.app()).ok()?;
        self.apps.get_mut(&app)?.revisions.get_mut(name)
    }
}
