//! No name is declared twice.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Located};
use super::model::{ContainerApp, Declaration};

/// Checks that no two documents declare the same app, the same revision, the same host by routes, or
/// the same external port.
///
/// # Errors
/// One for each document that comes second; it names both places.
pub fn check_unique(declarations: &[Located<Declaration>]) -> Result<(), Vec<Diagnostic>> {
    let mut first: BTreeMap<String, (&Located<Declaration>, &'static str)> = BTreeMap::new();
    let mut errors = Vec::new();
    for declaration in declarations {
        for (name, what, path) in names(&declaration.value) {
            let (before, before_what) = *first.entry(name.clone()).or_insert((declaration, what));
            // Of apps that give one domain the first has it; a route config's is its own.
            let both = [what, before_what];
            let is_shared = both.contains(&DOMAIN) && !both.contains(&ROUTES);
            if !std::ptr::eq(before, declaration) && !is_shared {
                errors.push(twice(declaration, before, path, &name, (what, before_what)));
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

const DOMAIN: &str = "domain of an app";
const ROUTES: &str = "route config";
const PORT: &str = "external port";

/// The names and domains that a document takes, what each is, and where it says so. An app's
/// `revisionSuffix` names its latest revision, and an app and a route config share their names, which are
/// their hosts.
fn names(declaration: &Declaration) -> Vec<(String, &'static str, &'static str)> {
    match declaration {
        Declaration::App(app) => {
            let suffix = app.template.revision_suffix.as_ref();
            let revision =
                suffix.map(|suffix| (format!("{}--{suffix}", app.name), "revision", "name"));
            let name = (app.name.to_string(), "app", "name");
            let ingress = app.configuration.ingress.iter();
            let domains = ingress.flat_map(|ingress| &ingress.custom_domains);
            let path = "properties.configuration.ingress.customDomains";
            let domains = domains.map(|domain| (domain.clone(), DOMAIN, path));
            let own = [Some(name), revision].into_iter().flatten();
            own.chain(domains).chain(external_ports(app)).collect()
        }
        Declaration::Revision(revision) => vec![(revision.name.to_string(), "revision", "name")],
        Declaration::Routes(config) => {
            let name = (config.name.to_string(), ROUTES, "name");
            let domains = config.custom_domains.iter();
            let path = "properties.customDomains";
            let domains = domains.map(|domain| (domain.clone(), ROUTES, path));
            [name].into_iter().chain(domains).collect()
        }
    }
}

/// Apps may have one internal port in Azure, where each has an address of its own in the environment.
fn external_ports(
    app: &ContainerApp,
) -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let ingress = app.configuration.ingress.iter();
    ingress.flat_map(|ingress| {
        let main = ingress.tcp_port().filter(|_| ingress.external);
        let path = "properties.configuration.ingress.exposedPort";
        let main = main.map(|port| (port.to_string(), PORT, path));
        let mappings = ingress.additional_port_mappings.iter();
        let path = "properties.configuration.ingress.additionalPortMappings";
        let mappings = mappings
            .filter(|mapping| mapping.external)
            .map(move |mapping| (mapping.port().to_string(), PORT, path));
        main.into_iter().chain(mappings)
    })
}

fn twice(
    second: &Located<Declaration>,
    first: &Located<Declaration>,
    path: &str,
    name: &str,
    (what, before): (&str, &str),
) -> Diagnostic {
    let (source, line) = (&first.source, first.line);
    let message = if what == PORT {
        format!(
            "port {name} is an external one of the app at {source}:{line}; give another exposedPort"
        )
    } else if what == before {
        format!("the {what} `{name}` is declared a second time; {source}:{line} declares it too")
    } else {
        format!("`{name}` is the {before}'s at {source}:{line}; give this {what} another one")
    };
    Diagnostic {
        source: second.source.clone(),
        line: second.line,
        column: 1,
        path: path.to_owned(),
        message,
    }
}
