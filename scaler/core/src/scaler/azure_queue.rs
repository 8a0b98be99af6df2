//! `azure-queue`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler, azure};

pub(super) const SCALER: Scaler = Scaler {
    names: &["azure-queue"],
    reads: "The approximate number of messages, invisible ones too, by `GET /QUEUE?comp=metadata`. With \
            `visibleonly` the messages of a peek at 32, if they are fewer than 32, and otherwise the \
            approximate number.",
    differs: "The key of the account may be given instead of a connection string. Managed identities \
              are not used: where KEDA takes a pod's, give one of the two.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        Key {
            name: "queueName",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the queue",
        },
        Key {
            name: "queueLength",
            kind: Kind::Positive,
            presence: Presence::Default("5"),
            role: Role::Target,
            meaning: "how many messages one replica is there for",
        },
        Key {
            name: "activationQueueLength",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this number of messages the revision is woken",
        },
        Key {
            name: "queueLengthStrategy",
            kind: Kind::Choice(&["all", "visibleonly"]),
            presence: Presence::Default("all"),
            role: Role::Source,
            meaning: "whether messages count that somebody has taken, or that are for later",
        },
        Key {
            name: "connection",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the storage account's connection string, with its key or a shared access \
                      signature; `UseDevelopmentStorage=true` is Azurite on this machine",
        },
        Key {
            name: "accountName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the storage account, if there is no connection string",
        },
        Key {
            name: "accountKey",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "Ebbtide's own: its key",
        },
        Key {
            name: "cloud",
            kind: azure::CLOUDS,
            presence: Presence::Default("AzurePublicCloud"),
            role: Role::Source,
            meaning: "the cloud that has the account",
        },
        Key {
            name: "endpointSuffix",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "what follows the account's name in its host, as in `queue.core.windows.net`; \
                      `Private` needs it",
        },
        azure::CA,
    ],
    constraints: &[
        Constraint::ExactlyOne(&["connection", "accountKey"]),
        Constraint::Needs("accountKey", &["accountName"]),
    ],
};
