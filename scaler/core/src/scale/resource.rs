//! How many replicas the use of cpu and memory asks for: the algorithm of the Kubernetes HPA for
//! resource metrics.
//!
//! `ceil(pods · value / target)`, and at least one, where the value is the average over the pods that
//! are measured. Within a tenth of the target nothing changes. If it is above, pods that are not ready
//! or have no metrics count as using nothing; if it is below, those without metrics count as using all
//! that they request (the target, if that is more, or if the value is an amount). Neither may turn the
//! direction round. (Kubernetes: Horizontal Pod Autoscaling, algorithm details.)
//!
//! It differs from the HPA in that percents keep their fractions, and in that a value above the target
//! does not scale in when pods that were decided are not there yet, nor one below it scale out.

#[cfg(test)]
mod tests;

use super::number::{NOISE, replicas_for, shortest};
use super::pods::{PodSample, Standing};
use super::spec::{Metric, RuleSpec};

/// How far a resource's use may be from its target before anything is done; the HPA's default.
const TOLERANCE: f64 = 0.1;

const MEBIBYTE: f64 = 1_048_576.0;

/// What a rule recommends, with its arithmetic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Use {
    /// The average over the pods that are measured.
    pub(super) value: f64,
    pub(super) replicas: u32,
    pub(super) because: String,
}

/// Why a rule recommends nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NoUse {
    /// There is no pod that could be measured; that is nothing to worry about.
    NothingToMeasure,
    Unknown(String),
}

/// Some pods, and what they use of what there is of it.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    pods: u32,
    /// In units of the rule's value.
    used: f64,
    /// What the value is a share of: requests, or just the number of pods.
    whole: f64,
}

impl Group {
    fn add(&mut self, used: f64, whole: f64) {
        self.pods = self.pods.saturating_add(1);
        self.used += used;
        self.whole += whole;
    }

    fn value(&self) -> f64 {
        self.used / self.whole
    }

    /// With others of which each whole uses `value`.
    fn with(self, others: Self, value: f64) -> Self {
        Self {
            pods: self.pods.saturating_add(others.pods),
            used: self.used + others.whole * value,
            whole: self.whole + others.whole,
        }
    }
}

/// The pods of a revision by how they count.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    measured: Group,
    not_ready: Group,
    no_metrics: Group,
}

/// From the average over `measured` pods, while there are to be `current`.
pub(super) fn by_average(rule: &RuleSpec, value: f64, measured: u32, current: u32) -> Use {
    let group = |pods: u32, value: f64| Group {
        pods,
        used: value * f64::from(pods),
        whole: f64::from(pods),
    };
    let load = Load {
        measured: group(measured, value),
        not_ready: group(current.saturating_sub(measured), 0.0),
        no_metrics: Group::default(),
    };
    load.recommend(rule, current)
}

/// From what each pod uses, while there are to be `current`.
pub(super) fn by_pods(rule: &RuleSpec, pods: &[PodSample], current: u32) -> Result<Use, NoUse> {
    let load = Load::of(rule, pods)?;
    let (measured, unmeasured) = (load.measured, load.no_metrics.pods);
    match measured.pods {
        0 if unmeasured == 0 => Err(NoUse::NothingToMeasure),
        0 => Err(NoUse::Unknown(format!(
            "there are no metrics yet of any of its pods ({unmeasured})"
        ))),
        _ if measured.whole <= 0.0 => Err(NoUse::Unknown(format!(
            "its pods request no {}, of which the value is a share",
            rule.scaler
        ))),
        _ => Ok(load.recommend(rule, current)),
    }
}

impl Load {
    fn of(rule: &RuleSpec, pods: &[PodSample]) -> Result<Self, NoUse> {
        let is_share = is_share(&rule.metric);
        let mut load = Self::default();
        for pod in pods {
            let group = match pod.standing {
                Standing::Ignored => continue,
                Standing::Measured => &mut load.measured,
                Standing::NotReady => &mut load.not_ready,
                Standing::NoMetrics => &mut load.no_metrics,
            };
            if !is_share {
                group.add(pod.used, 1.0);
                continue;
            }
            let requested = pod.requested.ok_or_else(|| {
                NoUse::Unknown(format!(
                    "a container of pod {} requests no {}, of which the value is a share",
                    pod.pod, rule.scaler
                ))
            })?;
            group.add(pod.used * 100.0, requested);
        }
        Ok(load)
    }

    fn recommend(&self, rule: &RuleSpec, current: u32) -> Use {
        let (target, value) = (rule.target, self.measured.value());
        let ratio = value / target;
        let (shown, wanted) = (amount(rule, value), amount(rule, target));
        let done = |replicas, because| Use {
            value,
            replicas,
            because,
        };
        if is_near(ratio) {
            let because = format!("{shown} is within 10% of target {wanted} = {current}");
            return done(current, because);
        }
        let pods = self.measured.pods;
        let alone = needed(self.measured, target);
        let because = format!("{pods} ready × {shown} / target {wanted} = {alone}");
        let replicas = self.with_the_others(rule, ratio, current);
        if replicas == alone {
            return done(replicas, because);
        }
        let others = self.others(ratio);
        done(replicas, format!("{because}, {replicas} with {others}"))
    }

    /// The replicas when those that are not measured count too.
    fn with_the_others(&self, rule: &RuleSpec, ratio: f64, current: u32) -> u32 {
        let rises = ratio > 1.0;
        let all = if rises {
            let all = self.measured.with(self.not_ready, 0.0);
            all.with(self.no_metrics, 0.0)
        } else {
            let least = if is_share(&rule.metric) { 100.0 } else { 0.0 };
            self.measured.with(self.no_metrics, rule.target.max(least))
        };
        let with_all = all.value() / rule.target;
        if is_near(with_all) || (with_all > 1.0) != rises {
            return current;
        }
        let needed = needed(all, rule.target);
        if rises {
            needed.max(current)
        } else {
            needed.min(current)
        }
    }

    /// Which pods made the number another than those that are measured make it.
    fn others(&self, ratio: f64) -> &'static str {
        let rises = ratio > 1.0;
        match (rises && self.not_ready.pods > 0, self.no_metrics.pods > 0) {
            (true, true) => "those not ready or not measured yet",
            (true, false) => "those not ready yet",
            (false, true) => "those not measured yet",
            (false, false) if rises => "those not there yet",
            (false, false) => "those on their way out",
        }
    }
}

fn needed(group: Group, target: f64) -> u32 {
    replicas_for(f64::from(group.pods) * group.value() / target).max(1)
}

fn is_near(ratio: f64) -> bool {
    (ratio - 1.0).abs() <= TOLERANCE + NOISE
}

/// Whether the value is percent of what is requested.
fn is_share(metric: &Metric) -> bool {
    matches!(metric, Metric::CpuUtilization | Metric::MemoryUtilization)
}

/// A resource's value with its unit.
fn amount(rule: &RuleSpec, value: f64) -> String {
    match rule.metric {
        Metric::CpuUtilization | Metric::MemoryUtilization => format!("{}%", shortest(value)),
        Metric::MemoryAverage => format!("{}Mi", shortest(value / MEBIBYTE)),
        _ => shortest(value),
    }
}
