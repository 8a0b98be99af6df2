//! `nats-jetstream`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler};

pub(super) const SCALER: Scaler = Scaler {
    names: &["nats-jetstream"],
    reads: "The messages that the consumer has not been given and those that it has not \
            acknowledged, `num_pending` and `num_ack_pending` in `GET /jsz` of the monitoring \
            endpoint; in a cluster, of the server that leads the consumer.",
    differs: "a server of the cluster that does not answer is passed over. If the leader is not \
              among the addresses that the cluster advertises, it is looked for at its name before \
              the endpoint's host, as a StatefulSet's pods have them.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        Key {
            name: "natsServerMonitoringEndpoint",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "host and port of the monitoring endpoint, `nats:8222`; the other servers of a \
                      cluster are asked at the same port",
        },
        Key {
            name: "useHttps",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether it is asked by HTTPS",
        },
        Key {
            name: "account",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the account's name; `$G` if the server has none",
        },
        Key {
            name: "accountID",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the account's public key, for a server that knows accounts by it",
        },
        Key {
            name: "stream",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the stream",
        },
        Key {
            name: "consumer",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the stream's consumer",
        },
        Key {
            name: "lagThreshold",
            kind: Kind::Positive,
            presence: Presence::Default("10"),
            role: Role::Target,
            meaning: "the messages that one replica is there for",
        },
        Key {
            name: "activationLagThreshold",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this number the revision is woken",
        },
        Key::TARGET_LATENCY,
    ],
    constraints: &[Constraint::AtLeastOne(&["account", "accountID"])],
};
