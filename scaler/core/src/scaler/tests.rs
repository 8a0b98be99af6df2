use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

#[test]
fn every_scaler_is_known_once_and_makes_sense() {
    let mut names = BTreeSet::new();
    for scaler in SCALERS {
        for name in scaler.names {
            assert!(crate::document::SCALERS.contains(name), "{name}");
            assert!(names.insert(*name), "{name}");
        }
        let mut keys = BTreeSet::new();
        for key in scaler.keys {
            assert!(keys.insert(key.name), "{} {}", scaler.name(), key.name);
            if let Presence::Default(value) = key.presence {
                assert_eq!(key.kind.check(value), Ok(()), "{}", key.name);
            }
            if key.role == Role::Activation {
                assert!(key.name.starts_with("activation"), "{}", key.name);
            }
        }
        for constraint in scaler.constraints {
            let mentioned = match *constraint {
                Constraint::ExactlyOne(keys)
                | Constraint::AtLeastOne(keys)
                | Constraint::AtMostOne(keys) => keys.to_vec(),
                Constraint::Needs(key, others) => [&[key], others].concat(),
            };
            for key in mentioned {
                assert!(scaler.key(key).is_some(), "{} {key}", scaler.name());
            }
        }
        let targets = scaler.keys.iter().filter(|key| key.role == Role::Target);
        let decided = targets.count() > 0 || scaler.fixed_target.is_some();
        assert!(decided, "{} has no target", scaler.name());
    }
}

#[test]
fn values_are_checked_by_kind() {
    let cases: &[(Kind, &[&str], &[&str])] = &[
        (
            Kind::Number,
            &["0", "1.5", "1e3"],
            &["-1", "x", "", "NaN", "inf"],
        ),
        (Kind::Positive, &["0.1"], &["0", "-1"]),
        (Kind::Whole, &["0", "12"], &["1.5", "-1", "one"]),
        (Kind::Port, &["1", "65535"], &["0", "65536"]),
        (Kind::Boolean, &["true", "False", "1"], &["yes", ""]),
        (Kind::Choice(&["all", "none"]), &["ALL"], &["some"]),
        (
            Kind::Choices(&["tls", "basic"]),
            &["tls", "Basic, tls"],
            &["", "tls,", "tls;basic"],
        ),
        (Kind::List, &["a", "a, b"], &["", "a,,b"]),
        (
            Kind::Url,
            &["http://h:1/p"],
            &["h:1", "://h", "http://", "http://a b"],
        ),
        (Kind::Pem, &["-----BEGIN X"], &["MII"]),
        (Kind::Text, &["", "x"], &[]),
    ];
    for (kind, right, wrong) in cases {
        for text in *right {
            assert_eq!(kind.check(text), Ok(()), "{kind:?} {text}");
        }
        for text in *wrong {
            assert_eq!(kind.check(text), Err(kind.in_words()), "{kind:?} {text}");
        }
    }
}

#[test]
fn times_are_seconds_or_as_go_writes_them() {
    for (text, expected) in [
        ("30", Some(30_000)),
        ("1.5", Some(1500)),
        ("500ms", Some(500)),
        ("1m30s", Some(90_000)),
        ("2h", Some(7_200_000)),
        ("0", None),
        ("", None),
        ("s", None),
        ("1m30", None),
        ("-1s", None),
        ("1d", None),
        ("99999999999", None),
    ] {
        let expected = expected.map(Duration::from_millis);
        assert_eq!(duration(text), expected, "{text}");
    }
}

const EXAMPLE: Scaler = Scaler {
    names: &["example"],
    reads: "",
    differs: "",
    fixed_target: None,
    reads_target: false,
    keys: &[
        key("host", Kind::Url, Presence::Required, Role::Source),
        key("queue", Kind::Text, Presence::Optional, Role::Source),
        key("topic", Kind::Text, Presence::Optional, Role::Source),
        key("subscription", Kind::Text, Presence::Optional, Role::Source),
        key("length", Kind::Number, Presence::Default("5"), Role::Target),
        key("region", Kind::Text, Presence::Optional, Role::Ignored),
    ],
    constraints: &[
        Constraint::ExactlyOne(&["queue", "topic"]),
        Constraint::Needs("topic", &["subscription"]),
    ],
};

const fn key(name: &'static str, kind: Kind, presence: Presence, role: Role) -> Key {
    let meaning = "is for tests";
    Key {
        name,
        kind,
        presence,
        role,
        meaning,
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let wrong = |given: &[(&'static str, Given<'static>)]| {
        let given: BTreeMap<_, _> = given.iter().copied().collect();
        let shown = |_: &Key, text: &str| format!("{text:?}");
        let errors = check(&EXAMPLE, |key| given.get(key).copied(), shown);
        let lines = errors
            .iter()
            .map(|(key, message)| format!("{key}: {message}"));
        lines.collect::<Vec<_>>()
    };
    let value = Given::Value;
    assert_eq!(
        wrong(&[("length", value("x"))]),
        [
            "host: example needs host, an address, as in http://host:port",
            "length: \"x\" is not a number greater than 0",
            "queue: example needs queue or topic",
        ]
    );
    assert_eq!(
        wrong(&[
            ("host", Given::Secret("s")),
            ("queue", value("q")),
            ("topic", Given::Secret("s")),
        ]),
        [
            "topic: example takes queue or topic, not both",
            "subscription: example needs subscription beside topic",
        ]
    );
    assert!(wrong(&[("host", Given::Secret("s")), ("queue", value("q"))]).is_empty());
}

#[test]
fn a_scaler_that_is_told_everything_knows_every_key() {
    let scaler = named("external-push").unwrap();
    assert!(scaler.passes_on());
    assert!(unknown_keys(scaler, ["queue", "scalerAddress"].into_iter()).is_empty());
    assert!(!EXAMPLE.passes_on());
}

#[test]
fn keys_that_do_nothing_are_named() {
    let given = ["hostFromEnv", "qeue", "region", "length"];
    let found = unknown_keys(&EXAMPLE, given.into_iter());
    assert_eq!(
        found,
        [
            (
                "qeue",
                "unknown key, ignored; did you mean `queue`?".to_owned()
            ),
            ("region", "does nothing here: is for tests".to_owned()),
        ]
    );
}
