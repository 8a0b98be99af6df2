//! The variables that a container is given beside those that Ebbtide itself inherited.

use std::collections::BTreeMap;

use ebbtide_core::document::{Container, EnvironmentValue};

use super::expand::expand;
use crate::{ReplicaPorts, ReplicaSpec};

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// The variables of a container: those of the replica, then the document's, of which a later one
/// may refer to an earlier one by `$(NAME)` and replaces one of its name.
///
/// The replica's own `PORT` and `PORT_…` stay, whatever the document says, since replicas share a machine.
/// Secrets are not expanded.
pub(super) fn variables(
    spec: &ReplicaSpec,
    container: &Container,
    ports: &ReplicaPorts,
) -> Variables {
    let mut variables: Variables = spec.environment.iter().cloned().collect();
    let replica = spec.name.as_str().to_owned();
    variables.insert("CONTAINER_APP_REPLICA_NAME".to_owned(), replica);
    let own = ports_by_name(ports);
    variables.extend(own.clone());
    for variable in &container.env {
        if own.contains_key(&variable.name) {
            continue;
        }
        let value = match &variable.value {
            EnvironmentValue::Literal(text) => Some(expand_with(text, &variables)),
            EnvironmentValue::SecretRef(secret) => {
                // `ReplicaSpec::check` has refused unknown ones.
                spec.secrets
                    .get(secret)
                    .map(|secret| secret.expose().to_owned())
            }
        };
        if let Some(value) = value {
            variables.insert(variable.name.clone(), value);
        }
    }
    variables
}

/// The variables that tell where to listen.
fn ports_by_name(ports: &ReplicaPorts) -> Variables {
    let main = ports.main.map(|port| ("PORT".to_owned(), port.to_string()));
    let additional = ports.additional.iter();
    let additional = additional.map(|(target, port)| (format!("PORT_{target}"), port.to_string()));
    main.into_iter().chain(additional).collect()
}

/// Program and arguments, with `$(NAME)` expanded.
pub(super) fn command_line(container: &Container, variables: &Variables) -> Vec<String> {
    let words = container.command.iter().chain(&container.args);
    words.map(|word| expand_with(word, variables)).collect()
}

fn expand_with(text: &str, variables: &Variables) -> String {
    expand(text, |name| variables.get(name).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use ebbtide_core::document::{EnvironmentVariable, SecretValue};

    use super::*;
    use crate::spec::tests::spec;

    fn variable(name: &str, value: EnvironmentValue) -> EnvironmentVariable {
        EnvironmentVariable {
            name: name.to_owned(),
            value,
        }
    }

    fn literal(name: &str, value: &str) -> EnvironmentVariable {
        variable(name, EnvironmentValue::Literal(value.to_owned()))
    }

    #[test]
    fn the_document_adds_to_and_refers_to_what_is_injected() {
        let container = Container {
            command: vec!["serve".to_owned(), "$(PORT)".to_owned()],
            args: vec![
                "$(URL)".to_owned(),
                "$$(URL)".to_owned(),
                "$(HOME)".to_owned(),
            ],
            env: vec![
                literal("PORT", "80"),
                literal("PORT_90", "90"),
                literal("A", "1"),
                literal("A", "$(A)2"),
                literal("URL", "http://$(CONTAINER_APP_NAME):$(PORT)/$(LATER)"),
                literal("LATER", "x"),
                variable("KEY", EnvironmentValue::SecretRef("key".to_owned())),
            ],
            ..Container::default()
        };
        let mut spec = spec(vec![container.clone()]);
        spec.environment = vec![("CONTAINER_APP_NAME".to_owned(), "hello".to_owned())];
        spec.secrets
            .insert("key".to_owned(), SecretValue::new("$(PORT)".to_owned()));
        let ports = ReplicaPorts {
            main: Some(4242),
            additional: [(90, 4343)].into(),
        };
        let found = variables(&spec, &container, &ports);
        let expected = [
            ("A", "12"),
            ("CONTAINER_APP_NAME", "hello"),
            ("CONTAINER_APP_REPLICA_NAME", "hello--v1-1"),
            ("KEY", "$(PORT)"),
            ("LATER", "x"),
            ("PORT", "4242"),
            ("PORT_90", "4343"),
            ("URL", "http://hello:4242/$(LATER)"),
        ];
        let found_pairs: Vec<_> = found
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(found_pairs, expected);
        assert_eq!(
            command_line(&container, &found),
            [
                "serve",
                "4242",
                "http://hello:4242/$(LATER)",
                "$(URL)",
                "$(HOME)"
            ]
        );
    }

    #[test]
    fn without_a_port_of_its_own_the_documents_stays() {
        let container = Container {
            env: vec![literal("PORT", "80"), literal("PORT_90", "90")],
            ..Container::default()
        };
        let spec = spec(vec![container.clone()]);
        let found = variables(&spec, &container, &ReplicaPorts::default());
        assert_eq!((&*found["PORT"], &*found["PORT_90"]), ("80", "90"));
    }
}
