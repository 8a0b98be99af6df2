//! An app as the control task sees it: its revisions, its journal, how its requests are split.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ebbtide_core::app::{App, Change, Observation, Revision};
use ebbtide_core::name::RevisionName;
use ebbtide_core::policy::RequestPolicy;
use ebbtide_core::scale::ScaleSpec;
use ebbtide_core::time::Timestamp;
use ebbtide_core::trigger::Scope;
use ebbtide_ingress::Split;

use super::apply::{Declared, Prepared};
use super::counters::Counting;
use super::handle::PublishedApp;
use super::journal::Journal;
use super::mirror;
use super::revision::{Access, RevisionControl};
use super::routing::CurrentSplit;

/// Where an app's document came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A file that is read again when it changes; the app goes when its document does.
    File(PathBuf),
    /// The status API.
    Api,
    /// A ScaledObject that brings rules of its own.
    ScaledObject {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Source {
    /// Its name in the status API: the file's path, or `api`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Api => "api".to_owned(),
            Self::ScaledObject { namespace, name } => format!("scaledobject {namespace}/{name}"),
        }
    }
}

/// An app and what runs for it.
pub(super) struct AppControl {
    /// Its document and the state of its revisions.
    pub(super) app: App,
    /// Where its document came from.
    pub(super) source: Source,
    /// What its document's author should know.
    pub(super) warnings: Vec<String>,
    /// Where relative paths of its commands start.
    pub(super) folder: PathBuf,
    /// Its revisions, by name.
    pub(super) revisions: BTreeMap<RevisionName, RevisionControl>,
    /// Its decisions.
    pub(super) journal: Journal,
    /// Of what app the requests count, if that is another one.
    pub(super) traffic: Option<Scope>,
    /// What files declared last, whatever has come from elsewhere since.
    pub(super) declared_by_files: Option<Declared>,
    /// What was published of it last, if that is still so.
    pub(super) published: Option<Arc<PublishedApp>>,
    /// What becomes of its requests in the ingress.
    pub(super) policy: Arc<RequestPolicy>,
    split: Option<CurrentSplit>,
    finished_at_split: BTreeMap<RevisionName, u64>,
}

impl AppControl {
    /// An app without replicas.
    pub(super) fn new(app: App, source: Source) -> Self {
        Self {
            app,
            source,
            warnings: Vec::new(),
            folder: PathBuf::new(),
            traffic: None,
            declared_by_files: None,
            revisions: BTreeMap::new(),
            journal: Journal::default(),
            published: None,
            policy: Arc::default(),
            split: None,
            finished_at_split: BTreeMap::new(),
        }
    }

    /// Takes in documents that were checked against its present state.
    pub(super) fn commit(&mut self, prepared: Prepared, counting: Counting, now: Timestamp) {
        self.app = prepared.app;
        self.source = prepared.source;
        self.warnings = prepared.warnings;
        self.folder = prepared.folder;
        if prepared.declared_by_files.is_some() {
            self.declared_by_files = prepared.declared_by_files;
        }
        self.sync(prepared.specs, &prepared.changes, counting, now);
    }

    /// Brings `revisions` in line with the app's after `changes`: new ones start, those that are
    /// forgotten and have no replica left go, and all follow the present document.
    pub(super) fn sync(
        &mut self,
        mut specs: BTreeMap<RevisionName, ScaleSpec>,
        changes: &[Change],
        counting: Counting,
        now: Timestamp,
    ) {
        let access = Access::of(self.app.document());
        self.policy = Arc::new(mirror::policy(&self.app));
        for revision in self.app.revisions() {
            let name = &revision.name;
            let Some(spec) = specs.remove(name) else {
                continue;
            };
            let created = changes.contains(&Change::RevisionCreated(name.clone()));
            match self.revisions.get_mut(name) {
                Some(known) if !created => {
                    known.follow(spec, access.clone(), now);
                    if self.source != Source::Api && name == self.app.latest() {
                        known.folder.clone_from(&self.folder);
                    }
                }
                _ => {
                    let folder = self.folder.clone();
                    let access = access.clone();
                    let mut new =
                        RevisionControl::new(revision, spec, folder, access, counting, now);
                    // One of this name may have been purged whose replicas are still going.
                    let purged = self.revisions.remove(name);
                    new.replicas = purged.map(|one| one.replicas).unwrap_or_default();
                    self.revisions.insert(name.clone(), new);
                }
            }
        }
        self.forget_purged();
    }

    /// Forgets revisions that the app has forgotten, once their replicas are gone.
    pub(super) fn forget_purged(&mut self) {
        let app = &self.app;
        self.revisions
            .retain(|name, one| app.revision(name).is_some() || !one.replicas.is_empty());
    }

    /// Tells the app's state machine how its revisions fare.
    pub(super) fn observe(&mut self, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, revision) in &mut self.revisions {
            revision.observe_failure();
            let observation = Observation {
                desired: revision.desired(&self.app),
                ready: revision.ready(),
                failure: revision.failure.clone(),
            };
            changes.extend(self.app.observe(name, &observation, now));
        }
        changes
    }

    /// How many replicas a revision is to have; none when it is not active.
    pub(super) fn desired(&self, name: &RevisionName) -> u32 {
        let revision = self.revisions.get(name);
        revision.map_or(0, |revision| revision.desired(&self.app))
    }

    /// The app's revisions, newest first.
    pub(super) fn newest_first(&self) -> Vec<&Revision> {
        self.app.revisions().rev().collect()
    }

    /// The split by these weights: the one in force if it is that, else a new one, from which
    /// the observed shares are counted anew.
    pub(super) fn split(&mut self, weights: Vec<(RevisionName, u32)>) -> Arc<Split> {
        if let Some(current) = self
            .split
            .as_ref()
            .filter(|current| current.is_by(&weights))
        {
            return current.split();
        }
        let finished = self
            .revisions
            .iter()
            .map(|(name, one)| (name.clone(), finished(one)));
        self.finished_at_split = finished.collect();
        self.split.insert(CurrentSplit::new(weights)).split()
    }

    /// Requests of a revision that finished since the split in force began.
    pub(super) fn observed_requests(&self, name: &RevisionName) -> u64 {
        let before = self.finished_at_split.get(name).copied().unwrap_or(0);
        self.revisions
            .get(name)
            .map_or(0, |one| finished(one).saturating_sub(before))
    }
}

fn finished(revision: &RevisionControl) -> u64 {
    revision.meter.sums().ended
}
