//! The variables that a container is given beside those that Ebbtide itself inherited.

use std::collections::BTreeMap;

use ebbtide_core::document::{Container, EnvironmentValue};

use super::expand::expand;
use crate::ReplicaSpec;

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// The variables of a container: those of the replica, then the document's, of which a later one
/// may refer to an earlier one by `$(NAME)` and replaces one of its name.
///
/// The replica's own `PORT` stays, whatever the document says, since replicas share a machine.
/// Secrets are not expanded.
pub(super) fn variables(spec: &ReplicaSpec, container: &Container, port: Option<u16>) -> Variables {
    let mut variables: Variables = spec.environment.iter().cloned().collect();
    let replica = spec.name.as_str().to_owned();
    variables.insert("CONTAINER_APP_REPLICA_NAME".to_owned(), replica);
    if let Some(port) = port {
        variables.insert("PORT".to_owned(), port.to_string());
    }
    for variable in &container.env {
        if variable.name == "PORT" && port.is_some() {
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
        let found = variables(&spec, &container, Some(4242));
        let expected = [
            ("A", "12"),
            ("CONTAINER_APP_NAME", "hello"),
            ("CONTAINER_APP_REPLICA_NAME", "hello--v1-1"),
            ("KEY", "$(PORT)"),
            ("LATER", "x"),
            ("PORT", "4242"),
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
            env: vec![literal("PORT", "80")],
            ..Container::default()
        };
        let spec = spec(vec![container.clone()]);
        assert_eq!(variables(&spec, &container, None)["PORT"], "80");
    }
}
