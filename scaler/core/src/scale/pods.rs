//! Which pods count for a cpu or memory rule, as the Kubernetes HPA has it.
//!
//! A pod that starts uses CPU to do so, which says nothing about how much work there is. So the HPA sets
//! pods aside that are not ready yet, and puts cautious numbers in the place of those without metrics.
//! (Kubernetes: Horizontal Pod Autoscaling, algorithm details.)

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::time::Timestamp;

/// How long after its start a pod's CPU may be that of starting: the HPA's
/// `--horizontal-pod-autoscaler-cpu-initialization-period`.
pub const CPU_INITIALIZATION: Duration = Duration::from_secs(300);

/// How long after its start a pod that says it is not ready is taken as one that never was: the HPA's
/// `--horizontal-pod-autoscaler-initial-readiness-delay`.
pub const INITIAL_READINESS: Duration = Duration::from_secs(30);

/// What a rule measures of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Bytes.
    Memory,
}

/// Where a pod is in its life. Its times have the same origin as the present that it is asked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodState {
    /// It has been told to end, or has failed.
    pub is_ending: bool,
    /// It is not on a node yet, or its containers have not started.
    pub is_pending: bool,
    /// When it was taken up by its node.
    pub started: Option<Timestamp>,
    /// What is known of its readiness.
    pub readiness: Option<Readiness>,
}

/// Whether a pod is ready, and since when that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether it may get requests.
    pub is_ready: bool,
    /// When that changed last.
    pub since: Timestamp,
}

/// The time that a measurement of a pod stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleTime {
    /// Its end.
    pub at: Timestamp,
    /// Its length.
    pub window: Duration,
}

/// How a pod counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not at all: it is on its way out.
    Ignored,
    /// By what it uses.
    Measured,
    /// As one that uses nothing, if that keeps the number from rising so much.
    NotReady,
    /// As one that uses nothing if the number would rise, and all that it may if it would fall.
    NoMetrics,
}

/// A pod as a rule sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSample {
    /// Its name.
    pub pod: String,
    /// How it counts.
    pub standing: Standing,
    /// Cores or bytes in use; of no meaning unless it is measured.
    pub used: f64,
    /// Cores or bytes that its containers request together; none if one of them requests none.
    pub requested: Option<f64>,
}

impl PodState {
    /// How the pod counts at `now` with its newest measurement, if there is any.
    pub fn standing(
        &self,
        resource: Resource,
        sample: Option<SampleTime>,
        now: Timestamp,
    ) -> Standing {
        match sample {
            _ if self.is_ending => Standing::Ignored,
            _ if self.is_pending => Standing::NotReady,
            None => Standing::NoMetrics,
            Some(sample) if resource == Resource::Cpu && !self.works(sample, now) => {
                Standing::NotReady
            }
            Some(_) => Standing::Measured,
        }
    }

    /// Whether the CPU in a measurement was used for work, and not for starting.
    fn works(&self, sample: SampleTime, now: Timestamp) -> bool {
        let (Some(started), Some(readiness)) = (self.started, self.readiness) else {
            return false;
        };
        if now < started + CPU_INITIALIZATION {
            readiness.is_ready && sample.at >= readiness.since + sample.window
        } else {
            // One that stopped being ready later than that was at work.
            readiness.is_ready || readiness.since >= started + INITIAL_READINESS
        }
    }
}
