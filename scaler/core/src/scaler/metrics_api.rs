//! `metrics-api`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler, http};

/// How the server may be told who asks.
const MODES: &[&str] = &["apiKey", "basic", "bearer", "tls"];

pub(super) const SCALER: Scaler = Scaler {
    names: &["metrics-api"],
    reads: "What is at `valueLocation` in the answer to `GET` of `url`: a number, or a text that is one \
            as Kubernetes writes amounts (`1.5k`, `100m`, `2Gi`).",
    differs: "Of GJSON's paths there are keys with their wildcards and escapes, indexes, `#`, queries and \
              `|`, and neither modifiers nor multipaths nor literals. Paths of YAML and XML are like \
              those of JSON, and one that goes on below a text or a number leads nowhere. `xml`, which \
              KEDA takes and then cannot read, begins below the outermost element: elements of one name \
              are a list, and attributes count as elements. Of `prometheus`, all four ways of comparing \
              a label count, not only `=`, and the numbers of histograms and summaries may be named too. \
              `ca` counts whatever `authModes` are. Redirects are not followed.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        Key {
            name: "url",
            kind: Kind::Url,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "what is asked",
        },
        Key {
            name: "valueLocation",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "where the number is in the answer: a path as GJSON has them, as in `queues.0.length`, \
                      `jobs.#` (how many) or `queues.#(name==\"orders\").length`; for `prometheus` a \
                      metric and its labels, as in `queue_length{queue=\"orders\"}`, of which the first \
                      that fits counts",
        },
        Key {
            name: "format",
            kind: Kind::Choice(&["json", "prometheus", "xml", "yaml"]),
            presence: Presence::Default("json"),
            role: Role::Source,
            meaning: "what the answer is written in",
        },
        Key {
            name: "targetValue",
            kind: Kind::Positive,
            presence: Presence::Required,
            role: Role::Target,
            meaning: "how much of it one replica is there for",
        },
        Key {
            name: "activationTargetValue",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this value the revision is woken",
        },
        http::TIMEOUT,
        http::UNSAFE_SSL,
        http::auth_modes("authModes", MODES),
        http::auth_modes("authMode", MODES),
        Key {
            name: "apiKey",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the key, for `apiKey`",
        },
        Key {
            name: "method",
            kind: Kind::Choice(&["header", "query"]),
            presence: Presence::Default("header"),
            role: Role::Source,
            meaning: "where the key goes",
        },
        Key {
            name: "keyParamName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the name of that header, else `X-API-KEY`, or parameter, else `api_key`",
        },
        http::USERNAME,
        http::PASSWORD,
        http::BEARER_TOKEN,
        http::TOKEN,
        http::CA,
        http::CERT,
        http::KEY,
        Key {
            name: "aggregateFromKubeServiceEndpoints",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Ignored,
            meaning: "only what is at `url` is asked; let one server add up what others have",
        },
        Key {
            name: "aggregationType",
            kind: Kind::Choice(&["average", "sum", "max", "min"]),
            presence: Presence::Default("average"),
            role: Role::Ignored,
            meaning: "goes with `aggregateFromKubeServiceEndpoints`",
        },
    ],
    constraints: &[
        Constraint::AtMostOne(&["authModes", "authMode"]),
        Constraint::AtMostOne(&["bearerToken", "token"]),
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};
