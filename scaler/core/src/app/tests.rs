//! What an app does, told as scenarios, and what holds in every one of them.

mod commands;
mod documents;
mod failures;
mod multiple;
mod properties;
mod single;

use std::time::Duration;

use super::{App, AppError, Change, Failure, Observation, Provisioning, RECOVERY, Share};
use crate::document::{
    ActiveRevisionsMode, Configuration, Container, ContainerApp, DeclaredRevision, Ingress, Scale,
    Template, TrafficTarget, TrafficWeight,
};
use crate::name::{AppName, RevisionName};
use crate::time::Timestamp;

const SEED: u64 = 1;

/// The revision `hello--{suffix}`.
fn name(suffix: &str) -> RevisionName {
    RevisionName::parse(&format!("hello--{suffix}")).unwrap()
}

/// A template that runs `program`.
fn template(suffix: &str, program: &str) -> Template {
    Template {
        revision_suffix: (!suffix.is_empty()).then(|| suffix.to_owned()),
        containers: vec![Container {
            name: "main".to_owned(),
            command: vec![program.to_owned()],
            ..Container::default()
        }],
        ..Template::default()
    }
}

/// A document in Single mode with ingress, whose template runs a program named as its suffix.
fn document(suffix: &str) -> ContainerApp {
    ContainerApp {
        name: AppName::new("hello").unwrap(),
        location: None,
        tags: std::collections::BTreeMap::new(),
        configuration: Configuration {
            ingress: Some(Ingress::default()),
            ..Configuration::default()
        },
        template: template(suffix, suffix),
        accepted: std::collections::BTreeMap::new(),
    }
}

/// A document in Multiple mode with this traffic: `v1=80 latest=20`, with labels `v1=80:blue`.
fn split(suffix: &str, weights: &str) -> ContainerApp {
    let mut document = document(suffix);
    document.configuration.active_revisions_mode = ActiveRevisionsMode::Multiple;
    document.configuration.ingress = Some(Ingress {
        traffic: traffic(weights),
        ..Ingress::default()
    });
    document
}

fn traffic(weights: &str) -> Vec<TrafficWeight> {
    let entry = |text: &str| {
        let (target, weight) = text.split_once('=').unwrap();
        let (weight, label) = match weight.split_once(':') {
            Some((weight, label)) => (weight, Some(label.to_owned())),
            None => (weight, None),
        };
        TrafficWeight {
            target: match target {
                "latest" => TrafficTarget::LatestRevision,
                suffix => TrafficTarget::Revision(name(suffix)),
            },
            weight: weight.parse().unwrap(),
            label,
        }
    };
    weights.split_whitespace().map(entry).collect()
}

fn declared(suffix: &str, active: bool) -> DeclaredRevision {
    DeclaredRevision {
        name: name(suffix),
        active,
        template: template("", suffix),
        accepted: std::collections::BTreeMap::new(),
    }
}

fn scaled(mut document: ContainerApp, min_replicas: u32, max_replicas: u32) -> ContainerApp {
    document.template.scale = Scale {
        min_replicas,
        max_replicas,
        ..Scale::default()
    };
    document
}

/// An app as it goes through a scenario, in words short enough for tables.
struct Scenario {
    app: App,
    now: Timestamp,
}

impl Scenario {
    fn new(document: ContainerApp) -> Self {
        Self::with(document, vec![])
    }

    fn with(document: ContainerApp, declared: Vec<DeclaredRevision>) -> Self {
        let (app, _) = App::create(document, declared, Timestamp::ORIGIN, SEED).unwrap();
        let now = Timestamp::from_secs(1);
        Self { app, now }
    }

    /// Applies a document and gives the changes as sentences.
    fn apply(&mut self, document: ContainerApp) -> Vec<String> {
        let (app, changes) = try_apply(&self.app, document, vec![]).unwrap();
        self.app = app;
        sentences(&changes)
    }

    fn observe(&mut self, suffix: &str, desired: u32, ready: u32) -> Vec<String> {
        let observation = Observation {
            desired,
            ready,
            failure: None,
        };
        sentences(&self.app.observe(&name(suffix), &observation, self.now))
    }

    /// Observes that one replica, decided for, crashed before it was ready.
    fn fail(&mut self, suffix: &str, because: &str) -> Vec<String> {
        self.fail_by(suffix, Failure::Crashed(because.to_owned()))
    }

    fn fail_by(&mut self, suffix: &str, failure: Failure) -> Vec<String> {
        let observation = Observation {
            desired: 1,
            ready: 0,
            failure: Some(failure),
        };
        sentences(&self.app.observe(&name(suffix), &observation, self.now))
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn set_traffic(&mut self, weights: &str) {
        self.app = self.app.set_traffic(traffic(weights)).unwrap().0;
    }

    fn deactivate(&mut self, suffix: &str) {
        self.app = self.app.deactivate(&name(suffix)).unwrap().0;
    }

    fn activate(&mut self, suffix: &str) {
        self.app = self.app.activate(&name(suffix)).unwrap().0;
    }

    /// `v1 80, v2 20`.
    fn shares(&self) -> String {
        let shares = self.app.shares();
        let shares = shares.iter();
        let shares: Vec<String> = shares
            .map(|share| format!("{} {}", share.revision.suffix(), share.weight))
            .collect();
        shares.join(", ")
    }

    /// The suffixes of the active revisions, oldest first.
    fn active(&self) -> String {
        let active = self.app.revisions().filter(|revision| revision.active);
        let active: Vec<&str> = active.map(|revision| revision.name.suffix()).collect();
        active.join(" ")
    }

    /// `blue→v1 green→v2`.
    fn labels(&self) -> String {
        let labels = self.app.labels();
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, revision)| format!("{label}→{}", revision.suffix()))
            .collect();
        labels.join(" ")
    }

    fn takeover(&self, suffix: &str) -> u32 {
        self.app.takeover_replicas(&name(suffix))
    }

    fn provisioning(&self, suffix: &str) -> Provisioning {
        self.app.revision(&name(suffix)).unwrap().provisioning
    }

    fn latest_ready(&self) -> Option<&str> {
        self.app.latest_ready().map(RevisionName::suffix)
    }
}

fn try_apply(
    app: &App,
    document: ContainerApp,
    declared: Vec<DeclaredRevision>,
) -> Result<(App, Vec<Change>), AppError> {
    app.apply(document, declared, Timestamp::from_secs(1), SEED)
}

fn sentences(changes: &[Change]) -> Vec<String> {
    changes.iter().map(Change::to_string).collect()
}
