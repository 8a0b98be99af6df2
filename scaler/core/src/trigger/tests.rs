mod own;

use proptest::prelude::*;

use super::*;
use crate::scaler::FROM_ENV;

fn parse(pairs: &[(&str, &str)]) -> Result<Trigger, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Trigger::parse(&pairs.iter().map(owned).collect()).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("; ")
    })
}

#[test]
fn a_trigger_names_an_app_or_one_of_its_revisions() {
    let address = ("scalerAddress", "ebbtide.ebbtide:9090");
    let cases: [(&[_], &str); 4] = [
        (&[("app", "hello")], "app hello"),
        (
            &[("app", "hello"), ("revision", "v1")],
            "revision hello--v1",
        ),
        (
            &[("app", "hello"), ("revision", "hello--v1")],
            "revision hello--v1",
        ),
        (&[("appFromEnv", " hello ")], "app hello"),
    ];
    for (pairs, expected) in cases {
        let pairs: Vec<_> = pairs.iter().copied().chain([address]).collect();
        let trigger = parse(&pairs).unwrap();
        let Subject::App(scope) = trigger.subject else {
            panic!("an app: {pairs:?}");
        };
        assert_eq!(scope.to_string(), expected);
        assert_eq!(
            (trigger.metrics, trigger.warnings),
            (Metrics::Aggregate, vec![])
        );
    }
    let per_rule = parse(&[("app", "hello"), ("metrics", "Per-Rule")]).unwrap();
    assert_eq!(per_rule.metrics, Metrics::PerRule);
}

#[test]
fn what_is_wrong_is_said_with_its_key_and_what_is_allowed() {
    let long = "x".repeat(MAX_METADATA);
    for (pairs, expected) in [
        (&[][..], "app: is missing"),
        (&[("app", "")], "app: is missing"),
        (&[("app", "No")], "app: \"No\" is not an app name"),
        (
            &[("app", "a"), ("appFromEnv", "b")],
            "app: give app or appFromEnv, not both",
        ),
        (
            &[("app", "a"), ("revision", "b--v1")],
            "revision: \"b--v1\" is no revision of a",
        ),
        (
            &[("app", "a"), ("metrics", "all")],
            "metrics: \"all\" is neither aggregate nor per-rule",
        ),
        (
            &[("app", "a"), ("note", &long)],
            "metadata: has 65544 bytes",
        ),
    ] {
        let error = parse(pairs).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let both = parse(&[("metrics", "all")]).unwrap_err();
    assert!(
        both.contains("app: ") && both.contains("metrics: "),
        "{both}"
    );
}

#[test]
fn unknown_keys_are_warnings_with_the_nearest_known_one() {
    let trigger = parse(&[("app", "a"), ("revison", "v1"), ("colour", "red")]).unwrap();
    assert_eq!(
        trigger.warnings,
        [
            "colour: unknown key, ignored",
            "revison: unknown key, ignored; did you mean `revision`?"
        ]
    );
}

#[test]
fn the_keys_are_a_table() {
    let table = keys_markdown();
    assert_eq!(table.lines().count(), KEYS.len() + 2);
    assert!(
        table.contains("| `app` | name | required without"),
        "{table}"
    );
}

const KEY: &str = "(app|revision|metrics|rules|type|host|value|queueLength|activationValue|\
                   concurrentRequests|requestRate|minReplicas|maxReplicas|[a-z]{1,8})(FromEnv)?";
const VALUE: &str = "(rabbitmq|http|cpu|kafka|hello|[0-9]{1,4}|- name: a|.{0,12})";

proptest! {
    #[test]
    fn any_metadata_is_read_or_refused_and_no_variable_is_shown(
        pairs in prop::collection::btree_map(KEY, VALUE, 0..8),
    ) {
        let secret = "hunter2!";
        let pairs: BTreeMap<String, String> = pairs
            .into_iter()
            .map(|(key, value)| {
                let value = if key.ends_with(FROM_ENV) { format!("{secret}{value}") } else { value };
                (key, value)
            })
            .collect();
        let said = match Trigger::parse(&pairs) {
            Ok(trigger) => format!("{trigger:?}"),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        };
        prop_assert!(!said.contains(secret), "{}", said);
    }
}
