//! `prometheus`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler, http};

/// How the server may be told who asks.
const MODES: &[&str] = &["basic", "bearer", "custom", "tls"];

pub(super) const SCALER: Scaler = Scaler {
    names: &["prometheus"],
    reads: "The value of `query` now, by `GET /api/v1/query` of `serverAddress`: a scalar, or a vector \
            of one element. No element, a value that is not a number and an infinite one are 0, unless \
            `ignoreNullValues` is `false`.",
    differs: "A scalar is read, too, and a range is an error, where KEDA takes that for no element. A \
              negative value is an error. `ca` and `unsafeSsl` count whatever `authModes` are, and \
              `custom` beside any other. Redirects are not followed.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        Key {
            name: "serverAddress",
            kind: Kind::Url,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "where Prometheus is, or what answers like it: Thanos, Mimir, VictoriaMetrics",
        },
        Key {
            name: "query",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "what is asked, in PromQL",
        },
        Key {
            name: "threshold",
            kind: Kind::Positive,
            presence: Presence::Required,
            role: Role::Target,
            meaning: "how much of it one replica is there for",
        },
        Key {
            name: "activationThreshold",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this value the revision is woken",
        },
        Key {
            name: "ignoreNullValues",
            kind: Kind::Boolean,
            presence: Presence::Default("true"),
            role: Role::Source,
            meaning: "whether no value is 0, and not an error",
        },
        Key {
            name: "namespace",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the parameter `namespace` of the request, as Thanos's querier takes it",
        },
        Key {
            name: "queryParameters",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "more parameters of the request, as in `dedup=true,tenant=shop`",
        },
        Key {
            name: "customHeaders",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "headers of the request, as in `X-Scope-OrgID=shop,X-Client=ebbtide`",
        },
        http::TIMEOUT,
        http::UNSAFE_SSL,
        http::auth_modes("authModes", MODES),
        http::auth_modes("authMode", MODES),
        http::USERNAME,
        http::PASSWORD,
        http::BEARER_TOKEN,
        http::TOKEN,
        Key {
            name: "customAuthHeader",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the name of the header, for `custom`",
        },
        Key {
            name: "customAuthValue",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "what it has, for `custom`",
        },
        http::CA,
        http::CERT,
        http::KEY,
        Key {
            name: "metricName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "an old key of KEDA's; the number needs no name",
        },
        Key {
            name: "cortexOrgID",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "an old key of KEDA's; give `X-Scope-OrgID=…` in `customHeaders`",
        },
        Key {
            name: "awsRegion",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "requests are not signed as Amazon's service wants them",
        },
        Key {
            name: "identityOwner",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "a pod's identity is not used; see `authModes`",
        },
    ],
    constraints: &[
        Constraint::AtMostOne(&["authModes", "authMode"]),
        Constraint::AtMostOne(&["bearerToken", "token"]),
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};
