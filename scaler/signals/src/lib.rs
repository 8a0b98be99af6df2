//! Readers of what rules scale by: queues and other servers ([`Sources`]), CPU and memory of replicas on
//! this machine ([`ProcessSampler`]) and in Kubernetes (`PodUsageReader`, feature `kubernetes`).

mod amount;
mod cgroup;
mod clock;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod parameters;
mod pods;
mod processes;
mod readers;
mod secrets;
mod source;
mod sources;

pub use amount::{Amount, Flow};
pub use clock::WallClock;
pub use ebbtide_brokers::connect::Connect;
pub use ebbtide_brokers::error::ReadError;
#[cfg(feature = "kubernetes")]
pub use kubernetes::{PodUsageError, PodUsageReader, UsageSource};
pub use parameters::{Lookup, Parameters};
pub use pods::{Measured, PodSelection, PodTarget, PodUsage, Requested, Used};
pub use processes::{ProcessSampler, Usage};
pub use readers::read_once;
pub use secrets::{
    DocumentSecrets, EnvironmentSecrets, Files, FolderSecrets, SecretStore, read_folder,
};
pub use source::{Sample, SourceState};
pub use sources::{SourceKey, Sources, Wanted};
