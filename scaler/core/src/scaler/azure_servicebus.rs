//! `azure-servicebus`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler, azure};

pub(super) const SCALER: Scaler = Scaler {
    names: &["azure-servicebus"],
    reads: "`ActiveMessageCount` of the queue or subscription, locked messages too, and neither those \
            for later nor dead letters, by a `GET` of its description \
            (`/QUEUE`, `/TOPIC/Subscriptions/SUBSCRIPTION`); with `useRegex` of a list of them \
            (`/$Resources/Queues`, `/TOPIC/Subscriptions`).",
    differs: "Managed identities are not used: where KEDA takes a pod's, give a connection string.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        Key {
            name: "queueName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the queue",
        },
        Key {
            name: "topicName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the topic",
        },
        Key {
            name: "subscriptionName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "its subscription",
        },
        Key {
            name: "messageCount",
            kind: Kind::Positive,
            presence: Presence::Default("5"),
            role: Role::Target,
            meaning: "how many messages one replica is there for",
        },
        Key {
            name: "activationMessageCount",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this number of messages the revision is woken",
        },
        Key {
            name: "useRegex",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether `queueName` or `subscriptionName` is a regular expression; all whose \
                      whole name it matches are read",
        },
        Key {
            name: "operation",
            kind: Kind::Choice(&["sum", "max", "avg"]),
            presence: Presence::Default("sum"),
            role: Role::Source,
            meaning: "what is made of their numbers; an average is rounded down, as KEDA does",
        },
        Key {
            name: "connection",
            kind: Kind::Secret,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the namespace's connection string, of a policy that may manage, or with a shared \
                      access signature; `UseDevelopmentEmulator=true` is Microsoft's emulator, which is \
                      asked without TLS, at port 5300 unless `Endpoint` has another",
        },
        Key {
            name: "namespace",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "KEDA's for a pod's identity, which is not used here; the connection string has it",
        },
        Key {
            name: "cloud",
            kind: azure::CLOUDS,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "goes with `namespace`",
        },
        Key {
            name: "endpointSuffix",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "goes with `namespace`",
        },
        azure::CA,
    ],
    constraints: &[
        Constraint::ExactlyOne(&["queueName", "topicName"]),
        Constraint::Needs("topicName", &["subscriptionName"]),
        Constraint::Needs("subscriptionName", &["topicName"]),
    ],
};
