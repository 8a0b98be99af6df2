//! What an HTTP route config says: Azure's rule-based routing, typed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::name::{AppName, RevisionName, RouteConfigName};

/// An HTTP route config: hosts, and the rules by which their requests go to apps.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRouteConfig {
    /// Its name, which is also its host, `NAME.localhost`.
    pub name: RouteConfigName,
    /// Names of `customDomains`, lowercase; `*.example.com` stands for all below `example.com`.
    pub custom_domains: Vec<String>,
    /// `rules`, at least one.
    pub rules: Vec<HttpRouteRule>,
    /// Properties accepted and not acted on, by their path, as written.
    pub accepted: BTreeMap<String, Value>,
}

/// One entry of `rules`: requests that match any of the routes go to the targets.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRouteRule {
    /// `description`.
    pub description: Option<String>,
    /// `routes`, at least one.
    pub routes: Vec<HttpRoute>,
    /// `targets`, at least one; their weights sum to 100.
    pub targets: Vec<HttpRouteTarget>,
    /// `timeouts`, which Azure does not know.
    pub timeouts: RouteTimeouts,
}

/// How long answers by a rule may take, in seconds. 0 is for ever, and none is as the app has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteTimeouts {
    /// `firstByteSeconds`.
    pub first_byte: Option<u32>,
    /// `idleSeconds`.
    pub idle: Option<u32>,
    /// `requestSeconds`.
    pub request: Option<u32>,
}

/// One entry of `routes`.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRoute {
    /// `match`.
    pub matches: HttpRouteMatch,
    /// `action.prefixRewrite`: what stands in the place of the matched prefix, or path, when the request
    /// is forwarded.
    pub prefix_rewrite: Option<String>,
}

/// `match`: what a request must be like. All of it must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRouteMatch {
    /// `path`, `prefix` or `pathSeparatedPrefix`; the prefix `/` if none is given.
    pub path: PathMatch,
    /// `caseSensitive`, of the path; true if absent.
    pub case_sensitive: bool,
    /// `method`, in uppercase, which Azure does not know.
    pub method: Option<String>,
    /// `headers`, which Azure does not know.
    pub headers: Vec<HeaderMatch>,
}

/// What a path must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// `path`: this.
    Exact(String),
    /// `prefix`: it begins with this.
    Prefix(String),
    /// `pathSeparatedPrefix`: it is this, or begins with this and a slash.
    PathSeparatedPrefix(String),
}

/// A header that a request must have, on any of its lines of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMatch {
    /// `name`, lowercase.
    pub name: String,
    /// `value`, the whole of it.
    pub value: String,
}

/// One entry of `targets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRouteTarget {
    /// `containerApp`.
    pub app: AppName,
    /// Which revision of it.
    pub revision: HttpRouteRevision,
    /// `weight`: percent of the requests, 0 to 100.
    pub weight: u32,
}

/// Which revision of its app a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpRouteRevision {
    /// That which the app's own traffic weights choose.
    ByTraffic,
    /// `revision`.
    Named(RevisionName),
    /// `label`: the one that has this label.
    Labelled(String),
}

impl PathMatch {
    /// The path or prefix, as it was written.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::PathSeparatedPrefix(text) => text,
        }
    }
}
