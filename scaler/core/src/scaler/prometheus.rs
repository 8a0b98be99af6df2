//! `prometheus`.

use super::{Key, Kind, Presence, Role, Scaler};

pub(super) const SCALER: Scaler = Scaler {
    names: &["prometheus"],
    reads: "The value of `query` now, by `GET /api/v1/query` of `serverAddress`: a scalar, or a vector \
            of one element.",
    differs: "",
    fixed_target: None,
    reads_target: false,
    keys: &[
        Key {
            name: "serverAddress",
            kind: Kind::Url,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "where Prometheus is",
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
    ],
    constraints: &[],
};
