//! What a revision's scaling follows: limits, policy and rules, resolved from its document.

use std::time::Duration;

use super::number;

/// The age that any reading may have.
const LEAST_ALLOWED_AGE: Duration = Duration::from_secs(15);

/// The window of rules that average over one, unless they say otherwise; Azure Container Apps'.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(15);

/// All that a revision's scaling follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleSpec {
    /// Fewest replicas.
    pub min_replicas: u32,
    /// Most replicas, at least one and at least `min_replicas`.
    pub max_replicas: u32,
    /// Time without any activity before the last replicas are taken away.
    pub cooldown_period: Duration,
    /// Time from one reading of a polled rule (queues and the like) to the next.
    pub polling_interval: Duration,
    /// How fast the number may change.
    pub policy: Policy,
    /// The rules; the largest recommendation counts.
    pub rules: Vec<RuleSpec>,
}

impl ScaleSpec {
    /// The longest window of any rule: what a [`RequestWindow`](crate::window::RequestWindow) of
    /// the revision has to remember.
    pub fn longest_window(&self) -> Duration {
        let windows = self.rules.iter().filter_map(|rule| rule.metric.window());
        windows.max().unwrap_or(DEFAULT_WINDOW)
    }

    /// How old a reading of this rule may be before it counts as unknown: three polls for a polled
    /// rule (two may be missed), and never less than 15 s.
    pub fn allowed_age(&self, rule: &RuleSpec) -> Duration {
        match rule.metric {
            Metric::External => LEAST_ALLOWED_AGE.max(self.polling_interval.saturating_mul(3)),
            _ => LEAST_ALLOWED_AGE,
        }
    }
}

/// How fast the number of replicas may change.
///
/// The default is what Azure Container Apps documents: up at once in steps of 1, 4, then doubling;
/// down, all at once, to the largest recommendation of the last 300 s.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Scaling out waits until the recommendation has held this long.
    pub scale_out_stabilization: Duration,
    /// Scaling in goes to the largest recommendation of this long.
    pub scale_in_stabilization: Duration,
    /// How much may be added in one step.
    pub step: StepLimit,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            scale_out_stabilization: Duration::ZERO,
            scale_in_stabilization: Duration::from_secs(300),
            step: StepLimit::default(),
        }
    }
}

/// The most replicas that one step may lead to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLimit {
    /// From zero, a step leads to at most this many.
    pub from_zero: u32,
    /// From one or more, a step leads to at least this many if they are wanted …
    pub at_least: u32,
    /// … or to this many times the present number, if that is more.
    pub factor: f64,
    /// A step is counted once in this time, from the number of replicas when it began.
    pub period: Duration,
}

impl StepLimit {
    /// The period when some rule's value is live (requests, cpu): two seconds, the time in which
    /// Knative decides too. A replica of a quick app is ready by then, and its effect is seen
    /// before the next doubling; 1, 4, 8, 16, 32 still takes eight seconds.
    pub const LIVE_PERIOD: Duration = Duration::from_secs(2);

    /// The most replicas that a step from `current` may lead to; always more than none.
    pub fn allows(&self, current: u32) -> u32 {
        if current == 0 {
            return self.from_zero.max(1);
        }
        let grown = number::whole_replicas(f64::from(current) * self.factor);
        grown.max(self.at_least).max(current)
    }
}

impl Default for StepLimit {
    fn default() -> Self {
        Self {
            from_zero: 1,
            at_least: 4,
            factor: 2.0,
            period: Self::LIVE_PERIOD,
        }
    }
}

/// One rule, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// The rule's name in the document.
    pub name: String,
    /// The scaler in KEDA's words: `http`, `cpu`, `azure-servicebus`, …
    pub scaler: String,
    /// What is measured and compared with the target.
    pub metric: Metric,
    /// How much of the metric one replica is there for. Greater than zero.
    pub target: f64,
    /// The rule wakes the revision from zero when its value is greater than this.
    pub activation: f64,
    /// The time in which a queue is to be empty, instead of so many messages for each replica.
    pub target_latency: Option<Duration>,
}

/// What a rule measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Requests in flight and held, averaged over the window by time.
    HttpConcurrency {
        /// The window.
        window: Duration,
    },
    /// Requests per second over the window.
    HttpRequestRate {
        /// The window.
        window: Duration,
    },
    /// Open connections, averaged over the window by time.
    TcpConnections {
        /// The window.
        window: Duration,
    },
    /// Percent of the requested cores in use, averaged over replicas.
    CpuUtilization,
    /// Percent of the requested memory in use, averaged over replicas.
    MemoryUtilization,
    /// Average of bytes in use by a replica.
    MemoryAverage,
    /// Average of cores in use by a replica.
    CpuAverage,
    /// A number read from elsewhere (a queue's length), known by the scaler's type.
    External,
}

impl Metric {
    /// The window that the value is averaged over, if it is.
    pub fn window(&self) -> Option<Duration> {
        match self {
            Self::HttpConcurrency { window }
            | Self::HttpRequestRate { window }
            | Self::TcpConnections { window } => Some(*window),
            _ => None,
        }
    }

    /// Whether it counts HTTP requests, of which decisions know directly whether there are any.
    pub fn is_http(&self) -> bool {
        matches!(
            self,
            Self::HttpConcurrency { .. } | Self::HttpRequestRate { .. }
        )
    }

    /// Whether it is measured on the replicas themselves (cpu, memory), so that it says nothing
    /// while none is ready and cannot wake a revision from zero.
    pub fn is_resource(&self) -> bool {
        matches!(
            self,
            Self::CpuUtilization | Self::MemoryUtilization | Self::MemoryAverage | Self::CpuAverage
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_one_then_four_then_doubling() {
        let step = StepLimit::default();
        let mut replicas = 0;
        let walk = [(); 6].map(|()| {
            replicas = step.allows(replicas);
            replicas
        });
        assert_eq!(walk, [1, 4, 8, 16, 32, 64]);
        assert_eq!(step.allows(3), 6);
        assert_eq!(step.allows(u32::MAX), u32::MAX);
    }

    #[test]
    fn a_senseless_factor_takes_nothing_away() {
        for factor in [f64::NAN, -1.0, 0.5, f64::INFINITY] {
            let step = StepLimit {
                factor,
                ..StepLimit::default()
            };
            assert!(step.allows(9) >= 9, "{factor}");
        }
    }
}
