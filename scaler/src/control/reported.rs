//! Taking in what ingresses elsewhere report.

use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;

use super::adoption::covers;
use super::ingresses::News;
use super::revision::RevisionControl;
use super::task::ControlTask;
use crate::telemetry::{Counts, Report};

impl ControlTask {
    /// Takes in a report, and decides at once for revisions whose requests wait.
    pub(super) fn reported(&mut self, report: Report) {
        let now = self.now();
        let run = report.run;
        let news = self.ingresses.take_in(report, now);
        for (revision, counts) in &news.counts {
            self.count(run, revision, *counts, news.from_zero, now);
        }
        self.forget_gone(&news);
        let heard = self.ingresses.heard();
        for app in self.apps.values_mut() {
            for one in app.revisions.values_mut() {
                one.heard = heard;
            }
        }
    }

    /// Tells revisions that have just come to be what ingresses said of them before.
    pub(super) fn introduce(&mut self, now: Timestamp) {
        let heard = self.ingresses.heard();
        for app in self.apps.values_mut() {
            let traffic = app.traffic.clone();
            for (name, one) in &mut app.revisions {
                one.heard = heard;
                if one.is_reported() {
                    continue;
                }
                let counted = |known: &RevisionName| match &traffic {
                    Some(traffic) => covers(traffic, known),
                    None => known == name,
                };
                for (run, revision, counts) in self.ingresses.counts_of(counted) {
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

    fn count(
        &mut self,
        run: u64,
        revision: &RevisionName,
        counts: Counts,
        from_zero: bool,
        now: Timestamp,
    ) {
        self.for_each_counting(revision, |one| {
            one.count(run, revision, counts, from_zero, now);
        });
    }

    fn forget_gone(&mut self, news: &News) {
        for (run, revision) in &news.gone {
            self.for_each_counting(revision, |one| one.forget(*run, revision));
        }
    }

    /// Those whose rules count the requests of `revision`: itself, and those that ScaledObjects brought.
    fn for_each_counting(
        &mut self,
        revision: &RevisionName,
        mut count: impl FnMut(&mut RevisionControl),
    ) {
        let Ok(app) = AppName::new(revision.app()) else {
            return;
        };
        let itself = self.apps.get_mut(&app);
        if let Some(one) = itself.and_then(|app| app.revisions.get_mut(revision)) {
            count(one);
        }
        for follower in self.followers.get(&app).into_iter().flatten() {
            if let Some(control) = self.apps.get_mut(follower)
                && control.counts(revision)
            {
                control.revisions.values_mut().for_each(&mut count);
            }
        }
    }
}
