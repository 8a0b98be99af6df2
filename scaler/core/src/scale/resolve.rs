//! From rules, a document's or others, to what decisions follow.

mod metadata;
mod rule;
mod scalers;

#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

use self::metadata::Metadata;
pub(crate) use self::metadata::{Place, metadata_path};
use self::rule::DEFAULT_CONCURRENCY;
use super::spec::{DEFAULT_WINDOW, Metric, Policy, RuleSpec, ScaleSpec, StepLimit};
use crate::document::tags;
use crate::document::{ContainerApp, Scale, ScaleRule, Template, Transport};
use crate::scaler::{self, Role};

/// What is wrong with a scale rule, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct RuleError {
    /// The rule's name.
    pub rule: String,
    /// The field's path: `properties.template.scale.rules[0].http.metadata.concurrentRequests`.
    pub path: String,
    /// What is wrong with it, and what is allowed.
    pub message: String,
}

/// The stabilization windows, which `scale` has no property for; the policy's default if none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stabilization {
    /// Before scaling in.
    pub(crate) scale_in: Option<Duration>,
    /// Before scaling out.
    pub(crate) scale_out: Option<Duration>,
}

impl ScaleSpec {
    /// The spec of a revision: its template's limits and rules, and the app's policy.
    ///
    /// An app that has ingress and no rule gets a rule for ten requests at a time (connections, if
    /// its transport is TCP). A revision that only cpu and memory scale, and that has no ingress,
    /// could never leave zero, so its `minReplicas` is at least 1, as in Azure Container Apps.
    ///
    /// # Errors
    /// Everything that is wrong with the rules.
    pub fn from_document(app: &ContainerApp, template: &Template) -> Result<Self, Vec<RuleError>> {
        let scale = &template.scale;
        let ingress = app.configuration.ingress.as_ref();
        let rules = if scale.rules.is_empty() {
            let transport = ingress.map(|ingress| ingress.transport);
            transport.map(default_rule).into_iter().collect()
        } else {
            resolve_all(&scale.rules, &Place::in_document)?
        };
        let stabilization = stabilization_of_tags(app);
        Ok(Self::new(scale, rules, stabilization, ingress.is_some()))
    }

    /// The spec of rules outside of a document; `has_traffic` says that there are requests, which
    /// wake whatever the rules are. `place` says for each rule where its metadata is.
    ///
    /// # Errors
    /// Everything that is wrong with the rules.
    pub(crate) fn from_rules(
        scale: &Scale,
        stabilization: Stabilization,
        has_traffic: bool,
        place: &dyn Fn(usize, &ScaleRule) -> Place,
    ) -> Result<Self, Vec<RuleError>> {
        let rules = resolve_all(&scale.rules, place)?;
        Ok(Self::new(scale, rules, stabilization, has_traffic))
    }

    fn new(
        scale: &Scale,
        rules: Vec<RuleSpec>,
        stabilization: Stabilization,
        has_traffic: bool,
    ) -> Self {
        let least = u32::from(only_resources(&rules) && !has_traffic);
        let min_replicas = scale.min_replicas.max(least);
        Self {
            min_replicas,
            max_replicas: scale.max_replicas.max(min_replicas).max(1),
            cooldown_period: scale.cooldown_period,
            polling_interval: scale.polling_interval,
            policy: policy(stabilization, &rules, scale.polling_interval),
            rules,
        }
    }

    /// What about the spec may surprise the author of its document, a sentence each.
    pub fn warnings(&self, app: &ContainerApp, template: &Template) -> Vec<String> {
        let ingress = app.configuration.ingress.is_some();
        let mut warnings = self.surprises(&template.scale, ingress);
        if self.rules.is_empty() && self.min_replicas == 0 {
            warnings.push(
                "the app stays at zero replicas: it has no ingress, no scale rule, and \
                 minReplicas 0; set one of them"
                    .to_owned(),
            );
        }
        warnings
    }

    /// What about the rules and limits, made of `scale`, may surprise their author.
    pub(crate) fn surprises(&self, scale: &Scale, has_traffic: bool) -> Vec<String> {
        let rules = self.rules.iter();
        let mut warnings: Vec<_> = rules
            .filter_map(|rule| warning(rule, has_traffic))
            .collect();
        warnings.extend(scale.rules.iter().flat_map(unknown_keys));
        if self.min_replicas > scale.min_replicas {
            warnings.push(
                "minReplicas 0 is taken as 1: cpu and memory cannot wake a revision from zero, \
                 and without ingress nothing else can"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// The keys that may hold the target of a scaler without a reader.
pub(crate) fn target_names(scaler: &str) -> &'static [&'static str] {
    scalers::target_keys(scaler).names
}

/// Whether a key may hold the target of a scaler.
pub(crate) fn is_target(scaler: &str, key: &str) -> bool {
    match scaler::named(scaler) {
        Some(scaler) => scaler.key(key).is_some_and(|key| key.role == Role::Target),
        None => target_names(scaler).contains(&key),
    }
}

/// What about a rule may surprise its author.
fn warning(rule: &RuleSpec, ingress: bool) -> Option<String> {
    let RuleSpec { name, scaler, .. } = rule;
    match rule.metric {
        Metric::External if scaler::named(scaler).is_some() => None,
        Metric::External => Some(format!(
            "scale rule {name} ({scaler}) cannot be read yet: its value is unknown, and while it \
             is the revision is neither scaled in nor taken to zero"
        )),
        Metric::HttpConcurrency { .. }
        | Metric::HttpRequestRate { .. }
        | Metric::TcpConnections { .. }
            if !ingress =>
        {
            Some(format!(
                "scale rule {name} ({scaler}) never sees a request, since the app has no ingress"
            ))
        }
        _ => None,
    }
}

/// What is to be said of keys of a rule that do nothing.
fn unknown_keys(rule: &ScaleRule) -> Vec<String> {
    let Some(scaler) = scaler::named(&rule.scaler) else {
        return Vec::new();
    };
    let parameters = rule.auth.iter().map(|auth| auth.trigger_parameter.as_str());
    let keys = rule.metadata.keys().map(String::as_str).chain(parameters);
    let unknown = scaler::unknown_keys(scaler, keys).into_iter();
    let sentence = |(key, message)| format!("scale rule {}: {key}: {message}", rule.name);
    unknown.map(sentence).collect()
}

fn only_resources(rules: &[RuleSpec]) -> bool {
    !rules.is_empty() && rules.iter().all(|rule| rule.metric.is_resource())
}

/// The rules, each with the place of its metadata for errors.
fn resolve_all(
    rules: &[ScaleRule],
    place: &dyn Fn(usize, &ScaleRule) -> Place,
) -> Result<Vec<RuleSpec>, Vec<RuleError>> {
    let mut errors = Vec::new();
    let mut resolved = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let mut metadata = Metadata::of(rule, place(index, rule));
        resolved.push(rule::resolve(rule, &mut metadata));
        errors.append(&mut metadata.errors);
    }
    if errors.is_empty() {
        Ok(resolved)
    } else {
        Err(errors)
    }
}

fn default_rule(transport: Transport) -> RuleSpec {
    let window = DEFAULT_WINDOW;
    let (scaler, metric) = match transport {
        Transport::Tcp => ("tcp", Metric::TcpConnections { window }),
        _ => ("http", Metric::HttpConcurrency { window }),
    };
    RuleSpec {
        name: scaler.to_owned(),
        scaler: scaler.to_owned(),
        metric,
        target: DEFAULT_CONCURRENCY,
        activation: 0.0,
        target_latency: None,
    }
}

/// The app's tags that set the stabilization windows.
fn stabilization_of_tags(app: &ContainerApp) -> Stabilization {
    Stabilization {
        scale_in: tags::SCALE_IN_STABILIZATION.seconds(&app.tags),
        scale_out: tags::SCALE_OUT_STABILIZATION.seconds(&app.tags),
    }
}

/// Azure Container Apps' policy, with other stabilization windows if there are any.
///
/// A revision that only polled rules scale takes one step for each poll, as Azure's does.
fn policy(stabilization: Stabilization, rules: &[RuleSpec], polling_interval: Duration) -> Policy {
    let default = Policy::default();
    let polled = !rules.is_empty() && rules.iter().all(|rule| rule.metric == Metric::External);
    let period = if polled {
        polling_interval
    } else {
        StepLimit::LIVE_PERIOD
    };
    let Stabilization {
        scale_in,
        scale_out,
    } = stabilization;
    Policy {
        scale_out_stabilization: scale_out.unwrap_or(default.scale_out_stabilization),
        scale_in_stabilization: scale_in.unwrap_or(default.scale_in_stabilization),
        step: StepLimit {
            period,
            ..default.step
        },
    }
}
