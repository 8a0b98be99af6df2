//! The keys of a trigger's metadata, from which the documentation is made too.

use crate::document::SCALERS;
use crate::scale::resolve::is_target;
use crate::scaler;

/// A key of a trigger's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: &'static str,
    /// What it is if absent.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

/// Every key that means something, KEDA's own for an external trigger included.
pub const KEYS: &[Key] = &[
    Key {
        name: "scalerAddress",
        kind: "host:port",
        default: "required",
        meaning: "KEDA's own: where Ebbtide's service is",
    },
    Key {
        name: "enableTLS",
        kind: "boolean",
        default: "false",
        meaning: "KEDA's own: speak TLS to it",
    },
    Key {
        name: "unsafeSsl",
        kind: "boolean",
        default: "false",
        meaning: "KEDA's own: do not check its certificate",
    },
    Key {
        name: "app",
        kind: "name",
        default: "required without rules, and with rules that count requests",
        meaning: "the app that Ebbtide runs, whose replicas the target is to have; with rules, the \
                  app of the ingress whose requests count",
    },
    Key {
        name: "revision",
        kind: "name or suffix",
        default: "all that are active",
        meaning: "one of its revisions: `hello--v1`, or `v1`",
    },
    Key {
        name: "metrics",
        kind: "`aggregate` or `per-rule`",
        default: "`aggregate`",
        meaning: "one metric, the number of replicas decided; or one for each rule of the one \
                  revision, with its target",
    },
    Key {
        name: "rules",
        kind: "list in YAML or JSON",
        default: "none",
        meaning: "rules of the trigger's own, at most 32, as a container app document has them",
    },
    Key {
        name: "type",
        kind: "`http` or a scaler of KEDA's",
        default: "`http` if one of the next two is given",
        meaning: "one rule, of which the trigger has the keys too: those of KEDA's scaler",
    },
    Key {
        name: "concurrentRequests",
        kind: "number",
        default: "10",
        meaning: "`http`: requests at a time that one replica is there for",
    },
    Key {
        name: "requestRate",
        kind: "number",
        default: "none",
        meaning: "`http`: requests a second that one replica is there for, instead",
    },
    Key {
        name: "windowSeconds",
        kind: "seconds",
        default: "15",
        meaning: "`http`: what the requests are averaged over",
    },
    Key {
        name: "minReplicas",
        kind: "0 to 1000",
        default: "0",
        meaning: "with rules: the fewest replicas",
    },
    Key {
        name: "maxReplicas",
        kind: "1 to 1000",
        default: "10",
        meaning: "with rules: the most replicas",
    },
    Key {
        name: "cooldownPeriod",
        kind: "seconds",
        default: "300",
        meaning: "with rules: the time without activity before the last replicas go",
    },
    Key {
        name: "pollingInterval",
        kind: "seconds",
        default: "30",
        meaning: "with rules: the time from one reading of a queue or the like to the next",
    },
    Key {
        name: "scaleInStabilizationSeconds",
        kind: "seconds",
        default: "300",
        meaning: "with rules: scaling in goes to the largest number of this time",
    },
    Key {
        name: "scaleOutStabilizationSeconds",
        kind: "seconds",
        default: "0",
        meaning: "with rules: scaling out waits until the number has held this long",
    },
];

/// The keys of an `http` rule.
pub(super) const HTTP: &[&str] = &["concurrentRequests", "requestRate", "windowSeconds"];
/// The keys of a `tcp` rule.
const TCP: &[&str] = &["concurrentConnections", "windowSeconds"];
/// The keys of `cpu` and `memory`; their `type` is the trigger's here.
const RESOURCE: &[&str] = &["metricType", "value", "activationValue", "containerName"];

/// The keys in [`KEYS`] that go with rules of a trigger's own.
pub(super) const OWN: &[&str] = &[
    "windowSeconds",
    "minReplicas",
    "maxReplicas",
    "cooldownPeriod",
    "pollingInterval",
    "scaleInStabilizationSeconds",
    "scaleOutStabilizationSeconds",
];

/// What the key begins with that says from which value on a rule wakes its target.
pub(super) const ACTIVATION: &str = "activation";

/// The keys of a scaler; none if any may be, since Ebbtide does not read its values yet.
pub(super) fn of_scaler(scaler: &str) -> Option<Vec<&'static str>> {
    match scaler {
        "http" => Some(HTTP.to_vec()),
        "tcp" => Some(TCP.to_vec()),
        "cpu" | "memory" => Some(RESOURCE.to_vec()),
        _ => {
            let keys = scaler::named(scaler)?.keys.iter();
            Some(keys.map(|key| key.name).collect())
        }
    }
}

/// Whether a key belongs to one rule: it says its type or its target.
pub(super) fn is_rule_key(name: &str) -> bool {
    let is_target = |scaler: &&str| is_target(scaler, name);
    name == "type"
        || name.starts_with(ACTIVATION)
        || HTTP.contains(&name)
        || TCP.contains(&name)
        || SCALERS.iter().any(is_target)
}

/// The keys as a table in Markdown.
pub fn keys_markdown() -> String {
    let rows = KEYS.iter().map(|key| {
        let Key {
            name,
            kind,
            default,
            meaning,
        } = key;
        format!("| `{name}` | {kind} | {default} | {meaning} |\n")
    });
    let head = "| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}
