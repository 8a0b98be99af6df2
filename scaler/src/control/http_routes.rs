//! HTTP route configs: hosts whose requests go to apps by rules.

mod commands;
mod hosts;
mod status;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ebbtide_core::document::{
    Declaration, Diagnostic, HttpRouteConfig, HttpRouteRevision, HttpRouteTarget, Located,
};
use ebbtide_core::name::{AppName, RevisionName, RouteConfigName};
use ebbtide_ingress::HttpRoutes;

pub(super) use hosts::check_hosts;
pub(super) use status::problem;

use super::app::{AppControl, Source};
use super::handle::Origin;
use crate::api::model::ApplyResult;
use crate::documents::Documents;

/// The configs that there are.
pub(super) type RouteConfigs = BTreeMap<RouteConfigName, RouteConfigControl>;

/// A config and where it came from.
pub(super) struct RouteConfigControl {
    /// Made ready; the same as long as the config is.
    pub(super) routes: Arc<HttpRoutes>,
    /// Where its document came from.
    pub(super) source: Source,
    /// What its document's author should know.
    pub(super) warnings: Vec<String>,
}

/// A config that was declared, and what its author should know.
pub(super) struct DeclaredRoutes {
    config: Located<HttpRouteConfig>,
    warnings: Vec<String>,
}

/// Takes the configs out of documents.
pub(super) fn split(documents: Documents) -> (Vec<DeclaredRoutes>, Documents) {
    let Documents {
        declarations,
        warnings,
    } = documents;
    let (mut configs, mut rest) = (Vec::new(), Vec::new());
    for declared in declarations {
        match declared.value {
            Declaration::Routes(config) => configs.push(Located {
                value: *config,
                source: declared.source,
                line: declared.line,
            }),
            Declaration::App(_) | Declaration::Revision(_) => rest.push(declared),
        }
    }
    // Warnings of a file that declares an app too are the app's.
    let of_apps: BTreeSet<&str> = rest.iter().map(|one| one.source.as_str()).collect();
    let of = |config: &Located<HttpRouteConfig>| -> Vec<String> {
        let is_its_own = |one: &&Diagnostic| {
            one.source == config.source && !of_apps.contains(one.source.as_str())
        };
        let warnings = warnings.iter().filter(is_its_own);
        warnings.map(ToString::to_string).collect()
    };
    let configs = configs.into_iter().map(|config| DeclaredRoutes {
        warnings: of(&config),
        config,
    });
    let configs = configs.collect();
    let documents = Documents {
        declarations: rest,
        warnings,
    };
    (configs, documents)
}

/// Puts a config in force.
pub(super) fn commit(
    present: &mut RouteConfigs,
    declared: DeclaredRoutes,
    origin: Origin,
) -> ApplyResult {
    let DeclaredRoutes { config, warnings } = declared;
    let name = config.value.name.clone();
    let source = match origin {
        Origin::Files => Source::File(config.source.into()),
        Origin::Api => Source::Api,
    };
    let known = present.get(&name).map(|one| &one.routes);
    let same = known.filter(|routes| *routes.config() == config.value);
    let change = match (known, same) {
        (_, Some(_)) => None,
        (Some(_), None) => Some(format!("the routes of {name} were changed")),
        (None, None) => Some(format!("the routes of {name} were made")),
    };
    let routes = same.map_or_else(|| Arc::new(HttpRoutes::new(config.value)), Arc::clone);
    let control = RouteConfigControl {
        routes,
        source,
        warnings: warnings.clone(),
    };
    present.insert(name.clone(), control);
    ApplyResult {
        app: name.to_string(),
        created_revision: None,
        changes: change.into_iter().collect(),
        warnings,
    }
}

/// Takes a config away; none if there is no such.
pub(super) fn take_away(
    present: &mut RouteConfigs,
    name: &RouteConfigName,
) -> Option<(Source, ApplyResult)> {
    let control = present.remove(name)?;
    let result = ApplyResult {
        app: name.to_string(),
        created_revision: None,
        changes: vec![format!("the routes of {name} were taken away")],
        warnings: Vec::new(),
    };
    Some((control.source, result))
}

/// The configs from files that are in none any more.
pub(super) fn gone(present: &RouteConfigs, declared: &[DeclaredRoutes]) -> Vec<RouteConfigName> {
    let named: BTreeSet<&RouteConfigName> =
        declared.iter().map(|one| &one.config.value.name).collect();
    let from_files = |one: &RouteConfigControl| matches!(one.source, Source::File(_));
    let gone = present
        .iter()
        .filter(|(name, one)| from_files(one) && !named.contains(name));
    gone.map(|(name, _)| name.clone()).collect()
}

/// The revisions that routes name, which have to be in the ingress's table whatever their weights.
pub(super) fn named_revisions(present: &RouteConfigs) -> BTreeSet<RevisionName> {
    let rules = present.values().flat_map(|one| &one.routes.config().rules);
    let targets = rules.flat_map(|rule| &rule.targets);
    let named = targets.filter_map(|target| match &target.revision {
        HttpRouteRevision::Named(name) => Some(name.clone()),
        _ => None,
    });
    named.collect()
}

/// What to say of the targets of a config, each with its place: those that are not there, and those that
/// Azure would have hidden but for the routes.
pub(super) fn remarks(
    config: &HttpRouteConfig,
    apps: &BTreeMap<AppName, AppControl>,
) -> Vec<String> {
    let mut remarks = Vec::new();
    for (place, rule) in config.rules.iter().enumerate() {
        for (number, target) in rule.targets.iter().enumerate() {
            let problem = status::problem(target, apps);
            let problem = problem.map(|problem| format!("{problem}; its requests get 503"));
            if let Some(remark) = problem.or_else(|| exposure(target, apps)) {
                let place = format!("rules[{place}].targets[{number}]");
                remarks.push(format!("route config {}: {place}: {remark}", config.name));
            }
        }
    }
    remarks
}

fn exposure(target: &HttpRouteTarget, apps: &BTreeMap<AppName, AppControl>) -> Option<String> {
    let document = apps.get(&target.app)?.app.document();
    let ingress = document.configuration.ingress.as_ref()?;
    let message = format!(
        "app {} has `external: false`, which in Azure does not keep its routes from the internet",
        target.app
    );
    (!ingress.external).then_some(message)
}
