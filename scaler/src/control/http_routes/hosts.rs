//! A host of a route config is no other's.

use std::collections::{BTreeMap, BTreeSet};

use ebbtide_core::document::{ContainerApp, Declaration, Diagnostic, HttpRouteConfig};
use ebbtide_core::name::AppName;

use super::RouteConfigs;
use crate::control::app::{AppControl, Source};
use crate::control::handle::Origin;
use crate::documents::Documents;

/// Checks documents against what stays beside them. What they declare of each other has been checked.
///
/// # Errors
/// Each name or domain that a config and something else would have.
pub(in crate::control) fn check_hosts(
    documents: &Documents,
    origin: Origin,
    apps: &BTreeMap<AppName, AppControl>,
    routes: &RouteConfigs,
) -> Vec<Diagnostic> {
    let stays = |source: &Source| origin == Origin::Api || !matches!(source, Source::File(_));
    let mut owners: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for (name, control) in apps.iter().filter(|(_, one)| stays(&one.source)) {
        let hosts = hosts_of_app(control.app.document());
        owners.extend(hosts.map(|host| (host, (format!("app {name}"), false))));
    }
    for (name, control) in routes.iter().filter(|(_, one)| stays(&one.source)) {
        let hosts = hosts_of_routes(control.routes.config());
        owners.extend(hosts.map(|host| (host, (format!("route config {name}"), true))));
    }
    let mut errors = Vec::new();
    for declared in &documents.declarations {
        let (own, is_routes, hosts): (_, _, Vec<String>) = match &declared.value {
            Declaration::App(app) => (
                format!("app {}", app.name),
                false,
                hosts_of_app(app).collect(),
            ),
            Declaration::Routes(config) => {
                let own = format!("route config {}", config.name);
                (own, true, hosts_of_routes(config).collect())
            }
            Declaration::Revision(_) => continue,
        };
        // A name is two hosts, and is said once.
        let mut said = BTreeSet::new();
        for host in hosts {
            let Some((owner, of_routes)) = owners.get(&host) else {
                continue;
            };
            if *owner != own && (is_routes || *of_routes) && said.insert(owner) {
                errors.push(Diagnostic {
                    source: declared.source.clone(),
                    line: declared.line,
                    column: 1,
                    path: String::new(),
                    message: format!("`{host}` is of the {owner}; give this {own} another one"),
                });
            }
        }
    }
    errors
}

fn hosts_of_app(app: &ContainerApp) -> impl Iterator<Item = String> {
    let ingress = app.configuration.ingress.iter();
    let domains = ingress.flat_map(|ingress| &ingress.custom_domains);
    names(app.name.as_str()).into_iter().chain(domains.cloned())
}

fn hosts_of_routes(config: &HttpRouteConfig) -> impl Iterator<Item = String> {
    let domains = config.custom_domains.iter().cloned();
    names(config.name.as_str()).into_iter().chain(domains)
}

/// The hosts that a name stands for.
fn names(name: &str) -> [String; 2] {
    [name.to_owned(), format!("{name}.localhost")]
}
