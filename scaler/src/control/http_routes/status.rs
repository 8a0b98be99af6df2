//! Route configs as the status API shows them.

use std::collections::BTreeMap;

use ebbtide_core::document::{
    HttpRoute, HttpRouteRevision, HttpRouteRule, HttpRouteTarget, PathMatch, Transport,
};
use ebbtide_core::name::AppName;

use super::RouteConfigControl;
use crate::api::model::{RouteConfigStatus, RouteMatchStatus, RouteRuleStatus, RouteTargetStatus};
use crate::control::app::AppControl;
use crate::control::status::View;

type Apps = BTreeMap<AppName, AppControl>;

impl View<'_> {
    /// The state of one route config.
    pub(in crate::control) fn routes(
        &self,
        control: &RouteConfigControl,
        apps: &Apps,
    ) -> RouteConfigStatus {
        let config = control.routes.config();
        RouteConfigStatus {
            name: config.name.to_string(),
            url: self.url(config.name.as_str()),
            custom_domains: config.custom_domains.clone(),
            source: control.source.name(),
            warnings: control.warnings.clone(),
            rules: config.rules.iter().map(|one| rule(one, apps)).collect(),
        }
    }
}

fn rule(rule: &HttpRouteRule, apps: &Apps) -> RouteRuleStatus {
    RouteRuleStatus {
        description: rule.description.clone(),
        routes: rule.routes.iter().map(matches).collect(),
        targets: rule.targets.iter().map(|one| target(one, apps)).collect(),
    }
}

fn matches(route: &HttpRoute) -> RouteMatchStatus {
    let matches = &route.matches;
    let kind = match matches.path {
        PathMatch::Exact(_) => "path",
        PathMatch::Prefix(_) => "prefix",
        PathMatch::PathSeparatedPrefix(_) => "pathSeparatedPrefix",
    };
    let headers = matches.headers.iter();
    RouteMatchStatus {
        kind: kind.to_owned(),
        path: matches.path.text().to_owned(),
        case_sensitive: matches.case_sensitive,
        method: matches.method.clone(),
        headers: headers
            .map(|one| format!("{}: {}", one.name, one.value))
            .collect(),
        prefix_rewrite: route.prefix_rewrite.clone(),
    }
}

fn target(target: &HttpRouteTarget, apps: &Apps) -> RouteTargetStatus {
    let (revision, label) = match &target.revision {
        HttpRouteRevision::ByTraffic => (None, None),
        HttpRouteRevision::Named(name) => (Some(name.to_string()), None),
        HttpRouteRevision::Labelled(label) => (None, Some(label.clone())),
    };
    RouteTargetStatus {
        container_app: target.app.to_string(),
        revision,
        label,
        weight: target.weight,
        problem: problem(target, apps),
    }
}

/// Why a target takes no requests; none if it does.
pub(in crate::control) fn problem(target: &HttpRouteTarget, apps: &Apps) -> Option<String> {
    let app = &target.app;
    let Some(control) = apps.get(app) else {
        return Some(format!("there is no app {app}"));
    };
    let ingress = control.app.document().configuration.ingress.as_ref();
    if ingress.is_none_or(|ingress| ingress.transport == Transport::Tcp) {
        return Some(format!("app {app} has no HTTP ingress"));
    }
    match &target.revision {
        HttpRouteRevision::ByTraffic => None,
        HttpRouteRevision::Named(name) => {
            let is_active = control.app.revision(name).is_some_and(|one| one.active);
            (!is_active).then(|| format!("app {app} has no active revision {name}"))
        }
        HttpRouteRevision::Labelled(label) => {
            let is_known = control.app.labels().contains_key(label);
            (!is_known).then(|| format!("app {app} has no label {label}"))
        }
    }
}
