//! What a replica is to run, and whether it can.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ebbtide_core::document::{
    Container, EnvironmentValue, Probe, ProbeAction, ProbeKind, SecretValue,
};
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
    /// The app's further target ports. The replica gets a free port of its own in the place of each.
    pub additional_ports: Vec<u16>,
    /// Run to their end, in this order, before `containers`.
    pub init_containers: Vec<Container>,
    /// Run side by side. The first one serves the target port.
    pub containers: Vec<Container>,
    /// The app's secrets by name, for `secretRef`.
    pub secrets: BTreeMap<String, SecretValue>,
    /// From SIGTERM to SIGKILL.
    pub termination_grace_period: Duration,
    /// Variables given to every container, such as `CONTAINER_APP_NAME`. The runtime adds
    /// `CONTAINER_APP_REPLICA_NAME`, `PORT` and, for each additional target port, `PORT_` with that.
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
         secrets that have a value; {known}; give it in the document, in a file of --secrets, or in \
         a variable EBBTIDE_SECRET_NAME"
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
    /// A probe over TLS.
    #[error(
        "container `{container}`: its {probe:?} probe has `scheme: HTTPS`, which is not supported; \
         use `scheme: HTTP` or `tcpSocket`"
    )]
    HttpsProbe {
        /// The container.
        container: String,
        /// The probe.
        probe: ProbeKind,
    },
    /// A replica of this name runs.
    #[error("a replica named `{0}` is already running")]
    AlreadyRunning(ReplicaName),
}

impl ReplicaSpec {
    /// Checks what has to hold before anything starts.
    pub(crate) fn check(&self) -> Result<(), SpecError> {
        if self.containers.is_empty() {
            return Err(SpecError::NoContainers);
        }
        for container in self.init_containers.iter().chain(&self.containers) {
            check_container(container)?;
            self.check_secrets(container)?;
        }
        Ok(())
    }

    fn check_secrets(&self, container: &Container) -> Result<(), SpecError> {
        for variable in &container.env {
            if let EnvironmentValue::SecretRef(secret) = &variable.value
                && !self.secrets.contains_key(secret)
            {
                return Err(SpecError::UnknownSecret {
                    container: container.name.clone(),
                    variable: variable.name.clone(),
                    secret: secret.clone(),
                    known: known(self.secrets.keys()),
                });
            }
        }
        Ok(())
    }
}

/// Checks that each container can run as a local process, before anything starts.
///
/// # Errors
/// Everything that stands in the way.
pub fn check(containers: &[Container]) -> Result<(), Vec<SpecError>> {
    let checked = containers.iter().map(check_container);
    let errors: Vec<SpecError> = checked.filter_map(Result::err).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn check_container(container: &Container) -> Result<(), SpecError> {
    let name = || container.name.clone();
    match container.command.first() {
        Some(program) if program.is_empty() => {
            return Err(SpecError::EmptyProgram { container: name() });
        }
        Some(_) => {}
        None if container.image.is_some() => {
            return Err(SpecError::ImageOnly { container: name() });
        }
        None => return Err(SpecError::NoCommand { container: name() }),
    }
    match container.probes.iter().find(|probe| is_https(probe)) {
        Some(probe) => Err(SpecError::HttpsProbe {
            container: name(),
            probe: probe.kind,
        }),
        None => Ok(()),
    }
}

fn is_https(probe: &Probe) -> bool {
    matches!(probe.action, ProbeAction::HttpGet { https: true, .. })
}

fn known<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ebbtide_core::document::EnvironmentVariable;

    /// A replica of `hello--v1`.
    pub(crate) fn spec(containers: Vec<Container>) -> ReplicaSpec {
        let revision = RevisionName::parse("hello--v1").unwrap();
        ReplicaSpec {
            name: ReplicaName::new(&revision, "1"),
            revision,
            app: AppName::new("hello").unwrap(),
            target_port: None,
            additional_ports: Vec::new(),
            init_containers: Vec::new(),
            containers,
            secrets: BTreeMap::new(),
            termination_grace_period: Duration::from_secs(30),
            environment: Vec::new(),
            working_directory: PathBuf::from("/"),
        }
    }

    fn container(command: &[&str]) -> Container {
        Container {
            name: "web".to_owned(),
            command: command.iter().map(ToString::to_string).collect(),
            ..Container::default()
        }
    }

    #[test]
    fn every_container_needs_a_program() {
        let image = Container {
            image: Some("nginx".to_owned()),
            args: vec!["-v".to_owned()],
            ..container(&[])
        };
        let errors = check(&[container(&["sh"]), image, container(&[]), container(&[""])]);
        let messages: Vec<String> = errors
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(messages.len(), 3);
        assert!(messages[0].contains("`web` has an image but no command"));
        assert!(messages[0].contains("add `command: ["));
        assert!(messages[1].contains("has no command"));
        assert!(messages[2].contains("is empty"));
        assert_eq!(check(&[container(&["sh"])]), Ok(()));
    }

    #[test]
    fn an_https_probe_is_refused() {
        let probe = Probe {
            kind: ProbeKind::Readiness,
            action: ProbeAction::HttpGet {
                port: 443,
                path: "/".to_owned(),
                host: None,
                https: true,
                headers: Vec::new(),
            },
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            failure_threshold: 3,
            success_threshold: 1,
        };
        let errors = check(&[Container {
            probes: vec![probe],
            ..container(&["sh"])
        }]);
        assert!(errors.unwrap_err()[0].to_string().contains("Readiness"));
    }

    #[test]
    fn secrets_must_be_known_and_there_must_be_containers() {
        assert_eq!(spec(Vec::new()).check(), Err(SpecError::NoContainers));
        let mut container = container(&["sh"]);
        container.env.push(EnvironmentVariable {
            name: "KEY".to_owned(),
            value: EnvironmentValue::SecretRef("key".to_owned()),
        });
        let mut spec = spec(vec![container]);
        let message = spec.check().unwrap_err().to_string();
        assert!(message.contains("`secretRef: key` of `KEY`"), "{message}");
        assert!(message.contains("there are none"), "{message}");
        let value = SecretValue::new("v".to_owned());
        spec.secrets.insert("key".to_owned(), value);
        assert_eq!(spec.check(), Ok(()));
    }
}
