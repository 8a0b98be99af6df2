//! From what was read to what each rule recommends.

use super::decision::Recommendation;
use super::input::{Inputs, Reading, Work};
use super::number::{left, replicas_for, shortest};
use super::pods::PodSample;
use super::resource::{self, NoUse};
use super::service::ServiceRates;
use super::spec::{RuleSpec, ScaleSpec};
use crate::time::Timestamp;

/// What all rules together ask for.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    /// One for each rule.
    pub(super) recommendations: Vec<Recommendation>,
    /// The largest recommendation; none if no rule has one.
    pub(super) largest: Option<u32>,
    /// A rule that says that there is work.
    pub(super) active: Option<ActiveRule>,
    /// The name of a rule whose value is unknown.
    pub(super) unknown: Option<String>,
}

/// A rule that says that there is work.
#[derive(Clone, Debug)]
pub(super) struct ActiveRule {
    /// Its name.
    pub(super) name: String,
    /// The messages that replicas have in hand, if they are all that there is.
    pub(super) in_process: Option<f64>,
}

impl Demand {
    /// Reads every rule. `current` is the number of replicas decided last.
    pub(super) fn read(
        spec: &ScaleSpec,
        current: u32,
        inputs: &Inputs<'_>,
        rates: &ServiceRates,
    ) -> Self {
        let readings = inputs
            .readings
            .iter()
            .map(Some)
            .chain(std::iter::repeat(None));
        let mut active = None;
        let mut recommendations = Vec::with_capacity(spec.rules.len());
        for (rule, reading) in spec.rules.iter().zip(readings) {
            let recommendation = match usable(spec, rule, reading, current, inputs) {
                Value::Known(value, work) => {
                    active = active.or_else(|| activity(rule, value, &work, current));
                    recommend(rule, value, &work, current, inputs.ready, rates)
                }
                Value::Pods(pods) => by_pods(rule, pods, current),
                Value::NothingToMeasure => nothing_to_measure(rule),
                Value::Unknown(because) => unknown(rule, because),
            };
            recommendations.push(recommendation);
        }
        let unknown = recommendations.iter().find(|it| it.value.is_none());
        Self {
            largest: recommendations.iter().filter_map(|it| it.replicas).max(),
            active,
            unknown: unknown.map(|it| it.rule.clone()),
            recommendations,
        }
    }
}

/// A reading that has been looked at.
enum Value<'r> {
    Known(f64, Work),
    Pods(&'r [PodSample]),
    /// There is no replica that a resource rule could measure; that is nothing to worry about.
    NothingToMeasure,
    Unknown(String),
}

/// What a reading is worth: it has to be there, make sense, and be fresh.
fn usable<'r>(
    spec: &ScaleSpec,
    rule: &RuleSpec,
    reading: Option<&'r Reading>,
    current: u32,
    inputs: &Inputs<'_>,
) -> Value<'r> {
    let is_resource = rule.metric.is_resource();
    // Pods say for themselves which of them can be measured.
    let measurable = match reading {
        Some(Reading::Pods { .. }) => current,
        _ => inputs.ready.min(current),
    };
    if is_resource && measurable == 0 {
        return Value::NothingToMeasure;
    }
    match reading {
        None => Value::Unknown("nothing was read for it".to_owned()),
        Some(Reading::Unknown { because }) => Value::Unknown(because.clone()),
        Some(Reading::Known { value, .. }) if !value.is_finite() || *value < 0.0 => {
            Value::Unknown(format!("{value} was read, which is not an amount"))
        }
        Some(Reading::Known { value, work, at }) => fresh(spec, rule, inputs, *at)
            .map_or_else(Value::Unknown, |()| Value::Known(*value, *work)),
        Some(Reading::Pods { .. }) if !is_resource => {
            Value::Unknown("pods were read for it, of which it measures nothing".to_owned())
        }
        Some(Reading::Pods { pods, at }) => {
            fresh(spec, rule, inputs, *at).map_or_else(Value::Unknown, |()| Value::Pods(pods))
        }
    }
}

/// Whether a reading is young enough.
fn fresh(
    spec: &ScaleSpec,
    rule: &RuleSpec,
    inputs: &Inputs<'_>,
    at: Timestamp,
) -> Result<(), String> {
    let (age, allowed) = (inputs.now.since(at), spec.allowed_age(rule));
    if age <= allowed {
        return Ok(());
    }
    let (age, allowed) = (left(age), left(allowed));
    Err(format!("last read {age} ago, more than {allowed}"))
}

/// Whether a rule says that there is work. Resource rules never do: what replicas use is no reason
/// to have one (KEDA does not ask them either). Nor do http rules: requests speak for themselves,
/// and a window remembers them for longer than the cooldown ought to. What replicas have in hand keeps
/// them, and wakes none: someone else has it.
fn activity(rule: &RuleSpec, value: f64, work: &Work, current: u32) -> Option<ActiveRule> {
    if rule.metric.is_resource() || rule.metric.is_http() {
        return None;
    }
    let in_process = work.in_process.filter(|count| current > 0 && *count > 0.0);
    let is_above = work.activity.unwrap_or(value) > rule.activation;
    (is_above || in_process.is_some()).then(|| ActiveRule {
        name: rule.name.clone(),
        in_process: in_process.filter(|_| !is_above),
    })
}

fn recommend(
    rule: &RuleSpec,
    value: f64,
    work: &Work,
    current: u32,
    ready: u32,
    rates: &ServiceRates,
) -> Recommendation {
    let (replicas, because) = if rule.metric.is_resource() {
        let answer = resource::by_average(rule, value, ready.min(current), current);
        (answer.replicas, answer.because)
    } else if let Some(latency) = rule.target_latency {
        let in_time = rates.replicas(&rule.name, value, work, latency);
        in_time.unwrap_or_else(|| {
            let (replicas, because) = by_amount(rule, value);
            let why = "no replica has shown yet how fast it is";
            (replicas, format!("{because} ({why})"))
        })
    } else {
        by_amount(rule, value)
    };
    Recommendation {
        replicas: Some(replicas),
        ..recommendation(rule, Some(value), because)
    }
}

/// What each pod uses.
fn by_pods(rule: &RuleSpec, pods: &[PodSample], current: u32) -> Recommendation {
    match resource::by_pods(rule, pods, current) {
        Ok(answer) => Recommendation {
            replicas: Some(answer.replicas),
            ..recommendation(rule, Some(answer.value), answer.because)
        },
        Err(NoUse::NothingToMeasure) => nothing_to_measure(rule),
        Err(NoUse::Unknown(because)) => unknown(rule, because),
    }
}

/// An amount of work to be shared: `ceil(value / target)`.
fn by_amount(rule: &RuleSpec, value: f64) -> (u32, String) {
    let replicas = replicas_for(value / rule.target);
    let (shown, target) = (shortest(value), shortest(rule.target));
    (replicas, format!("{shown} / target {target} = {replicas}"))
}

fn nothing_to_measure(rule: &RuleSpec) -> Recommendation {
    recommendation(
        rule,
        Some(0.0),
        "no replica is ready to be measured".to_owned(),
    )
}

fn unknown(rule: &RuleSpec, because: String) -> Recommendation {
    recommendation(rule, None, because)
}

fn recommendation(rule: &RuleSpec, value: Option<f64>, because: String) -> Recommendation {
    Recommendation {
        rule: rule.name.clone(),
        scaler: rule.scaler.clone(),
        value,
        target: rule.target,
        replicas: None,
        because,
    }
}
