//! What a replica is to run, and whether it can.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ebbtide_core::document::{Container, SecretValue};
use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use thiserror::Error;

/// A replica to start.
#[derive(Clone, Debug)]
pub struct ReplicaSpec {
    /// Its name, unique among all replicas.
    pub name: ReplicaName,
    /// Its revision.
    pub revision: RevisionName,
    /// Its app.
    pub app: AppName,
    /// The app's `targetPort`. If given, the replica gets a free port of its own in its place.
    pub target_port: Option<u16>,
    /// Run to their end, in this order, before `containers`.
    pub init_containers: Vec<Container>,
    /// Run side by side. The first one serves the target port.
    pub containers: Vec<Container>,
    /// The app's secrets by name, for `secretRef`.
    pub secrets: BTreeMap<String, SecretValue>,
    /// From SIGTERM to SIGKILL.
    pub termination_grace_period: Duration,
    /// Variables given to every container, such as `CONTAINER_APP_NAME`. The runtime adds
    /// `CONTAINER_APP_REPLICA_NAME` and `PORT`.
    pub environment: Vec<(String, String)>,
    /// Where the containers run and relative programs are looked for: the document's folder.
    pub working_directory: PathBuf,
}

/// Why a container cannot run as a local process, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// Only an image.
    #[error(
        "container `{container}` has an image but no command: ebbtide runs containers as local \
         processes and does not run images; add `command: [program, argument, …]`"
    )]
    ImageOnly {
        /// The container.
        container: String,
    },
    /// Neither an image nor a command.
    #[error("container `{container}` has no command: add `command: [program, argument, …]`")]
    NoCommand {
        /// The container.
        container: String,
    },
    /// The program's name is empty.
    #[error("container `{container}`: the first entry of `command` is empty; write a program")]
    EmptyProgram {
        /// The container.
        container: String,
    },
    /// No containers at all.
    #[error("there are no containers: add one to `template.containers`")]
    NoContainers,
    /// A `secretRef` that leads nowhere.
    #[error(
        "container `{container}`: `secretRef: {secret}` of `{variable}` is none of the app's \
         secrets with a value ({known})"
    )]
    UnknownSecret {
        /// The container.
        container: String,
        /// The environment variable.
        variable: String,
        /// What it refers to.
        secret: String,
        /// The names there are.
        known: String,
    },
    /// A replica of this name runs.
    #[error("a replica named `{0}` is already running")]
    AlreadyRunning(ReplicaName),
}

/// Checks that each container can run as a local process, before anything starts.
///
/// # Errors
/// Everything that stands in the way.
pub fn check(containers: &[Container]) -> Result<(), Vec<SpecError>> {
    let errors: Vec<SpecError> = containers.iter().filter_map(check_command).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn check_command(container: &Container) -> Option<SpecError> {
    let name = container.name.clone();
    match container.command.first() {
        Some(program) if program.is_empty() => Some(SpecError::EmptyProgram { container: name }),
        Some(_) => None,
        None if container.image.is_some() => Some(SpecError::ImageOnly { container: name }),
        None => Some(SpecError::NoCommand { container: name }),
    }
}
