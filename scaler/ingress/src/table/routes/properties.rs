//! Routing by paths, methods and headers, against the rules put down once more in the plainest way.

use std::fmt::Write as _;

use ebbtide_core::document::{
    HeaderMatch, HttpRoute, HttpRouteMatch, HttpRouteRule, PathMatch, RouteTimeouts,
};
use ebbtide_core::request_path::check;
use http::Request;
use proptest::prelude::*;
use proptest::sample::select;

use super::matcher::Matcher;

/// Few letters, so that paths begin with each other.
fn path() -> impl Strategy<Value = String> {
    "(/[abA]{1,2}){0,3}/?".prop_map(|path| {
        if path.is_empty() {
            "/".to_owned()
        } else {
            path
        }
    })
}

fn path_match() -> impl Strategy<Value = PathMatch> {
    (path(), 0..3_u8).prop_map(|(path, kind)| match kind {
        0 => PathMatch::Exact(path),
        1 => PathMatch::Prefix(path),
        // As the reader leaves them.
        _ if path == "/" => PathMatch::Prefix(path),
        _ => PathMatch::PathSeparatedPrefix(path.trim_end_matches('/').to_owned()),
    })
}

fn matches() -> impl Strategy<Value = HttpRouteMatch> {
    let method = proptest::option::weighted(0.3, select(vec!["GET", "POST"]));
    let headers = proptest::sample::subsequence(vec![("x", "1"), ("x", "2"), ("y", "1")], 0..3);
    (path_match(), any::<bool>(), method, headers).prop_map(
        |(path, case_sensitive, method, headers)| HttpRouteMatch {
            path,
            case_sensitive,
            method: method.map(str::to_owned),
            headers: headers
                .into_iter()
                .map(|(name, value)| HeaderMatch {
                    name: name.to_owned(),
                    value: value.to_owned(),
                })
                .collect(),
        },
    )
}

/// A request: its path as it is written, its method, and its headers.
#[derive(Clone, Debug)]
struct Asked {
    path: String,
    method: &'static str,
    headers: Vec<(&'static str, &'static str)>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let headers = proptest::sample::subsequence(vec![("x", "1"), ("x", "2"), ("y", "1")], 0..4);
    (
        path(),
        any::<u64>(),
        select(vec!["GET", "POST", "PUT"]),
        headers,
    )
        .prop_map(|(path, spelling, method, headers)| Asked {
            path: spelled(&path, spelling),
            method,
            headers,
        })
}

/// The path in another spelling of the same: letters percent-encoded, parameters after segments.
fn spelled(path: &str, spelling: u64) -> String {
    let mut written = String::new();
    for (place, letter) in path.chars().enumerate() {
        match spelling >> (place * 2 % 64) & 3 {
            0 if letter != '/' => write!(written, "%{:02x}", u32::from(letter)).unwrap(),
            1 if letter == '/' && place > 0 => written.push_str(";p=1/"),
            _ => written.push(letter),
        }
    }
    written
}

/// What a path stands for, read by splitting it.
fn meant(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let name = segment.split(';').next().unwrap_or_default();
        let mut parts = name.split('%');
        let mut meant = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (digits, rest) = part.split_at(2);
            meant.push(char::from(u8::from_str_radix(digits, 16).unwrap()));
            meant.push_str(rest);
        }
        meant
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether it matches, without any thought for speed.
fn is_match(one: &HttpRouteMatch, asked: &Asked) -> bool {
    let (mut path, mut wanted) = (meant(&asked.path), one.path.text().to_owned());
    if !one.case_sensitive {
        (path, wanted) = (path.to_lowercase(), wanted.to_lowercase());
    }
    let is_path = match &one.path {
        PathMatch::Exact(_) => path == wanted,
        PathMatch::Prefix(_) => path.starts_with(&wanted),
        PathMatch::PathSeparatedPrefix(_) => {
            path == wanted || path.starts_with(&format!("{wanted}/"))
        }
    };
    let has = |one: &HeaderMatch| asked.headers.contains(&(&*one.name, &*one.value));
    is_path
        && one
            .method
            .as_ref()
            .is_none_or(|method| method == asked.method)
        && one.headers.iter().all(has)
}

/// The best of all that match: the first of those that nothing comes before.
fn expected(routes: &[HttpRouteMatch], asked: &Asked) -> Option<usize> {
    let rank = |one: &HttpRouteMatch| {
        let is_exact = matches!(one.path, PathMatch::Exact(_));
        (
            is_exact,
            one.path.text().len(),
            one.method.is_some(),
            one.headers.len(),
        )
    };
    let matching = (0..routes.len()).filter(|place| is_match(&routes[*place], asked));
    matching.rev().max_by_key(|place| rank(&routes[*place]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_request_goes_by_the_best_route_however_its_path_is_written(
        routes in proptest::collection::vec(matches(), 0..12),
        asked in proptest::collection::vec(asked(), 1..8),
    ) {
        let rule = |matches: &HttpRouteMatch| HttpRouteRule {
            description: None,
            routes: vec![HttpRoute { matches: matches.clone(), prefix_rewrite: None }],
            targets: Vec::new(),
            timeouts: RouteTimeouts::default(),
        };
        let rules: Vec<_> = routes.iter().map(rule).collect();
        let matcher = Matcher::new(&rules);
        for asked in asked {
            prop_assert_eq!(check(&asked.path), Ok(()), "{}", asked.path);
            let mut request = Request::builder().method(asked.method).uri(&asked.path);
            for (name, value) in &asked.headers {
                request = request.header(*name, *value);
            }
            let request = request.body(()).unwrap();
            let found = matcher.find(request.uri().path(), &request).map(|matched| matched.rule);
            prop_assert_eq!(found, expected(&routes, &asked), "{:?} of {:#?}", asked, routes);
        }
    }
}
