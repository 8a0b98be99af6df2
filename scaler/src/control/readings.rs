//! What the rules of a revision read: the ingress's counters over a window, and what the processes
//! of its replicas use, or its pods.

use ebbtide_core::document::{Resources, Template};
use ebbtide_core::scale::pods::Resource;
use ebbtide_core::scale::{Metric, Reading};
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestWindow;
use ebbtide_signals::Usage;

use super::pods::PodsRead;
use super::replica::ReplicaControl;

/// What a container is taken to ask for when its document does not say, as `az` fills it in.
const DEFAULT_RESOURCES: (f64, f64) = (0.5, 1_073_741_824.0);

/// Who counts the requests of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// The ingress of this process.
    Here,
    /// Ingresses elsewhere; with when the one was heard that has been silent longest.
    Elsewhere(Option<Timestamp>),
    /// No ingress, as far as is known.
    Nowhere,
}

/// Where a rule's value comes from.
pub(super) struct Sources<'a, Replicas> {
    /// The ingress's counters.
    pub(super) window: &'a RequestWindow,
    /// The replicas that may get requests.
    pub(super) ready: Replicas,
    /// What the containers of one replica ask for.
    pub(super) requested: Resources,
    /// What was read of its pods, if something else runs them.
    pub(super) pods: Option<&'a PodsRead>,
    /// Who counts the requests.
    pub(super) counted: Counted,
    /// Now.
    pub(super) now: Timestamp,
}

impl<'a, Replicas: Iterator<Item = &'a ReplicaControl> + Clone> Sources<'a, Replicas> {
    /// What one rule reads now.
    pub(super) fn read(&self, metric: &Metric) -> Reading {
        match metric {
            Metric::HttpConcurrency { window } | Metric::TcpConnections { window } => {
                self.counted(self.window.concurrency(self.now, *window))
            }
            Metric::HttpRequestRate { window } => self.counted(self.window.rate(self.now, *window)),
            Metric::CpuUtilization | Metric::CpuAverage if !self.runs_here() => {
                self.of_pods(Resource::Cpu)
            }
            Metric::MemoryUtilization | Metric::MemoryAverage if !self.runs_here() => {
                self.of_pods(Resource::Memory)
            }
            Metric::CpuUtilization => self.measured(cpu, self.requested_cores() / 100.0),
            Metric::CpuAverage => self.measured(cpu, 1.0),
            Metric::MemoryUtilization => self.measured(memory, self.requested_bytes() / 100.0),
            Metric::MemoryAverage => self.measured(memory, 1.0),
            Metric::External => unknown("it is about to be read"),
        }
    }

    /// Before two readings of the counters there was nothing to measure: that is zero.
    fn counted(&self, value: Option<f64>) -> Reading {
        let newest = self.window.newest().unwrap_or(self.now);
        let at = match self.counted {
            Counted::Here => newest,
            Counted::Elsewhere(Some(heard)) => newest.min(heard),
            Counted::Elsewhere(None) => return unknown("no ingress reports any more"),
            Counted::Nowhere => return unknown("no ingress has reported it"),
        };
        Reading::known(value.unwrap_or(0.0), at)
    }

    /// Whether its replicas are processes of this machine.
    fn runs_here(&self) -> bool {
        self.counted == Counted::Here
    }

    fn of_pods(&self, resource: Resource) -> Reading {
        let unread = "what its pods use has not been read, which takes --pod-usage";
        self.pods
            .map_or_else(|| unknown(unread), |pods| pods.reading(resource))
    }

    /// The average over ready replicas in units of `whole`, 0 without any; unknown while one has
    /// not been measured.
    fn measured(&self, of: impl Fn(&Usage) -> f64, whole: f64) -> Reading {
        let used: Option<Vec<f64>> = self
            .ready
            .clone()
            .map(|replica| replica.usage.as_ref().map(&of))
            .collect();
        let Some(used) = used else {
            return unknown("its processes have not been measured yet");
        };
        let oldest = self.ready.clone().map(|replica| replica.measured).min();
        #[expect(clippy::cast_precision_loss, reason = "at most 1000 replicas")]
        let count = used.len().max(1) as f64;
        Reading::known(
            used.iter().sum::<f64>() / count / whole,
            oldest.unwrap_or(self.now),
        )
    }

    fn requested_cores(&self) -> f64 {
        self.requested.cpu.unwrap_or(DEFAULT_RESOURCES.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
    fn requested_bytes(&self) -> f64 {
        let requested = self.requested.memory;
        requested.map_or(DEFAULT_RESOURCES.1, |bytes| bytes as f64)
    }
}

fn unknown(because: &str) -> Reading {
    Reading::Unknown {
        because: because.to_owned(),
    }
}

fn cpu(usage: &Usage) -> f64 {
    usage.cpu_cores
}

#[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
fn memory(usage: &Usage) -> f64 {
    usage.memory_bytes as f64
}

/// What the containers of a template ask for together; none where no container says.
pub(super) fn requested(template: &Template) -> Resources {
    let containers = || {
        let containers = template.containers.iter();
        containers.map(|container| container.resources)
    };
    Resources {
        cpu: containers().filter_map(|one| one.cpu).reduce(|a, b| a + b),
        memory: containers()
            .filter_map(|one| one.memory)
            .reduce(u64::saturating_add),
    }
}
