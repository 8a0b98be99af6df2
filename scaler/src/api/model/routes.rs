//! HTTP route configs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An HTTP route config: a host, and the rules by which its requests go to apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteConfigStatus {
    /// The config's name.
    pub name: String,
    /// Where requests reach it; none if this process has no ingress.
    pub url: Option<String>,
    /// Further hosts; `*.example.com` stands for all below `example.com`.
    pub custom_domains: Vec<String>,
    /// Where its document came from: a file's path, or `api`.
    pub source: String,
    /// Properties accepted and not acted on, and other things worth knowing.
    pub warnings: Vec<String>,
    /// The rules, in the document's order, which decides only between routes that are as specific.
    pub rules: Vec<RouteRuleStatus>,
}

/// Requests that match one of the routes go to the targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteRuleStatus {
    /// What the document says of it.
    pub description: Option<String>,
    /// The routes.
    pub routes: Vec<RouteMatchStatus>,
    /// The targets; their weights sum to 100.
    pub targets: Vec<RouteTargetStatus>,
}

/// What a request must be like, and what becomes of its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteMatchStatus {
    /// How the path is compared: `path`, `prefix` or `pathSeparatedPrefix`.
    pub kind: String,
    /// The path or prefix.
    pub path: String,
    /// Whether the path's case matters.
    pub case_sensitive: bool,
    /// The method; none if any will do.
    pub method: Option<String>,
    /// Headers that it must have, as `name: value`.
    pub headers: Vec<String>,
    /// What stands in the place of the matched path or prefix when it is forwarded.
    pub prefix_rewrite: Option<String>,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteTargetStatus {
    /// The app.
    pub container_app: String,
    /// The revision, if the document names one.
    pub revision: Option<String>,
    /// The label, if the document names one. Without either the app's traffic weights decide.
    pub label: Option<String>,
    /// Percent of the rule's requests.
    pub weight: u32,
    /// Why it takes no requests, which get 503; none if it does.
    pub problem: Option<String>,
}
