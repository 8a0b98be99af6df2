//! `properties` of an HTTP route config.

use serde_json::Value;

use super::Mapping;
use crate::document::model::{
    HeaderMatch, HttpRoute, HttpRouteConfig, HttpRouteMatch, HttpRouteRevision, HttpRouteRule,
    HttpRouteTarget, PathMatch, RouteTimeouts,
};

pub(super) fn value(config: &HttpRouteConfig) -> Value {
    Mapping::default()
        .list("customDomains", &config.custom_domains, |name| {
            Mapping::default().with("name", name.as_str()).into()
        })
        .list("rules", &config.rules, rule)
        .into()
}

fn rule(rule: &HttpRouteRule) -> Value {
    Mapping::default()
        .maybe("description", rule.description.clone())
        .list("routes", &rule.routes, route)
        .list("targets", &rule.targets, target)
        .maybe("timeouts", timeouts(rule.timeouts))
        .into()
}

fn timeouts(timeouts: RouteTimeouts) -> Option<Mapping> {
    let RouteTimeouts {
        first_byte,
        idle,
        request,
    } = timeouts;
    let mapping = Mapping::default()
        .maybe("firstByteSeconds", first_byte)
        .maybe("idleSeconds", idle)
        .maybe("requestSeconds", request);
    (timeouts != RouteTimeouts::default()).then_some(mapping)
}

fn route(route: &HttpRoute) -> Value {
    let action = route.prefix_rewrite.as_deref();
    let action = action.map(|rewrite| Mapping::default().with("prefixRewrite", rewrite));
    Mapping::default()
        .with("match", matches(&route.matches))
        .maybe("action", action)
        .into()
}

fn matches(matches: &HttpRouteMatch) -> Value {
    let key = match matches.path {
        PathMatch::Exact(_) => "path",
        PathMatch::Prefix(_) => "prefix",
        PathMatch::PathSeparatedPrefix(_) => "pathSeparatedPrefix",
    };
    Mapping::default()
        .with(key, matches.path.text())
        .with("caseSensitive", matches.case_sensitive)
        .maybe("method", matches.method.as_deref())
        .list("headers", &matches.headers, header)
        .into()
}

fn header(header: &HeaderMatch) -> Value {
    Mapping::default()
        .with("name", header.name.as_str())
        .with("value", header.value.as_str())
        .into()
}

fn target(target: &HttpRouteTarget) -> Value {
    let mapping = Mapping::default().with("containerApp", target.app.as_str());
    let mapping = match &target.revision {
        HttpRouteRevision::ByTraffic => mapping,
        HttpRouteRevision::Named(name) => mapping.with("revision", name.as_str()),
        HttpRouteRevision::Labelled(label) => mapping.with("label", label.as_str()),
    };
    mapping.with("weight", target.weight).into()
}
