//! One rule: what it measures, its target and its activation.

use std::time::Duration;

use super::metadata::{Allowed, Metadata};
use super::scalers;
use crate::document::ScaleRule;
use crate::scale::spec::{DEFAULT_WINDOW, Metric, RuleSpec};
use crate::scaler::{self, Key, Presence, Role, Scaler};

/// The requests or connections of one replica, if no rule says how many; as Azure Container Apps.
pub(super) const DEFAULT_CONCURRENCY: f64 = 10.0;

/// What decisions follow of one rule; what is wrong with it is noted in its metadata.
pub(super) fn resolve(rule: &ScaleRule, metadata: &mut Metadata<'_>) -> RuleSpec {
    let mut target_latency = None;
    let (metric, target, activation) = match rule.scaler.as_str() {
        "http" => http(metadata),
        "tcp" => tcp(metadata),
        "cpu" | "memory" => resource(&rule.scaler, metadata),
        name => match scaler::named(name) {
            Some(scaler) => {
                metadata.check(scaler);
                target_latency = latency(scaler, metadata);
                read(scaler, metadata)
            }
            None => unread(name, metadata),
        },
    };
    RuleSpec {
        name: rule.name.clone(),
        scaler: rule.scaler.clone(),
        metric,
        target,
        activation,
        target_latency,
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
        let kind = kind.unwrap_or("type");
        let shown = metadata.shown(kind, text);
        let message = format!("{shown} is neither Utilization nor AverageValue");
        metadata.wrong(kind, &message);
    }
    let (metric, allowed) = match (scaler, average) {
        ("cpu", false) => (Metric::CpuUtilization, Allowed::AboveZero),
        ("cpu", true) => (Metric::CpuAverage, Allowed::Cores),
        (_, false) => (Metric::MemoryUtilization, Allowed::AboveZero),
        (_, true) => (Metric::MemoryAverage, Allowed::Bytes),
    };
    (metric, metadata.required("value", allowed), 0.0)
}

/// What a scaler that Ebbtide reads has as target and activation; its keys have been checked.
fn read(scaler: &Scaler, metadata: &Metadata<'_>) -> (Metric, f64, f64) {
    let target = number(scaler, Role::Target, metadata);
    let target = target.or(scaler.fixed_target).unwrap_or(1.0);
    let activation = number(scaler, Role::Activation, metadata);
    (Metric::External, target, activation.unwrap_or(0.0))
}

/// The first key of a role that is given, else the first one's default.
fn number(scaler: &Scaler, role: Role, metadata: &Metadata<'_>) -> Option<f64> {
    let keys = || scaler.keys.iter().filter(|key| key.role == role);
    let default = |key: &Key| match key.presence {
        Presence::Default(value) => Some(value),
        Presence::Required | Presence::Optional => None,
    };
    let given = keys().find_map(|key| metadata.text(key.name));
    given.or_else(|| keys().find_map(default))?.parse().ok()
}

fn latency(scaler: &Scaler, metadata: &Metadata<'_>) -> Option<Duration> {
    let key = scaler
        .keys
        .iter()
        .find(|key| key.role == Role::TargetLatency)?;
    scaler::duration(metadata.text(key.name)?)
}

/// A scaler that Ebbtide does not read: its value is unknown, but its target is shown.
fn unread(scaler: &str, metadata: &mut Metadata<'_>) -> (Metric, f64, f64) {
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
