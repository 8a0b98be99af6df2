//! `external` and `external-push`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler};

pub(super) const POLLED: Scaler = Scaler {
    names: &["external"],
    reads: "Replicas, as the scaler's own metrics want them: of each metric that `GetMetricSpec` \
            names, the values of `GetMetrics` added up and divided by its target; the largest of them. \
            `IsActive` wakes the revision.",
    differs: DIFFERS,
    fixed_target: Some(1.0),
    reads_target: false,
    keys: KEYS,
    constraints: CONSTRAINTS,
};

pub(super) const PUSHED: Scaler = Scaler {
    names: &["external-push"],
    reads: "As `external`. `true` on the stream of `StreamIsActive` wakes the revision too, at once.",
    differs: DIFFERS,
    fixed_target: Some(1.0),
    reads_target: false,
    keys: KEYS,
    constraints: CONSTRAINTS,
};

const DIFFERS: &str = "there is no ScaledObject, so that the scaler is told the name `ebbtide` and no \
                       namespace. A target that is not greater than 0 is an error, as are values that \
                       are no amounts. `StreamMetricSpec` is not asked for, since `GetMetricSpec` is \
                       asked each time.";

const CONSTRAINTS: &[Constraint] = &[
    Constraint::Needs("tlsClientCert", &["tlsClientKey"]),
    Constraint::Needs("tlsClientKey", &["tlsClientCert"]),
];

const KEYS: &[Key] = &[
    Key {
        name: "scalerAddress",
        kind: Kind::Text,
        presence: Presence::Required,
        role: Role::Source,
        meaning: "host and port of the scaler, `scaler:9090`",
    },
    Key {
        name: "enableTLS",
        kind: Kind::Boolean,
        presence: Presence::Default("false"),
        role: Role::Source,
        meaning: "whether it is connected to by TLS, as it is too if `caCert` or `tlsClientCert` is \
                  given",
    },
    Key {
        name: "unsafeSsl",
        kind: Kind::Boolean,
        presence: Presence::Default("false"),
        role: Role::Source,
        meaning: "whether any certificate of the scaler will do",
    },
    Key {
        name: "caCert",
        kind: Kind::Pem,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "roots beside those of the system that sign the scaler's certificate",
    },
    Key {
        name: "tlsClientCert",
        kind: Kind::Pem,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "the client's certificate",
    },
    Key {
        name: "tlsClientKey",
        kind: Kind::Pem,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "its key",
    },
    Key {
        name: "*",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::PassedOn,
        meaning: "the scaler is told all metadata of the rule, these keys included; a key that ends in \
                  `FromEnv` with the value of the variable. Parameters that come from secrets are not \
                  told",
    },
];
