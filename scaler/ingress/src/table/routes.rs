//! Routes of an HTTP route config, made ready for looking up.

mod matcher;
#[cfg(test)]
mod properties;
pub(crate) mod rewrite;

use ebbtide_core::document::{HttpRouteConfig, HttpRouteTarget, RouteTimeouts};
use http::Request;

use crate::split::Split;
use matcher::{Matched, Matcher};

/// An HTTP route config that requests can be routed by. Made once, and the same in every publication as
/// long as the config is, so that its splits go on.
#[derive(Debug)]
pub struct HttpRoutes {
    config: HttpRouteConfig,
    matcher: Matcher,
    /// For each rule the weights of its targets.
    splits: Vec<Split>,
}

impl HttpRoutes {
    /// Makes a config ready.
    pub fn new(config: HttpRouteConfig) -> Self {
        let weights = |targets: &[HttpRouteTarget]| targets.iter().map(|one| one.weight).collect();
        let rules = config.rules.iter();
        Self {
            splits: rules
                .map(|rule| Split::new(weights(&rule.targets)))
                .collect(),
            matcher: Matcher::new(&config.rules),
            config,
        }
    }

    /// What it was made from.
    pub fn config(&self) -> &HttpRouteConfig {
        &self.config
    }

    /// The route that a request matches best, if it matches one.
    pub(crate) fn find<B>(&self, request: &Request<B>) -> Option<Matched<'_>> {
        self.matcher.find(request.uri().path(), request)
    }

    /// How long answers by a rule may take, as far as it says that itself.
    pub(crate) fn timeouts(&self, rule: usize) -> RouteTimeouts {
        let rule = self.config.rules.get(rule);
        rule.map_or_else(RouteTimeouts::default, |rule| rule.timeouts)
    }

    /// The target of a rule whose turn it is, and what to advance when a request has gone to it; none if
    /// no weight is above 0.
    pub(crate) fn next(&self, rule: usize) -> Option<(&HttpRouteTarget, &Split)> {
        let split = self.splits.get(rule)?;
        let target = self.config.rules.get(rule)?.targets.get(split.peek()?)?;
        Some((target, split))
    }
}
