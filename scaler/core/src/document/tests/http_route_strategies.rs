//! Route configs of all kinds, for properties.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::strategies::{app_name, suffix};
use super::texts::text;
use crate::document::model::*;
use crate::name::{AppName, RevisionName, RouteConfigName};

pub(super) fn routes() -> impl Strategy<Value = HttpRouteConfig> {
    let domains = btree_set("([*][.])?[a-z]{1,5}[.][a-z]{1,5}", 0..3);
    let accepted = btree_map(
        Just("properties.customDomains[0].certificateId".to_owned()),
        text()
            .prop_map(Value::from)
            .prop_filter("absent", |text| text != ""),
        0..2,
    );
    (suffix(), domains, vec(rule(), 1..4), accepted).prop_map(|(name, domains, rules, accepted)| {
        let accepted = if domains.is_empty() {
            BTreeMap::new()
        } else {
            accepted
        };
        HttpRouteConfig {
            name: RouteConfigName::new(&format!("r{name}")).unwrap(),
            custom_domains: domains.into_iter().collect(),
            rules,
            accepted,
        }
    })
}

fn rule() -> impl Strategy<Value = HttpRouteRule> {
    let seconds = || of(any::<u32>());
    let timeouts = (seconds(), seconds(), seconds());
    let timeouts = timeouts.prop_map(|(first_byte, idle, request)| RouteTimeouts {
        first_byte,
        idle,
        request,
    });
    let timeouts = prop_oneof![Just(RouteTimeouts::default()), timeouts];
    let parts = (of(text()), vec(route(), 1..4), targets(), timeouts);
    parts.prop_map(|(description, routes, targets, timeouts)| HttpRouteRule {
        description,
        routes,
        targets,
        timeouts,
    })
}

fn path() -> impl Strategy<Value = String> {
    "(/[a-zA-Z0-9@:~ä-]{1,6}(%20)?){1,3}"
}

fn route() -> impl Strategy<Value = HttpRoute> {
    let matched = prop_oneof![
        (path(), "/?").prop_map(|(path, slash)| PathMatch::Exact(path + &slash)),
        (path(), "/?").prop_map(|(path, slash)| PathMatch::Prefix(path + &slash)),
        Just(PathMatch::Prefix("/".to_owned())),
        path().prop_map(PathMatch::PathSeparatedPrefix),
    ];
    let method = select(vec!["GET", "POST", "DELETE"]).prop_map(str::to_owned);
    let headers = btree_map("x-[a-z]{1,5}", "[!-~]([ -~]{0,9}[!-~])?", 0..3);
    let headers = headers.prop_filter("a placeholder", |headers| {
        !headers
            .values()
            .any(|value| value.contains(['<', '{', '$']))
    });
    let rewrite = of("(/[a-z0-9]{1,6}){0,2}/");
    (matched, any::<bool>(), of(method), headers, rewrite).prop_map(
        |(path, case_sensitive, method, headers, prefix_rewrite)| HttpRoute {
            matches: HttpRouteMatch {
                path,
                case_sensitive,
                method,
                headers: headers
                    .into_iter()
                    .map(|(name, value)| HeaderMatch { name, value })
                    .collect(),
            },
            prefix_rewrite,
        },
    )
}

fn targets() -> impl Strategy<Value = Vec<HttpRouteTarget>> {
    let revision = |app: AppName, suffix: &str, kind: u8| match kind {
        0 => HttpRouteRevision::ByTraffic,
        1 => HttpRouteRevision::Named(RevisionName::new(&app, suffix).unwrap()),
        _ => HttpRouteRevision::Labelled(format!("l{suffix}")),
    };
    let target = (app_name(), suffix(), 0..3_u8);
    (vec(target, 1..3), 0..=100_u32).prop_map(move |(targets, first)| {
        let alone = targets.len() == 1;
        let weight = move |place| match place {
            0 if alone => 100,
            0 => first,
            _ => 100 - first,
        };
        let targets = targets.into_iter().enumerate();
        let targets = targets.map(|(place, (app, suffix, kind))| HttpRouteTarget {
            revision: revision(app.clone(), &suffix, kind),
            app,
            weight: weight(place),
        });
        let mut targets: Vec<_> = targets.collect();
        if targets.len() == 2 && targets[0].app == targets[1].app {
            targets[0].weight = 100;
            targets.pop();
        }
        targets
    })
}
