//! Route configs: what is read, what is said of it, and what prints back.

use super::errors::{assert_error, check};
use super::*;

/// A config with these properties.
fn config(properties: &str) -> String {
    format!(
        "type: Microsoft.App/managedEnvironments/httpRouteConfigs\nname: shop\nproperties: {properties}\n"
    )
}

/// One with one rule, whose only route is this.
fn with_route(route: &str) -> String {
    config(&format!(
        "{{rules: [{{routes: [{route}], targets: [{{containerApp: web}}]}}]}}"
    ))
}

fn with_match(matches: &str) -> String {
    with_route(&format!("{{match: {matches}}}"))
}

fn with_targets(targets: &str) -> String {
    config(&format!(
        "{{rules: [{{routes: [{{match: {{path: /a}}}}], targets: {targets}}}]}}"
    ))
}

fn routes(text: &str) -> HttpRouteConfig {
    let parsed = match read(text) {
        Ok(parsed) => parsed,
        Err(errors) => panic!("{errors:#?}\n{text}"),
    };
    let declaration = &parsed.declarations[0].value;
    assert_prints_back(declaration);
    let Declaration::Routes(config) = declaration else {
        panic!("not routes: {declaration:?}");
    };
    (**config).clone()
}

const RICH: &str = "\
type: Microsoft.App/managedEnvironments/httpRouteConfigs
name: shop
properties:
  provisioningState: Succeeded
  customDomains:
  - {name: Shop.Example, bindingType: SniEnabled, certificateId: c}
  - {name: '*.shop.example'}
  rules:
  - description: the basket
    routes:
    - match: {pathSeparatedPrefix: /basket, caseSensitive: false}
      action: {prefixRewrite: /v1/}
    - match: {path: /checkout, method: post, headers: [{name: X-Beta, value: 'on'}]}
    targets:
    - {containerApp: basket, weight: 90}
    - {containerApp: basket, label: next, weight: 10}
  - routes: [{match: {prefix: /}}]
    targets: [{containerApp: web, revision: v1}]
";

#[test]
fn a_rich_config_is_read() {
    let config = routes(RICH);
    assert_eq!(config.name.as_str(), "shop");
    assert_eq!(config.custom_domains, ["shop.example", "*.shop.example"]);
    let [basket, rest] = &*config.rules else {
        panic!("{config:?}");
    };
    let [prefix, exact] = &*basket.routes else {
        panic!("{config:?}");
    };
    let expected = PathMatch::PathSeparatedPrefix("/basket".to_owned());
    assert_eq!(prefix.matches.path, expected);
    assert!(!prefix.matches.case_sensitive && exact.matches.case_sensitive);
    assert_eq!(prefix.prefix_rewrite.as_deref(), Some("/v1/"));
    assert_eq!(exact.matches.method.as_deref(), Some("POST"));
    let header = HeaderMatch {
        name: "x-beta".to_owned(),
        value: "on".to_owned(),
    };
    assert_eq!(exact.matches.headers, [header]);
    let weights: Vec<u32> = basket.targets.iter().map(|one| one.weight).collect();
    assert_eq!(weights, [90, 10]);
    let next = HttpRouteRevision::Labelled("next".to_owned());
    assert_eq!(basket.targets[1].revision, next);
    assert!(
        matches!(&rest.targets[0].revision, HttpRouteRevision::Named(name) if name.as_str() == "web--v1")
    );
    assert_eq!(rest.targets[0].weight, 100);
}

#[test]
fn the_file_of_azures_command_line_has_the_properties_alone() {
    let text = "\
customDomains: [{name: a.example, bindingType: Disabled}]
rules:
- routes:
  - match: {prefix: /1}
    action: {prefixRewrite: /}
  targets:
  - containerApp: web
";
    let config = routes(text);
    assert_eq!(config.name.as_str(), "unnamed");
    assert_eq!(config.rules.len(), 1);
    assert_eq!(
        config.accepted["properties.customDomains[0].bindingType"],
        "Disabled"
    );
}

#[test]
fn a_template_has_routes_among_its_resources() {
    let text = r#"{
  "contentVersion": "1.0.0.0",
  "parameters": {"app": {"type": "string", "defaultValue": "web"}},
  "resources": [{
    "type": "Microsoft.App/managedEnvironments/httpRouteConfigs",
    "apiVersion": "2025-07-01",
    "name": "[concat('env', '/shop')]",
    "dependsOn": [],
    "properties": {"rules": [{
      "routes": [{"match": {"pathSeparatedPrefix": "/a"}}],
      "targets": [{"containerApp": "[parameters('app')]"}]
    }]}
  }]
}"#;
    let config = routes(text);
    assert_eq!(config.name.as_str(), "shop");
    assert_eq!(config.rules[0].targets[0].app.as_str(), "web");
}

#[test]
fn what_is_wrong_with_a_config_is_said_with_its_place() {
    check(
        config,
        "{} => properties.rules => is missing; give at least one rule
         {rules: []} => properties.rules => give at least one rule
         {rules: [{targets: [{containerApp: web}]}]} => rules[0].routes => is missing",
    );
    for (from, to, path, message) in [
        (
            "name: shop\n",
            "name: Shop\n",
            "name",
            "is not the name of a route config",
        ),
        (
            "'*.shop.example'",
            "a.*.example",
            "customDomains[1].name",
            "first labels",
        ),
        ("RouteConfigs", "RouteConfg", "type", "did you mean"),
    ] {
        assert_error(&RICH.replace(from, to), path, message);
    }
    let many = vec!["{match: {path: /a}}"; 1001].join(", ");
    assert_error(
        &with_route(&many),
        "rules",
        "have 1001 routes; at most 1000",
    );
}

#[test]
fn what_is_wrong_with_targets_is_said_with_its_place() {
    check(
        with_targets,
        "[] => rules[0].targets => give at least one target
         [{containerApp: Web}] => [0].containerApp => is not an app name
         [{weight: 100}] => [0].containerApp => is missing
         [{containerApp: web, weight: 90}] => targets => sum to 90; they must sum to 100
         [{containerApp: a}, {containerApp: b}] => targets => sum to 0
         [{containerApp: a, weight: 50}, {containerApp: a, weight: 50}] => targets[1] => a second time
         [{containerApp: a, label: b, revision: c}] => targets[0] => not both
         [{containerApp: a, revision: b--c}] => revision => is a revision of `b`
         [{containerApp: a, label: A}] => label => is not a label",
    );
}

#[test]
fn what_is_wrong_with_a_match_or_an_action_is_said_with_its_place() {
    check(
        with_match,
        "{path: /a, prefix: /b} => match => give one
         {path: a} => match.path => begin with a slash
         {prefix: /a?b} => match.prefix => has a `?`
         {prefix: /a;b} => match.prefix => has a `?`, `#` or `;`
         {prefix: /a/../b} => match.prefix => matches nothing
         {prefix: /a//b} => match.prefix => matches nothing
         {prefix: /a%2fb} => match.prefix => matches nothing
         {method: GRAB} => match.method => expected one of GET
         {headers: [{name: a}]} => headers[0].value => is missing
         {headers: [{name: 'a b', value: c}]} => [0].name => is not a header's name
         {headers: [{name: X-Forwarded-Proto, value: https}]} => [0].name => on the way
         {headers: [{name: Host, value: a}]} => [0].name => on the way
         {headers: [{name: a, value: \"b\\nc\"}]} => [0].value => is no header's value
         {headers: [{name: a, value: b}, {name: A, value: c}]} => headers[1] => given twice",
    );
    let long = format!("{{path: /{}}}", "a".repeat(1024));
    assert_error(&with_match(&long), "match.path", "longer than 1024");
    check(
        with_route,
        "{action: {prefixRewrite: a}} => action.prefixRewrite => begin with a slash
         {action: {prefixRewrite: /ä}} => action.prefixRewrite => percent-encode
         {action: {prefixRewrite: '/a b'}} => action.prefixRewrite => percent-encode
         {action: {prefixRewrite: /a?b}} => action.prefixRewrite => has a `?`",
    );
}

#[test]
fn the_times_of_a_rule_are_read() {
    let with = |timeouts: &str| {
        config(&format!(
            "{{rules: [{{timeouts: {timeouts}, routes: [{{}}], targets: [{{containerApp: a}}]}}]}}"
        ))
    };
    let parsed = read(&with("{firstByteSeconds: 5, idleSeconds: 0}")).unwrap();
    let Declaration::Routes(config) = &parsed.declarations[0].value else {
        panic!("no routes");
    };
    let expected = RouteTimeouts {
        first_byte: Some(5),
        idle: Some(0),
        request: None,
    };
    assert_eq!(config.rules[0].timeouts, expected);
    let warnings: Vec<_> = parsed.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings[0].contains("rules[0].timeouts: is acted on here; Azure knows no"),
        "{warnings:?}"
    );
    check(
        with,
        "{requestSeconds: -1} => timeouts.requestSeconds => a whole number of at least 0
         {idleSeconds: 1s} => timeouts.idleSeconds => found `1s`
         5 => rules[0].timeouts => expected a mapping",
    );
}

#[test]
fn what_surprises_is_a_warning() {
    let two =
        |first: &str, second: &str| with_route(&format!("{{match: {first}}}, {{match: {second}}}"));
    let all = "{prefix: /}";
    for (text, path, message) in [
        (
            with_match("{method: GET}"),
            "match.method",
            "Azure knows no such property",
        ),
        (
            with_match("{headers: [{name: a, value: b}]}"),
            "match.headers",
            "Azure knows no",
        ),
        (
            with_match("{pathSeparatedPrefix: /a/}"),
            "pathSeparatedPrefix",
            "read as `/a`",
        ),
        (
            with_match("{pathPrefix: /a}"),
            "match.pathPrefix",
            "unknown property",
        ),
        (
            two(all, "{path: /a}"),
            "routes[1]",
            "in Azure properties.rules[0].routes[0] gets these",
        ),
        (
            two("{prefix: /a}", "{prefix: /ab}"),
            "routes[1]",
            "put this one first",
        ),
        (two(all, all), "routes[1]", "gets no request"),
        (
            two("{prefix: /a}", "{pathSeparatedPrefix: /a}"),
            "routes[1]",
            "gets no request",
        ),
        (
            two("{pathSeparatedPrefix: /a}", "{path: /a/b}"),
            "routes[1]",
            "in Azure",
        ),
    ] {
        let warnings = read(&text).unwrap().warnings;
        let found = warnings
            .iter()
            .any(|warning| warning.path.ends_with(path) && warning.message.contains(message));
        assert!(found, "{path}: {message} is not in {warnings:#?}");
    }
    for text in [
        two("{path: /a}", all),
        two("{pathSeparatedPrefix: /a}", "{prefix: /a}"),
        two("{pathSeparatedPrefix: /a}", "{prefix: /ab}"),
        two("{prefix: /a, caseSensitive: false}", "{prefix: /a}"),
        two("{path: /a}", "{prefix: /a/b}"),
    ] {
        let warnings = read(&text).unwrap().warnings;
        assert!(warnings.is_empty(), "{warnings:#?}\n{text}");
    }
}

#[test]
fn a_name_and_a_domain_are_declared_once() {
    let app = |name: &str, domain: &str| {
        format!(
            "---\nname: {name}\nproperties: {{configuration: {{ingress: {{customDomains: [{{name: {domain}}}]}}}}, \
             template: {{containers: [{{name: a, command: [b]}}]}}}}\n"
        )
    };
    let unique = |text: &str| check_unique(&read(text).unwrap().declarations);
    assert_eq!(
        unique(&format!("{RICH}{}", app("web", "web.example"))),
        Ok(())
    );
    let shared = format!("{}{}", app("a", "a.example"), app("b", "a.example"));
    assert_eq!(unique(&shared), Ok(()));
    for (second, path, message) in [
        (
            app("shop", "web.example"),
            "name",
            "`shop` is the route config's at test.yaml:1",
        ),
        (
            app("web", "shop.example"),
            "customDomains",
            "`shop.example` is the route config's",
        ),
        (
            format!("---\n{RICH}"),
            "name",
            "`shop` is declared a second time",
        ),
    ] {
        let errors = unique(&format!("{RICH}{second}")).unwrap_err();
        assert!(errors[0].path.ends_with(path), "{errors:#?}");
        assert!(errors[0].message.contains(message), "{errors:#?}");
    }
}
