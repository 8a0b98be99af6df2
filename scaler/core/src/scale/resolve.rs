//! From a document's rules to what decisions follow.

mod metadata;
mod scalers;

#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

use self::metadata::{Allowed, Metadata};
use super::spec::{DEFAULT_WINDOW, Metric, Policy, RuleSpec, ScaleSpec, StepLimit};
use crate::document::{ContainerApp, ScaleRule, Template, Transport};

/// The requests or connections of one replica, if no rule says how many; as Azure Container Apps.
const DEFAULT_CONCURRENCY: f64 = 10.0;

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
        let rules = rules(app, &scale.rules)?;
        let least = u32::from(only_resources(&rules) && app.configuration.ingress.is_none());
        let min_replicas = scale.min_replicas.max(least);
        Ok(Self {
            min_replicas,
            max_replicas: scale.max_replicas.max(min_replicas).max(1),
            cooldown_period: scale.cooldown_period,
            polling_interval: scale.polling_interval,
            policy: policy(app, &rules, scale.polling_interval),
            rules,
        })
    }

    /// What about the spec may surprise the author of its document, a sentence each.
    pub fn warnings(&self, app: &ContainerApp, template: &Template) -> Vec<String> {
        let ingress = app.configuration.ingress.is_some();
        let mut warnings: Vec<_> = self
            .rules
            .iter()
            .filter_map(|rule| warning(rule, ingress))
            .collect();
        if self.min_replicas > template.scale.min_replicas {
            warnings.push(
                "minReplicas 0 is taken as 1: cpu and memory cannot wake a revision from zero, \
                 and without ingress nothing else can"
                    .to_owned(),
            );
        }
        if self.rules.is_empty() && self.min_replicas == 0 {
            warnings.push(
                "the app stays at zero replicas: it has no ingress, no scale rule, and \
                 minReplicas 0; set one of them"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// What about a rule may surprise its author.
fn warning(rule: &RuleSpec, ingress: bool) -> Option<String> {
    let RuleSpec { name, scaler, .. } = rule;
    match rule.metric {
        Metric::External | Metric::TcpConnections { .. } => Some(format!(
            "scale rule {name} ({scaler}) cannot be read yet: its value is unknown, and while it \
             is the revision is neither scaled in nor taken to zero"
        )),
        Metric::HttpConcurrency { .. } | Metric::HttpRequestRate { .. } if !ingress => {
            Some(format!(
                "scale rule {name} ({scaler}) never sees a request, since the app has no ingress"
            ))
        }
        _ => None,
    }
}

fn only_resources(rules: &[RuleSpec]) -> bool {
    !rules.is_empty() && rules.iter().all(|rule| rule.metric.is_resource())
}

/// The document's rules, or the default one.
fn rules(app: &ContainerApp, rules: &[ScaleRule]) -> Result<Vec<RuleSpec>, Vec<RuleError>> {
    if rules.is_empty() {
        let transport = app
            .configuration
            .ingress
            .as_ref()
            .map(|ingress| ingress.transport);
        return Ok(transport.map(default_rule).into_iter().collect());
    }
    let mut errors = Vec::new();
    let mut resolved = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let mut metadata = Metadata::of(rule, index);
        resolved.push(resolve(rule, &mut metadata));
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
    }
}

fn resolve(rule: &ScaleRule, metadata: &mut Metadata<'_>) -> RuleSpec {
    let (metric, target, activation) = match rule.scaler.as_str() {
        "http" => http(metadata),
        "tcp" => tcp(metadata),
        "cpu" | "memory" => resource(&rule.scaler, metadata),
        _ => external(&rule.scaler, metadata),
    };
    RuleSpec {
        name: rule.name.clone(),
        scaler: rule.scaler.clone(),
        metric,
        target,
        activation,
    }
}

fn http(metadata: &mut Metadata<'_>) -> (Metric, f64, f64) {
    let window = window(metadata);
    let rate = metadata.number("requestRate", Allowed::AboveZero);
    let concurrency = metadata.number("concurrentRequests", Allowed::AtLeastOne);
    match (concurrency, rate) {
        (concurrency, None) => {
            let target = concurrency.unwrap_or(DEFAULT_CONCURRENCY);
            (Metric::HttpConcurrency { window }, target, 0.0)
        }
        (None, Some(rate)) => (Metric::HttpRequestRate { window }, rate, 0.0),
        (Some(_), Some(rate)) => {
            metadata.wrong(
                "requestRate",
                "give concurrentRequests or requestRate, not both",
            );
            (Metric::HttpRequestRate { window }, rate, 0.0)
        }
    }
}

fn tcp(metadata: &mut Metadata<'_>) -> (Metric, f64, f64) {
    let window = window(metadata);
    let target = metadata.number("concurrentConnections", Allowed::AtLeastOne);
    let target = target.unwrap_or(DEFAULT_CONCURRENCY);
    (Metric::TcpConnections { window }, target, 0.0)
}

fn window(metadata: &mut Metadata<'_>) -> Duration {
    let seconds = metadata.number("windowSeconds", Allowed::AtLeastOne);
    // A window that is longer than a Duration can be is as long as it can be.
    let window = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    seconds.map_or(DEFAULT_WINDOW, window)
}

/// `type` is KEDA's older name for `metricType`, and the one that Azure documents.
fn resource(scaler: &str, metadata: &mut Metadata<'_>) -> (Metric, f64, f64) {
    let kind = ["type", "metricType"]
        .into_iter()
        .find(|key| metadata.text(key).is_some());
    let text = kind
        .and_then(|key| metadata.text(key))
        .unwrap_or("Utilization");
    let average = text.eq_ignore_ascii_case("AverageValue");
    if !average && !text.eq_ignore_ascii_case("Utilization") {
        let message = format!("{text:?} is neither Utilization nor AverageValue");
        metadata.wrong(kind.unwrap_or("type"), &message);
    }
    let (metric, allowed) = match (scaler, average) {
        ("cpu", false) => (Metric::CpuUtilization, Allowed::AboveZero),
        ("cpu", true) => (Metric::CpuAverage, Allowed::Cores),
        (_, false) => (Metric::MemoryUtilization, Allowed::AboveZero),
        (_, true) => (Metric::MemoryAverage, Allowed::Bytes),
    };
    (metric, metadata.required("value", allowed), 0.0)
}

fn external(scaler: &str, metadata: &mut Metadata<'_>) -> (Metric, f64, f64) {
    let keys = scalers::target_keys(scaler);
    let given = keys.names.iter().find(|key| metadata.text(key).is_some());
    let target = match (given, keys.default) {
        (Some(key), _) => metadata.required(key, Allowed::AboveZero),
        (None, Some(default)) => default,
        (None, None) => metadata.required(
            keys.names.first().copied().unwrap_or("value"),
            Allowed::AboveZero,
        ),
    };
    let activation = metadata.key_that_begins_with("activation");
    let activation = activation.and_then(|key| metadata.number(&key, Allowed::ZeroOrMore));
    (Metric::External, target, activation.unwrap_or(0.0))
}

/// Azure Container Apps' policy; the app's tags may set the stabilization windows, which the
/// document has no property for.
///
/// A revision that only polled rules scale takes one step for each poll, as Azure's does.
fn policy(app: &ContainerApp, rules: &[RuleSpec], polling_interval: Duration) -> Policy {
    let default = Policy::default();
    let seconds = |tag: &str| {
        app.tags
            .get(tag)?
            .trim()
            .parse()
            .ok()
            .map(Duration::from_secs)
    };
    let polled = !rules.is_empty() && rules.iter().all(|rule| rule.metric == Metric::External);
    let period = if polled {
        polling_interval
    } else {
        StepLimit::LIVE_PERIOD
    };
    Policy {
        scale_out_stabilization: seconds("ebbtide.scaleOutStabilizationSeconds")
            .unwrap_or(default.scale_out_stabilization),
        scale_in_stabilization: seconds("ebbtide.scaleInStabilizationSeconds")
            .unwrap_or(default.scale_in_stabilization),
        step: StepLimit {
            period,
            ..default.step
        },
    }
}
