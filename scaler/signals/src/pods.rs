//! What pods use, whoever has read it.

use std::time::Duration;

use ebbtide_core::scale::pods::{PodSample, PodState, Resource, SampleTime, Standing};
use ebbtide_core::time::Timestamp;

/// A measurement older than this says nothing any more: four of the metrics server's, which measures
/// each 15 s, may be missed.
const OLDEST: Duration = Duration::from_secs(75);

/// Some pods of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodTarget {
    /// The namespace.
    pub namespace: String,
    /// Which of its pods.
    pub pods: PodSelection,
}

/// Which pods of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodSelection {
    /// Those with these labels, as in `app=hello,tier!=test`.
    Labels(String),
    /// Those that the Service of this name leads to.
    Service(String),
    /// Those of what the ScaledObject of this name scales.
    ScaledObject(String),
}

/// A pod and what it uses. Times count from 1970 on the cluster's clocks.
#[derive(Clone, Debug, PartialEq)]
pub struct PodUsage {
    /// Its name.
    pub name: String,
    /// Where it is in its life: when it started, whether it is ready.
    pub state: PodState,
    /// What it requests.
    pub requested: Requested,
    /// What it uses.
    pub used: Used,
}

/// What the containers of a pod request together; none if one of them requests none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Requested {
    /// Cores.
    pub cores: Option<f64>,
    /// Bytes.
    pub bytes: Option<f64>,
}

/// What the containers of a pod use together; none if that is not known of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// Cores.
    pub cores: Option<Measured>,
    /// Bytes of the working set.
    pub bytes: Option<Measured>,
}

/// An amount, and the time that it was measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// How much.
    pub amount: f64,
    /// When.
    pub time: SampleTime,
}

impl PodUsage {
    /// The pod as a rule for `resource` sees it at `now`. A measurement that is old, or from before the
    /// pod started, when one of its name was there, is none.
    pub fn sample(&self, resource: Resource, now: Timestamp) -> PodSample {
        let (measured, requested) = match resource {
            Resource::Cpu => (self.used.cores, self.requested.cores),
            Resource::Memory => (self.used.bytes, self.requested.bytes),
        };
        let measured = measured.filter(|measured| {
            let at = measured.time.at;
            now.since(at) <= OLDEST && self.state.started.is_none_or(|started| started <= at)
        });
        let time = measured.map(|measured| measured.time);
        PodSample {
            pod: self.name.clone(),
            standing: self.state.standing(resource, time, now),
            used: measured.map_or(0.0, |measured| measured.amount),
            requested,
        }
    }

    /// Whether it is there to stay.
    pub fn counts(&self) -> bool {
        let now = Timestamp::ORIGIN;
        self.state.standing(Resource::Memory, None, now) != Standing::Ignored
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::scale::pods::Readiness;

    use super::*;

    #[test]
    fn a_measurement_that_is_old_or_of_a_pod_before_is_none() {
        let at = Timestamp::from_secs;
        let state = PodState {
            started: Some(at(1000)),
            readiness: Some(Readiness {
                is_ready: true,
                since: at(1001),
            }),
            ..PodState::default()
        };
        for (measured, now, expected) in [
            (1400, 1410, Standing::Measured),
            (1400, 1475, Standing::Measured),
            (1400, 1476, Standing::NoMetrics),
            (999, 1001, Standing::NoMetrics),
        ] {
            let measured = Measured {
                amount: 0.5,
                time: SampleTime {
                    at: at(measured),
                    window: Duration::from_secs(15),
                },
            };
            let pod = PodUsage {
                name: "hello-a".to_owned(),
                state,
                requested: Requested::default(),
                used: Used {
                    cores: Some(measured),
                    bytes: None,
                },
            };
            let sample = pod.sample(Resource::Cpu, at(now));
            assert_eq!(sample.standing, expected, "{measured:?} at {now}");
            let used = if expected == Standing::Measured {
                0.5
            } else {
                0.0
            };
            assert!((sample.used - used).abs() < 1e-9);
            let memory = pod.sample(Resource::Memory, at(now));
            assert_eq!(memory.standing, Standing::NoMetrics);
        }
    }
}
