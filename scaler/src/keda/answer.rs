//! From what the control task published to what a trigger is answered.

use ebbtide_core::scale::hpa;
use ebbtide_core::trigger::{Metrics, Scope};
use thiserror::Error;
use tonic::Status;

use super::asking::Asking;
use crate::api::model::{AppStatus, RevisionStatus, RuleStatus};
use crate::control::Published;

/// The target of the metric that is the number of replicas: the HPA divides by it.
const ONE: f64 = 1.0;

/// What a trigger's subject stands at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// The replicas decided for it.
    pub(super) replicas: u32,
    /// Why, in one sentence.
    pub(super) because: String,
}

/// One metric for the HPA, which wants `ceil(value / target)` replicas.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metric {
    /// Its name, without KEDA's `s0-`.
    pub(super) name: String,
    /// How much of it one replica is there for.
    pub(super) target: f64,
    /// The amount; or why it is unknown, which is not zero.
    pub(super) value: Result<f64, String>,
}

/// Why a trigger gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Unanswered {
    /// The trigger's metadata is wrong.
    #[error("{0}")]
    Invalid(String),
    /// What it names is not there.
    #[error("{0}")]
    NotFound(String),
    /// What it asks for does not go with the subject.
    #[error("{0}")]
    Precondition(String),
    /// A value is unknown. KEDA keeps the replicas there are.
    #[error("{0}")]
    Unknown(String),
    /// There may be an answer in a moment: documents are being applied, or the first decision is
    /// being made.
    #[error("{0}")]
    NotYet(String),
    /// Its author may not have Ebbtide connect there.
    #[error("{0}")]
    Forbidden(String),
    /// There is no room for one more.
    #[error("{0}")]
    Full(String),
}

impl From<Unanswered> for Status {
    fn from(unanswered: Unanswered) -> Self {
        let message = unanswered.to_string();
        match unanswered {
            Unanswered::Invalid(_) => Self::invalid_argument(message),
            Unanswered::NotFound(_) => Self::not_found(message),
            Unanswered::Precondition(_) => Self::failed_precondition(message),
            Unanswered::Unknown(_) | Unanswered::NotYet(_) => Self::unavailable(message),
            Unanswered::Forbidden(_) => Self::permission_denied(message),
            Unanswered::Full(_) => Self::resource_exhausted(message),
        }
    }
}

/// The metrics there are for a trigger, whatever is known of their values: without them KEDA makes no
/// HPA, and counts no failure towards its fallback.
///
/// # Errors
/// When there is no such subject, or it has no metrics in the mode asked for.
pub(super) fn announced(published: &Published, asking: &Asking) -> Result<Vec<Metric>, Unanswered> {
    let (app, revisions) = subject(published, asking)?;
    metrics(published, app, &revisions, asking)
}

/// What the subject of a trigger stands at.
///
/// # Errors
/// When there is no such subject, when it has not been decided for, or when its number of replicas
/// is none and a rule is unknown that might wake it.
pub(super) fn standing(published: &Published, asking: &Asking) -> Result<Standing, Unanswered> {
    let (app, revisions) = subject(published, asking)?;
    let standing = stands(app, &revisions)?;
    if asking.metrics == Metrics::PerRule {
        one(app, &revisions)?;
    }
    Ok(standing)
}

/// What the subject of a trigger stands at, and what the HPA is to reckon with.
///
/// # Errors
/// When either is not to be had.
pub(super) fn measured(
    published: &Published,
    asking: &Asking,
) -> Result<(Standing, Vec<Metric>), Unanswered> {
    let (app, revisions) = subject(published, asking)?;
    let standing = stands(app, &revisions)?;
    let metrics = metrics(published, app, &revisions, asking)?;
    Ok((standing, metrics))
}

fn stands(app: &AppStatus, revisions: &[&RevisionStatus]) -> Result<Standing, Unanswered> {
    let active = || revisions.iter().filter(|one| one.active);
    if let Some(undecided) = active().find(|one| one.decision.is_none()) {
        let because = first_unknown(undecided).map_or_else(String::new, |(_, rule)| {
            format!(": rule {} is unknown: {}", rule.name, rule.because)
        });
        let message = format!("{} has not been decided for yet{because}", undecided.name);
        return Err(Unanswered::NotYet(message));
    }
    let replicas = replicas(revisions);
    if replicas == 0
        && let Some((revision, rule)) = active().find_map(|one| first_unknown(one))
    {
        return Err(Unanswered::Unknown(format!(
            "{}: rule {} is unknown, so whether it is to be woken is: {}",
            revision.name, rule.name, rule.because
        )));
    }
    Ok(Standing {
        replicas,
        because: sentence(app, revisions),
    })
}

fn replicas(revisions: &[&RevisionStatus]) -> u32 {
    revisions.iter().map(|one| one.replicas.desired).sum()
}

fn metrics(
    published: &Published,
    app: &AppStatus,
    revisions: &[&RevisionStatus],
    asking: &Asking,
) -> Result<Vec<Metric>, Unanswered> {
    match asking.metrics {
        Metrics::Aggregate => {
            let lowered = lowered(published, &asking.scope);
            let value = hpa::aggregate_value(replicas(revisions), lowered);
            Ok(vec![aggregate(&asking.scope, value)])
        }
        Metrics::PerRule => per_rule(app, revisions),
    }
}

/// The app that a subject names, and the revision that it names, active or not; without one, those
/// that are active.
fn subject<'p>(
    published: &'p Published,
    asking: &Asking,
) -> Result<(&'p AppStatus, Vec<&'p RevisionStatus>), Unanswered> {
    let Scope {
        app: name,
        revision,
    } = &asking.scope;
    if !published.ready {
        let message = "the first documents have not been applied yet";
        return Err(Unanswered::NotYet(message.to_owned()));
    }
    let Some(app) = published.app(name.as_str()) else {
        if asking.own.is_some() {
            let message = "its rules have only just come";
            return Err(Unanswered::NotYet(message.to_owned()));
        }
        let names = listed(published.statuses().map(|one| one.name.as_str()));
        let message = format!("app: there is no app {name}; Ebbtide runs {names}");
        return Err(Unanswered::NotFound(message));
    };
    let Some(wanted) = revision else {
        return Ok((app, app.revisions.iter().filter(|one| one.active).collect()));
    };
    let mut revisions = app.revisions.iter();
    if let Some(revision) = revisions.find(|one| one.name == wanted.as_str()) {
        return Ok((app, vec![revision]));
    }
    let names = listed(app.revisions.iter().map(|one| one.name.as_str()));
    let message = format!("revision: there is no revision {wanted}; {name} has {names}");
    Err(Unanswered::NotFound(message))
}

/// Whether the last change of a subject's number of replicas was to fewer.
fn lowered(published: &Published, scope: &Scope) -> bool {
    let revision = scope.revision.as_ref();
    published.lowered(scope.app.as_str(), |name| {
        revision.is_none_or(|wanted| wanted.as_str() == name)
    })
}

/// `a, b`, or `none`.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn first_unknown(revision: &RevisionStatus) -> Option<(&RevisionStatus, &RuleStatus)> {
    let mut rules = revision.rules.iter();
    let rule = rules.find(|rule| rule.value.is_none())?;
    Some((revision, rule))
}

fn sentence(app: &AppStatus, revisions: &[&RevisionStatus]) -> String {
    match revisions {
        [one] if !one.active => format!("{} is not active", one.name),
        [one] => one
            .decision
            .as_ref()
            .map_or_else(|| app.sentence.clone(), |last| last.sentence.clone()),
        _ => app.sentence.clone(),
    }
}

/// The number of replicas, as the value with which the HPA's `ceil` lands on the decision.
fn aggregate(scope: &Scope, value: f64) -> Metric {
    Metric {
        name: format!("ebbtide-{}", scope.name()),
        target: ONE,
        value: Ok(value),
    }
}

/// A metric for each rule of the one revision that there is.
fn per_rule(app: &AppStatus, revisions: &[&RevisionStatus]) -> Result<Vec<Metric>, Unanswered> {
    let one = one(app, revisions)?;
    Ok(one.rules.iter().map(|rule| metric(one, rule)).collect())
}

/// The one revision that there is.
fn one<'p>(
    app: &AppStatus,
    revisions: &[&'p RevisionStatus],
) -> Result<&'p RevisionStatus, Unanswered> {
    match revisions {
        [] => Err(Unanswered::Precondition(format!(
            "metrics: per-rule is for one revision, and {} has none active",
            app.name
        ))),
        [one] => Ok(one),
        several => Err(Unanswered::Precondition(format!(
            "metrics: per-rule is for one revision, and {} has {} active; name one with \
             `revision`: {}",
            app.name,
            several.len(),
            listed(several.iter().map(|one| one.name.as_str()))
        ))),
    }
}

fn metric(revision: &RevisionStatus, rule: &RuleStatus) -> Metric {
    // The HPA divides a metric by its target once for all replicas, so what is an average over
    // replicas here is their sum there.
    let is_average = matches!(rule.scaler.as_str(), "cpu" | "memory");
    let value = match (rule.value, rule.replicas) {
        // No ingress knows of the pods that were measured: it lands on what that came to.
        (Some(_), Some(replicas)) if is_average && revision.replicas.ready == 0 => {
            Some(rule.target * f64::from(replicas))
        }
        (value, _) if is_average => value.map(|value| value * f64::from(revision.replicas.ready)),
        (value, _) => value,
    };
    Metric {
        name: format!("ebbtide-{}-{}", revision.name, in_small_letters(&rule.name)),
        target: rule.target,
        value: value.ok_or_else(|| format!("rule {} is unknown: {}", rule.name, rule.because)),
    }
}

/// A rule's name as it may stand in the name of a metric.
fn in_small_letters(name: &str) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '-',
    };
    name.chars().map(letter).collect()
}
