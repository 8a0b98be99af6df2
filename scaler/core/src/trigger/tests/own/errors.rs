//! What is wrong with rules of a trigger's own.

use super::*;

/// `key=value | key=value => what is said`.
const WRONG: &str = r#"
x= => rules of the trigger's own: rules, or type and its keys
type=http => app: is missing; the http rule counts what comes through Ebbtide's ingress
type=gcp-pubsub | revision=v1 => revision: needs app, the app whose revision it is
type=rabitmq => type: "rabitmq" is neither http nor a scaler that KEDA has, as in rabbitmq; did you mean `rabbitmq`?
type=external => type: "external" has a scalerAddress
typeFromEnv=cron => type: is shown in messages
rulesFromEnv=[] => rules: is shown in messages
rules=[] | queueLength=5 => rules: give rules, or the keys of one rule (type and its like, queueLength here)
rules=[] | type=etcd => (type and its like, type here)
rules=[] => rules: has no rule; give a list of them
rules=~ => rules: has no rule
rules=[~] => rules: has no rule
rules=a: 1 => rules: found a mapping; expected a list
rules=- [ => rules: line 1, column 3: unclosed bracket
rules=[{name: a, custom: {type: etcd}}, {name: a, custom: {type: etcd}}] => rules[1]: a second rule has the name `a`
app=a | rules=[{name: a, http: {metadata: {concurrentRequests: no}}}] => rules[0].http.metadata.concurrentRequests: found `no`; expected a whole number of at least 1
rules=[{name: a, custom: {type: mongodb, metadata: {queryValue: 0}}}] => rules[0].custom.metadata.queryValue: "0" is not a number greater than 0
rules=[{name: a, custom: {type: kafka, metadata: {saslFromEnv: X}}}] => rules[0].custom.metadata.saslFromEnv: KEDA fills in variables for keys of the trigger
rules=[{name: a, custom: {type: kafka, auth: [{secretRef: s, triggerParameter: p}]}}] => rules[0].custom.auth: there are no secrets
rules=[{name: a, azureQueue: {auth: [{secretRef: s, triggerParameter: p}]}}] => rules[0].azureQueue.auth: there are no secrets
type=gcp-pubsub | host=a | hostFromEnv=b => host: give host or hostFromEnv, not both
app=a | concurrentRequests=5 | requestRate=5 => requestRate: give `concurrentRequests` or `requestRate`, not both
app=a | concurrentRequestsFromEnv=hunter2 => concurrentRequests: found the variable's value; expected a whole number
type=cpu => value: is missing; give the percentage
type=cpu | metricType=half | value=5 => metricType: found `half`; expected one of Utilization, AverageValue
type=postgresql => targetQueryValue: postgresql needs targetQueryValue, a number greater than 0
type=gcp-pubsub | subscriptionSizeFromEnv=hunter2 => subscriptionSize: the variable's value is not a number greater than 0
type=gcp-pubsub | activationValue=-1 => activationValue: "-1" is not a number of at least 0
type=gcp-pubsub | minReplicas=20 => minReplicas: 20 is more than maxReplicas, 10, its default
type=gcp-pubsub | minReplicasFromEnv=20 | maxReplicas=7 => minReplicas: the variable's value is more than maxReplicas, 7
type=gcp-pubsub | maxReplicas=0 => maxReplicas: found `0`; expected a whole number from 1 to 1000
type=gcp-pubsub | scaleInStabilizationSeconds=5m => scaleInStabilizationSeconds: "5m" is not a whole number of seconds
"#;

#[test]
fn what_is_wrong_is_said_by_key() {
    for line in WRONG.trim().lines() {
        let (given, expected) = line.split_once(" => ").unwrap();
        let error = parse(&pairs(given)).unwrap_err();
        assert!(error.contains(expected), "{given}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_list_has_bounds() {
    let many = "- {name: a, custom: {type: etcd}}\n".repeat(33);
    let long = format!("- {{name: {}, custom: {{type: etcd}}}}", "n".repeat(129));
    let control = "- {name: \"a\\n\", custom: {type: etcd}}".to_owned();
    let bomb = (1..9).fold("l0: &l0 [a]\n".to_owned(), |text, level| {
        let aliases = format!("*l{}, ", level - 1).repeat(8);
        format!("{text}l{level}: &l{level} [{aliases}]\n")
    });
    for (rules, expected) in [
        (many, "rules: has 33 rules; at most 32 are read"),
        (long, "rules[0].name: give 1 to 128 characters"),
        (control, "rules[0].name: give 1 to 128 characters"),
        (bomb, "the document is too large once its aliases"),
        (
            "[]\n---\n[]".to_owned(),
            "rules: has more than one document",
        ),
    ] {
        let error = parse(&[("rules", &rules)]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn all_errors_come_at_once_and_each_but_once() {
    let error = parse(&[
        ("type", "http"),
        ("concurrentRequests", "0"),
        ("windowSeconds", "0"),
        ("metrics", "all"),
        ("maxReplicas", "many"),
        ("scaleOutStabilizationSeconds", "-"),
    ]);
    let error = error.unwrap_err();
    for key in [
        "app",
        "concurrentRequests",
        "windowSeconds",
        "metrics",
        "maxReplicas",
        "scaleOutStabilizationSeconds",
    ] {
        assert_eq!(
            error.matches(&format!("{key}: ")).count(),
            1,
            "{key} in {error}"
        );
    }
    let rules = "
- {name: a, http: {metadata: {concurrentRequests: 0}}}
- {name: b, custom: {type: mongodb}}
- {name: c, custom: {type: aws-sqs-queue, metadata: {queueLength: none}}}";
    let error = parse(&[("app", "a"), ("rules", rules)]).unwrap_err();
    assert_eq!(error.matches("rules[").count(), 3, "{error}");
}
