//! Readers of what rules scale by.

use std::collections::BTreeMap;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;

/// What a replica uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Cores, on average since the sample before.
    pub cpu_cores: f64,
    /// Resident bytes.
    pub memory_bytes: u64,
}

/// Reads the CPU and memory of process trees.
#[derive(Debug, Default)]
pub struct ProcessSampler {}

impl ProcessSampler {
    /// A sampler that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What each replica uses: the sum over the whole process tree of each of its roots.
    pub fn sample(
        &mut self,
        _roots: &[(ReplicaName, Vec<u32>)],
        _now: Timestamp,
    ) -> BTreeMap<ReplicaName, Usage> {
        BTreeMap::new()
    }
}
