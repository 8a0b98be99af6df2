//! Rules that ScaledObjects bring themselves: each trigger's are an app of their own, without replicas
//! here, whose requests are those of another app.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ebbtide_core::app::App;
use ebbtide_core::document::{Configuration, ContainerApp, Scale, ScaleRule, Template};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;
use ebbtide_core::trigger::{OwnRules, Scope};

use super::app::{AppControl, Source};
use super::counters::Counting;
use super::handle::ControlError;
use super::revision::RevisionControl;
use super::task::ControlTask;
use crate::telemetry::Counts;

/// The suffix of the one revision of such an app.
const SUFFIX: &str = "rules";

/// The most such apps; as many as ScaledObjects that are answered.
const MOST: usize = 20_000;

/// The run of an ingress that stands for the one of this process.
const OWN_RUN: u64 = 0;

/// Time from one look at all of them to the next.
const LOOK: Duration = Duration::from_millis(50);

/// Every app that stands for rules.
#[derive(Default)]
pub(super) struct Adopted {
    /// The apps.
    pub(super) apps: BTreeMap<AppName, AppControl>,
    /// Those that count an app's requests, by that app.
    followers: BTreeMap<AppName, BTreeSet<AppName>>,
    /// What they were told last of the ingress of this process.
    told: BTreeMap<RevisionName, Counts>,
    /// When they are looked at next.
    pub(super) next_look: Timestamp,
}

/// Rules to decide by, and who brings them.
#[derive(Debug)]
pub struct Adoption {
    /// The app that is to stand for them.
    pub app: AppName,
    /// The ScaledObject's namespace.
    pub namespace: String,
    /// The ScaledObject's name.
    pub scaled_object: String,
    /// The rules.
    pub rules: Box<OwnRules>,
    /// How many distinct sources the namespace may have.
    pub sources: usize,
}

impl ControlTask {
    /// Decides by these rules from now on.
    ///
    /// # Errors
    /// When there are too many, or they cannot be an app.
    pub(super) fn adopt(&mut self, adoption: Adoption) -> Result<(), ControlError> {
        let now = self.now();
        if self.adopted.apps.contains_key(&adoption.app) {
            return Ok(());
        }
        if self.adopted.apps.len() >= MOST {
            return Err(ControlError::Conflict(format!(
                "{MOST} triggers with rules of their own are decided for already, and no more can \
                 be; run another Ebbtide for some of them"
            )));
        }
        self.check_sources(&adoption)?;
        let name = adoption.app.clone();
        let mut control = adopted_app(adoption, now)?;
        if let Some(traffic) = control.traffic.clone() {
            let counted = self.counted_of(&traffic, now);
            for one in control.revisions.values_mut() {
                for (run, revision, counts) in &counted {
                    one.count(*run, revision, *counts, false, now);
                }
            }
            let followers = self.adopted.followers.entry(traffic.app).or_default();
            followers.insert(name.clone());
        }
        tracing::info!(app = %name, source = control.source.name(), "rules are decided by");
        self.adopted.apps.insert(name, control);
        self.signals.is_stale = true;
        Ok(())
    }

    /// What is counted of the requests of an app so far, here or by ingresses elsewhere.
    fn counted_of(&self, traffic: &Scope, now: Timestamp) -> Vec<(u64, RevisionName, Counts)> {
        if self.counting == Counting::Elsewhere {
            return self.ingresses.counts_of(|known| covers(traffic, known));
        }
        let revisions = self.apps.get(&traffic.app).map(|app| &app.revisions);
        let counted = revisions.into_iter().flatten();
        let counted = counted.filter(|(name, _)| covers(traffic, name));
        counted
            .map(|(name, one)| (OWN_RUN, name.clone(), one.counts(now)))
            .collect()
    }

    /// Decides for those whose time has come: now and then, as looking through thousands of them
    /// after each message takes long, and at once when requests wait.
    pub(super) fn decide_adopted(&mut self, heard: Option<Timestamp>, now: Timestamp) {
        if now < self.adopted.next_look {
            return;
        }
        self.adopted.next_look = now + LOOK;
        let mut changed = false;
        for control in self.adopted.apps.values_mut() {
            changed |= control.decide_due(heard, now, &self.options.clock, &self.events);
        }
        if changed {
            self.published_at = None;
        }
    }

    /// Whether the sources of a namespace are within their bound with these rules.
    fn check_sources(&self, adoption: &Adoption) -> Result<(), ControlError> {
        let Adoption {
            namespace, sources, ..
        } = adoption;
        let new: BTreeSet<SourceKey<'_>> =
            adoption.rules.rules.iter().filter_map(source_key).collect();
        if new.is_empty() {
            return Ok(());
        }
        let of_namespace = |control: &&AppControl| match &control.source {
            Source::ScaledObject { namespace, .. } => *namespace == adoption.namespace,
            Source::File(_) | Source::Api => false,
        };
        let apps = self.adopted.apps.values().filter(of_namespace);
        let known = apps.flat_map(|control| &control.app.document().template.scale.rules);
        let known: BTreeSet<SourceKey<'_>> = known.filter_map(source_key).collect();
        let new = new.difference(&known).count();
        if new > 0 && known.len() + new > *sources {
            return Err(ControlError::Conflict(format!(
                "the ScaledObjects of namespace {namespace} name {} sources already, and {sources} \
                 are allowed (--sources-per-namespace)",
                known.len()
            )));
        }
        Ok(())
    }

    /// Forgets rules that stand for nothing any more.
    pub(super) fn release(&mut self, keep: &BTreeSet<AppName>) {
        self.adopted.apps.retain(|name, _| keep.contains(name));
        self.signals.is_stale = true;
        self.adopted.followers.retain(|_, followers| {
            followers.retain(|name| keep.contains(name));
            !followers.is_empty()
        });
    }

    /// Tells the apps that stand for rules what the ingress of this process counts, as another
    /// ingress would report it.
    pub(super) fn tell_adopted(&mut self, now: Timestamp) {
        if self.counting == Counting::Elsewhere {
            return;
        }
        let followed = self.adopted.followers.keys();
        let counted: BTreeMap<RevisionName, Counts> = followed
            .filter_map(|app| self.apps.get(app))
            .flat_map(|app| &app.revisions)
            .map(|(name, one)| (name.clone(), one.counts(now)))
            .collect();
        for (name, counts) in &counted {
            // Of one that is idle there is nothing to tell.
            let told = self.adopted.told.get(name);
            if told != Some(counts) || counts.in_flight() > 0 {
                self.adopted.count(OWN_RUN, name, *counts, true, now);
            }
        }
        self.adopted.told = counted;
    }
}

impl Adopted {
    /// Takes in what a run of an ingress has counted of a revision.
    pub(super) fn count(
        &mut self,
        run: u64,
        revision: &RevisionName,
        counts: Counts,
        from_zero: bool,
        now: Timestamp,
    ) {
        let mut is_due = false;
        self.for_each_counting(revision, |one| {
            one.count(run, revision, counts, from_zero, now);
            is_due |= one.next_decision <= now;
        });
        if is_due {
            self.next_look = now;
        }
    }

    /// A run of an ingress routes to a revision no more.
    pub(super) fn forget(&mut self, run: u64, revision: &RevisionName) {
        self.for_each_counting(revision, |one| one.forget(run, revision));
    }

    fn for_each_counting(
        &mut self,
        revision: &RevisionName,
        mut each: impl FnMut(&mut RevisionControl),
    ) {
        let app = AppName::new(revision.app()).ok();
        let followers = app.and_then(|app| self.followers.get(&app));
        for follower in followers.into_iter().flatten() {
            if let Some(control) = self.apps.get_mut(follower)
                && let Some(traffic) = &control.traffic
                && covers(traffic, revision)
            {
                control.revisions.values_mut().for_each(&mut each);
            }
        }
    }
}

/// What tells sources apart: a scaler and its metadata.
type SourceKey<'r> = (&'r str, &'r BTreeMap<String, String>);

/// The source that a rule reads; none if it reads what is here anyway.
fn source_key(rule: &ScaleRule) -> Option<SourceKey<'_>> {
    let is_own = matches!(
        rule.scaler.as_str(),
        "http" | "tcp" | "cpu" | "memory" | "cron"
    );
    (!is_own).then_some((rule.scaler.as_str(), &rule.metadata))
}

/// Whether requests of this revision are meant.
pub(super) fn covers(scope: &Scope, revision: &RevisionName) -> bool {
    match &scope.revision {
        Some(only) => only == revision,
        None => scope.app.as_str() == revision.app(),
    }
}

fn adopted_app(adoption: Adoption, now: Timestamp) -> Result<AppControl, ControlError> {
    let Adoption {
        app,
        namespace,
        scaled_object,
        rules,
        ..
    } = adoption;
    let OwnRules {
        spec,
        traffic,
        rules,
    } = *rules;
    let document = ContainerApp {
        name: app,
        location: None,
        tags: BTreeMap::new(),
        configuration: Configuration::default(),
        template: Template {
            revision_suffix: Some(SUFFIX.to_owned()),
            scale: Scale {
                rules,
                ..Scale::default()
            },
            ..Template::default()
        },
        accepted: BTreeMap::new(),
    };
    let invalid = |error: ebbtide_core::app::AppError| ControlError::Invalid(error.to_string());
    let (app, changes) = App::create(document, Vec::new(), now, 0).map_err(invalid)?;
    let specs = BTreeMap::from([(app.latest().clone(), spec)]);
    let source = Source::ScaledObject {
        namespace,
        name: scaled_object,
    };
    let mut control = AppControl::new(app, source);
    control.traffic = traffic;
    control.sync(specs, &changes, Counting::Elsewhere, now);
    Ok(control)
}
