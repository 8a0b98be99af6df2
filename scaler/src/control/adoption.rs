//! Rules that ScaledObjects bring themselves: each trigger's are an app of their own, without replicas
//! here, whose requests are those of another app.

use std::collections::{BTreeMap, BTreeSet};

use ebbtide_core::app::App;
use ebbtide_core::document::{Configuration, ContainerApp, Scale, ScaleRule, Template};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_core::time::Timestamp;
use ebbtide_core::trigger::{OwnRules, Scope};

use super::app::{AppControl, Source};
use super::counters::Counting;
use super::handle::ControlError;
use super::task::ControlTask;
use crate::telemetry::Counts;

/// The suffix of the one revision of such an app.
const SUFFIX: &str = "rules";

/// The most such apps; as many as ScaledObjects that are answered.
const MOST: usize = 20_000;

/// The run of an ingress that stands for the one of this process.
const OWN_RUN: u64 = 0;

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
        if self.apps.contains_key(&adoption.app) {
            return Ok(());
        }
        let adopted = self.apps.values().filter(|one| one.is_adopted()).count();
        if adopted >= MOST {
            return Err(ControlError::Conflict(format!(
                "{adopted} triggers with rules of their own are decided for already, and no more \
                 can be; run another Ebbtide for some of them"
            )));
        }
        self.check_sources(&adoption)?;
        let name = adoption.app.clone();
        let control = adopted_app(adoption, now)?;
        if let Some(traffic) = &control.traffic {
            let followers = self.followers.entry(traffic.app.clone()).or_default();
            followers.insert(name.clone());
        }
        tracing::info!(app = %name, source = control.source.name(), "rules are decided by");
        self.apps.insert(name, control);
        self.introduce(now);
        self.tell_adopted(now);
        Ok(())
    }

    /// Whether the sources of a namespace are within their bound with these rules.
    fn check_sources(&self, adoption: &Adoption) -> Result<(), ControlError> {
        let Adoption {
            namespace, sources, ..
        } = adoption;
        let of_namespace = |control: &&AppControl| match &control.source {
            Source::ScaledObject { namespace, .. } => *namespace == adoption.namespace,
            Source::File(_) | Source::Api => false,
        };
        let apps = self.apps.values().filter(of_namespace);
        let known = apps.flat_map(|control| &control.app.document().template.scale.rules);
        let known: BTreeSet<SourceKey<'_>> = known.filter_map(source_key).collect();
        let new = adoption.rules.rules.iter().filter_map(source_key);
        let new = new.filter(|key| !known.contains(key)).count();
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
        self.apps
            .retain(|name, control| !control.is_adopted() || keep.contains(name));
        self.followers.retain(|_, followers| {
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
        let counted = self.followers.keys().filter_map(|app| self.apps.get(app));
        let counted: BTreeMap<RevisionName, Counts> = counted
            .flat_map(|app| &app.revisions)
            .map(|(name, one)| (name.clone(), one.counts(now)))
            .collect();
        for control in self.apps.values_mut() {
            let Some(traffic) = control.traffic.clone() else {
                continue;
            };
            for one in control.revisions.values_mut() {
                one.heard = Some(now);
                for (name, counts) in counted.iter().filter(|(name, _)| covers(&traffic, name)) {
                    one.count(OWN_RUN, name, *counts, true, now);
                }
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
