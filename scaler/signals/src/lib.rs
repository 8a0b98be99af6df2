//! Readers of what rules scale by.

mod amount;
pub mod azure;
mod cgroup;
mod clock;
mod connect;
mod error;
mod parameters;
mod processes;
mod readers;
mod secrets;
mod source;
mod sources;

pub use amount::{Amount, Flow};
pub use clock::WallClock;
pub use connect::Connect;
pub use error::ReadError;
pub use parameters::{Lookup, Parameters};
pub use processes::{ProcessSampler, Usage};
pub use readers::read_once;
pub use secrets::{
    DocumentSecrets, EnvironmentSecrets, Files, FolderSecrets, SecretStore, read_folder,
};
pub use source::{Sample, SourceState};
pub use sources::{SourceKey, Sources, Wanted};
