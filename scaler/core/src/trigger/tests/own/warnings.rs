//! What may surprise the author of a trigger with rules of its own.

use super::*;

/// `key=value | key=value => what is said | what is said too`.
const SURPRISING: &str = "
app=a | minReplicas=3 => minReplicas: ignored, since it goes with rules of the trigger's own
app=a | type=http | concurentRequests=3 => concurentRequests: unknown key, ignored; did you mean `concurrentRequests`?
app=a | type=tcp | concurrentConnection=3 => concurrentConnection: unknown key, ignored; did you mean `concurrentConnections`?
type=gcp-pubsub | windowSeconds=3 | subscriptionSzie=3 | vhostName=x => subscriptionSzie: taken as a key of gcp-pubsub; did you mean `subscriptionSize`? | windowSeconds: ignored, since type is not http
type=gcp-pubsub | maxReplcas=3 => maxReplcas: taken as a key of gcp-pubsub; did you mean `maxReplicas`?
rules=[{name: a, custom: {type: kafak, colour: red}}] | color=x => color: unknown key, ignored | rules[0].custom.type: `kafak` is not a scaler that KEDA has; did you mean `kafka`? | rules[0].custom.colour: unknown property, ignored
type=cpu | value=70 => minReplicas 0 is taken as 1
";

#[test]
fn keys_that_do_nothing_are_warnings() {
    for line in SURPRISING.trim().lines() {
        let (given, expected) = line.split_once(" => ").unwrap();
        let warnings = parse(&pairs(given)).unwrap().warnings;
        let warnings: Vec<_> = (warnings.iter())
            .filter(|warning| !warning.contains("cannot be read yet"))
            .collect();
        let expected: Vec<_> = expected.split(" | ").collect();
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
    }
}

#[test]
fn what_is_said_is_bounded() {
    let keys: Vec<String> = (0..100)
        .map(|i| format!("{i}{}", "k".repeat(200)))
        .collect();
    let many: Vec<_> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    let mut pairs = vec![("app", "a")];
    pairs.extend(&many);
    let warnings = parse(&pairs).unwrap().warnings;
    assert_eq!(warnings.len(), 16);
    assert!(warnings.iter().all(|warning| warning.len() < 200));

    let rule = "- {name: '', custom: {type: mongodb}}\n".repeat(32);
    let error = parse(&[("rules", &rule)]).unwrap_err();
    assert_eq!(error.matches("rules[").count(), 32);
}
