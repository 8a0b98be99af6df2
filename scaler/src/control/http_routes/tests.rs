//! Tests of route configs.

use super::*;
use crate::control::fixtures::{Apps, HELLO, TWO, apply, documents};

const ROUTES: &str = "
name: shop
type: Microsoft.App/managedEnvironments/httpRouteConfigs
properties:
  customDomains: [{name: shop.example}]
  rules:
  - routes: [{match: {prefix: /}}]
    targets: [{containerApp: hello}]
";

fn apps(text: &str) -> Apps {
    let mut apps = Apps::new();
    apply(&mut apps, &[("app.yaml", text)], Origin::Files);
    apps
}

/// Puts the configs of files in force, and says what changed.
fn put(present: &mut RouteConfigs, texts: &[(&str, &str)], origin: Origin) -> Vec<String> {
    let (declared, _) = split(documents(texts));
    let results = declared.into_iter().map(|one| commit(present, one, origin));
    results.flat_map(|result| result.changes).collect()
}

#[test]
fn a_config_is_made_ready_again_only_when_it_changes() {
    let mut present = RouteConfigs::new();
    let routes = |present: &RouteConfigs| Arc::clone(&present.values().next().unwrap().routes);
    let made = put(&mut present, &[("a.yaml", ROUTES)], Origin::Files);
    assert_eq!(made, ["the routes of shop were made"]);
    let first = routes(&present);
    assert!(put(&mut present, &[("b.yaml", ROUTES)], Origin::Files).is_empty());
    assert!(Arc::ptr_eq(&first, &routes(&present)));
    let other = ROUTES.replace("prefix: /", "prefix: /a");
    let changed = put(&mut present, &[("b.yaml", &other)], Origin::Files);
    assert_eq!(changed, ["the routes of shop were changed"]);
    assert!(!Arc::ptr_eq(&first, &routes(&present)));
}

#[test]
fn what_is_in_no_file_any_more_goes_and_what_came_by_the_api_stays() {
    let mut present = RouteConfigs::new();
    let other = ROUTES.replace("shop", "other");
    put(&mut present, &[("a.yaml", ROUTES)], Origin::Files);
    put(&mut present, &[("request body", &other)], Origin::Api);
    let (none, _) = split(documents(&[("a.yaml", HELLO)]));
    let gone = gone(&present, &none);
    assert_eq!(
        gone.iter().map(RouteConfigName::as_str).collect::<Vec<_>>(),
        ["shop"]
    );
    let (source, result) = take_away(&mut present, &gone[0]).unwrap();
    assert_eq!(source, Source::File("a.yaml".into()));
    assert_eq!(result.changes, ["the routes of shop were taken away"]);
    assert!(take_away(&mut present, &gone[0]).is_none());
}

#[test]
fn warnings_are_those_of_a_file_without_apps() {
    let odd = ROUTES.replace("rules:", "colour: red\n  rules:");
    let (declared, _) = split(documents(&[("a.yaml", &odd)]));
    assert!(
        declared[0].warnings[0].contains("colour"),
        "{:?}",
        declared[0].warnings
    );
    let both = format!("{HELLO}---{odd}");
    let (declared, rest) = split(documents(&[("a.yaml", &both)]));
    assert!(declared[0].warnings.is_empty() && rest.warnings.len() == 1);
    assert_eq!(rest.declarations.len(), 1);
}

#[test]
fn what_a_target_lacks_is_said() {
    let public = TWO.replace("targetPort: 80", "external: true\n      targetPort: 80");
    let none = "{name: idle, properties: {template: {containers: [{name: b, command: [c]}]}}}";
    let (there, hidden, idle) = (apps(&public), apps(HELLO), apps(none));
    for (target, apps, expected) in [
        ("containerApp: hello", &there, None),
        ("containerApp: hello, label: blue", &there, None),
        ("containerApp: hello, revision: v1", &there, None),
        (
            "containerApp: lost",
            &there,
            Some("there is no app lost; its requests get 503"),
        ),
        (
            "containerApp: hello, label: red",
            &there,
            Some("no label red"),
        ),
        (
            "containerApp: hello, revision: v9",
            &there,
            Some("no active revision hello--v9"),
        ),
        ("containerApp: idle", &idle, Some("no HTTP ingress")),
        (
            "containerApp: hello",
            &hidden,
            Some("app hello has `external: false`"),
        ),
    ] {
        let text = ROUTES.replace("containerApp: hello", target);
        let (declared, _) = split(documents(&[("a.yaml", &text)]));
        let remarks = remarks(&declared[0].config.value, apps);
        let remark = remarks.first().map(String::as_str);
        assert_eq!(remark.is_some(), expected.is_some(), "{target}: {remark:?}");
        assert!(
            remark
                .unwrap_or_default()
                .contains(expected.unwrap_or_default()),
            "{remark:?}"
        );
    }
}

#[test]
fn named_revisions_are_those_that_targets_name() {
    let mut present = RouteConfigs::new();
    let text = ROUTES.replace("containerApp: hello", "containerApp: hello, revision: v1");
    put(&mut present, &[("a.yaml", &text)], Origin::Files);
    let named = named_revisions(&present);
    assert_eq!(
        named.iter().map(RevisionName::as_str).collect::<Vec<_>>(),
        ["hello--v1"]
    );
}

#[test]
fn a_host_that_is_taken_is_refused_unless_its_owner_goes() {
    let domain = "ingress: {targetPort: 80, customDomains: [{name: shop.example}]}";
    let with_domain = HELLO.replace("ingress: {targetPort: 80}", domain);
    let with_own = with_domain.replace("shop.example", "shop.localhost");
    let shop = HELLO.replace("name: hello", "name: shop");
    let mut routes = RouteConfigs::new();
    put(&mut routes, &[("a.yaml", ROUTES)], Origin::Files);
    let none = RouteConfigs::new();
    for (text, apps, routes, expected) in [
        (ROUTES, apps(HELLO), &none, None),
        (ROUTES, apps(HELLO), &routes, None),
        (
            ROUTES,
            apps(&shop),
            &none,
            Some("`shop` is of the app shop"),
        ),
        (
            ROUTES,
            apps(&with_own),
            &none,
            Some("`shop.localhost` is of the app hello"),
        ),
        (
            ROUTES,
            apps(&with_domain),
            &none,
            Some("`shop.example` is of the app hello"),
        ),
        (
            &shop,
            Apps::new(),
            &routes,
            Some("`shop` is of the route config shop"),
        ),
        (
            &with_domain,
            Apps::new(),
            &routes,
            Some("give this app hello another one"),
        ),
    ] {
        let documents = documents(&[("b.yaml", text)]);
        let errors = check_hosts(&documents, Origin::Api, &apps, routes);
        assert!(errors.len() <= 1, "{errors:?}");
        let message = errors.first().map(|error| error.message.as_str());
        assert_eq!(message.is_some(), expected.is_some(), "{message:?}: {text}");
        assert!(
            message
                .unwrap_or_default()
                .contains(expected.unwrap_or_default()),
            "{message:?}"
        );
        // What came from files is replaced by what files say now.
        assert!(check_hosts(&documents, Origin::Files, &apps, routes).is_empty());
    }
}
