//! Which route a request matches best: as the Gateway API has it for an `HTTPRoute`, an exact path before
//! a prefix, a longer prefix before a shorter one, a method before none, more headers before fewer, and
//! then what comes first.
//!
//! The paths are a sorted list, each with the longest other one that it begins with. A path's longest
//! prefix in the list is the entry before its place, or one of those that this begins with: a binary
//! search and a few steps, without allocation.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use ebbtide_core::document::{HttpRoute, HttpRouteRule, PathMatch};
use ebbtide_core::request_path::{Decoded, decoded};
use http::{HeaderName, HeaderValue, Method, Request};

use super::rewrite::Rewrite;

/// The routes of a config.
#[derive(Debug)]
pub(super) struct Matcher {
    paths: Vec<Path>,
    routes: Vec<Route>,
}

/// A path or prefix of routes, in lowercase.
#[derive(Debug)]
struct Path {
    key: Vec<u8>,
    /// Routes for this path, the best first, by their places.
    exact: Vec<usize>,
    /// Routes for paths that begin with this.
    prefixed: Vec<usize>,
    /// The longest other entry that this one begins with.
    enclosing: Option<usize>,
}

/// What a request must be like, beside having a path that begins so in lowercase.
#[derive(Debug)]
struct Route {
    rule: usize,
    path: Vec<u8>,
    case_sensitive: bool,
    /// Whether what follows the prefix begins with a slash.
    is_separated: bool,
    method: Option<Method>,
    headers: Vec<(HeaderName, HeaderValue)>,
    rewrite: Option<String>,
}

/// The route that a request matches best.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matched<'m> {
    /// The place of its rule.
    pub(crate) rule: usize,
    /// What becomes of the path, if it does not stay as it is.
    pub(crate) rewrite: Option<Rewrite<'m>>,
}

impl Matcher {
    pub(super) fn new(rules: &[HttpRouteRule]) -> Self {
        let of_rule = |(place, rule): (usize, &'_ HttpRouteRule)| {
            let routes = rule.routes.iter();
            routes
                .filter_map(|route| Some((Route::new(place, route)?, is_exact(route))))
                .collect::<Vec<_>>()
        };
        let (routes, exact): (Vec<Route>, Vec<bool>) =
            rules.iter().enumerate().flat_map(of_rule).unzip();
        let mut by_path: BTreeMap<Vec<u8>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (place, (route, is_exact)) in routes.iter().zip(exact).enumerate() {
            let (exact, prefixed) = by_path.entry(route.path.to_ascii_lowercase()).or_default();
            if is_exact { exact } else { prefixed }.push(place);
        }
        let paths = by_path.into_iter().map(|(key, (exact, prefixed))| Path {
            key,
            exact: by_precedence(&routes, exact),
            prefixed: by_precedence(&routes, prefixed),
            enclosing: None,
        });
        let mut paths: Vec<Path> = paths.collect();
        link(&mut paths);
        Self { paths, routes }
    }

    /// The best route for a request with this path.
    pub(super) fn find<B>(&self, path: &str, request: &Request<B>) -> Option<Matched<'_>> {
        let lowercase = || decoded(path).map(|byte| byte.to_ascii_lowercase());
        let before = |entry: &Path| entry.key.iter().copied().cmp(lowercase()) != Ordering::Greater;
        let mut next = self.paths.partition_point(before).checked_sub(1);
        while let Some(entry) = next.map(|place| &self.paths[place]) {
            if let Some(mut rest) = after(path, &entry.key, true) {
                let is_whole = rest.next().is_none();
                let exact: &[usize] = if is_whole { &entry.exact } else { &[] };
                let mut candidates = exact.iter().chain(&entry.prefixed);
                if let Some(matched) =
                    candidates.find_map(|place| self.matched(*place, path, request))
                {
                    return Some(matched);
                }
            }
            next = entry.enclosing;
        }
        None
    }

    fn matched<B>(&self, place: usize, path: &str, request: &Request<B>) -> Option<Matched<'_>> {
        let route = &self.routes[place];
        let rest = after(path, &route.path, !route.case_sensitive)?;
        if route.is_separated && !matches!(rest.clone().next(), None | Some(b'/')) {
            return None;
        }
        let has = |(name, value): &(HeaderName, HeaderValue)| {
            request
                .headers()
                .get_all(name)
                .iter()
                .any(|one| one == value)
        };
        // A WebSocket comes by CONNECT over HTTP/2, and is a GET over HTTP/1.1 (RFC 8441).
        let method = match request.method() {
            &Method::CONNECT => &Method::GET,
            method => method,
        };
        let is_of_method = |wanted: &Method| wanted == method;
        if !route.method.as_ref().is_none_or(is_of_method) || !route.headers.iter().all(has) {
            return None;
        }
        let rewrite = route.rewrite.as_deref();
        Some(Matched {
            rule: route.rule,
            rewrite: rewrite.map(|with| Rewrite {
                with,
                from: rest.position(),
                is_slash_gone: route.path.ends_with(b"/"),
            }),
        })
    }
}

impl Route {
    /// None if a request can never be like this.
    fn new(rule: usize, route: &HttpRoute) -> Option<Self> {
        let matches = &route.matches;
        let header = |one: &ebbtide_core::document::HeaderMatch| {
            let name = HeaderName::from_bytes(one.name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(&one.value).ok()?))
        };
        let method = matches.method.as_ref();
        Some(Self {
            rule,
            path: decoded(matches.path.text()).collect(),
            case_sensitive: matches.case_sensitive,
            is_separated: matches!(matches.path, PathMatch::PathSeparatedPrefix(_)),
            method: method
                .map(|one| Method::from_bytes(one.as_bytes()))
                .transpose()
                .ok()?,
            headers: matches.headers.iter().map(header).collect::<Option<_>>()?,
            rewrite: route.prefix_rewrite.clone(),
        })
    }
}

fn is_exact(route: &HttpRoute) -> bool {
    matches!(route.matches.path, PathMatch::Exact(_))
}

/// Of routes with the same path, which are in the document's order: those with a method first, then by
/// how many headers they have.
fn by_precedence(routes: &[Route], mut places: Vec<usize>) -> Vec<usize> {
    let precedence = |route: &Route| (route.method.is_none(), Reverse(route.headers.len()));
    places.sort_by_key(|place| precedence(&routes[*place]));
    places
}

/// Finds for each entry the longest other one that it begins with. Those that have been passed and that
/// the present one begins with are a stack.
fn link(paths: &mut [Path]) {
    let mut open: Vec<usize> = Vec::new();
    for place in 0..paths.len() {
        let is_enclosing = |outer: &usize| paths[place].key.starts_with(&paths[*outer].key);
        while open.last().is_some_and(|outer| !is_enclosing(outer)) {
            open.pop();
        }
        paths[place].enclosing = open.last().copied();
        open.push(place);
    }
}

/// What follows `prefix` in a path; none if the path does not begin so.
fn after<'p>(path: &'p str, prefix: &[u8], any_case: bool) -> Option<Decoded<'p>> {
    let mut rest = decoded(path);
    let is_same = |(byte, expected): (u8, u8)| {
        byte == expected || (any_case && byte.eq_ignore_ascii_case(&expected))
    };
    let mut expected = prefix.iter();
    let begins =
        expected.all(|expected| rest.next().is_some_and(|byte| is_same((byte, *expected))));
    begins.then_some(rest)
}
