//! The keys of a trigger's metadata, from which the documentation is made too.

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
        default: "required",
        meaning: "the app that Ebbtide runs, whose replicas the target is to have",
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
];

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
