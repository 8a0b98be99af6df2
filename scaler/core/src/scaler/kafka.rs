//! `kafka`, `apache-kafka`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler};

pub(super) const SCALER: Scaler = Scaler {
    names: &["kafka", "apache-kafka"],
    reads: "The lag of the consumer group: for each partition the end of its log (`ListOffsets`) less \
            what the group has committed (`OffsetFetch`), added up. No more than `lagThreshold` for \
            each partition, since a partition has one consumer. What wakes the revision is the lag \
            without that bound.",
    differs: "the bound is exact, where KEDA's lets one replica more through. With \
              `ensureEvenDistributionOfPartitions` no lag is 0, not `lagThreshold`. A topic that \
              begins anew, below what is committed, has no lag and not a negative one. Brokers are \
              those of Kafka 1.0 and later; OAuth, Kerberos and IAM are not spoken.",
    fixed_target: None,
    reads_target: true,
    keys: &[
        Key {
            name: "bootstrapServers",
            kind: Kind::List,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "brokers to begin with, `host:port` each; where the others are, they say",
        },
        Key {
            name: "consumerGroup",
            kind: Kind::Text,
            presence: Presence::Required,
            role: Role::Source,
            meaning: "the group whose lag it is",
        },
        Key {
            name: "topic",
            kind: Kind::List,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the topic, or several; without it, all topics for which the group has committed",
        },
        Key {
            name: "partitionLimitation",
            kind: Kind::List,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the partitions that count, as in `1,2,10-20`; without it, all; it says nothing without `topic`",
        },
        Key {
            name: "offsetResetPolicy",
            kind: Kind::Choice(&["latest", "earliest"]),
            presence: Presence::Default("latest"),
            role: Role::Source,
            meaning: "where consumers begin in a partition for which nothing is committed: with \
                      `latest` its lag is 1, so that one comes and commits, and with `earliest` all \
                      that is in it",
        },
        Key {
            name: "scaleToZeroOnInvalidOffset",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether a partition for which nothing is committed has no lag instead",
        },
        Key {
            name: "allowIdleConsumers",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether there may be more replicas than partitions",
        },
        Key {
            name: "limitToPartitionsWithLag",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether there are no more replicas than partitions that have a lag; needs `topic`",
        },
        Key {
            name: "ensureEvenDistributionOfPartitions",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether there are only as many replicas as can have equally many partitions; \
                      needs `topic`",
        },
        Key {
            name: "excludePersistentLag",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether the lag of a partition in which nothing was committed since the last read \
                      does not count; it still wakes the revision",
        },
        Key {
            name: "lagThreshold",
            kind: Kind::Positive,
            presence: Presence::Default("10"),
            role: Role::Target,
            meaning: "the lag that one replica is there for",
        },
        Key {
            name: "activationLagThreshold",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this lag the revision is woken",
        },
        Key {
            name: "sasl",
            kind: Kind::Choice(&["none", "plaintext", "scram_sha256", "scram_sha512"]),
            presence: Presence::Default("none"),
            role: Role::Source,
            meaning: "how to log in",
        },
        Key {
            name: "username",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "who logs in",
        },
        Key {
            name: "password",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the password",
        },
        Key {
            name: "tls",
            kind: Kind::Choice(&["enable", "disable"]),
            presence: Presence::Default("disable"),
            role: Role::Source,
            meaning: "whether brokers are connected to by TLS",
        },
        Key {
            name: "ca",
            kind: Kind::Pem,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "roots beside those of the system that sign the brokers' certificates",
        },
        Key {
            name: "cert",
            kind: Kind::Pem,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the client's certificate",
        },
        Key {
            name: "key",
            kind: Kind::Pem,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "its key",
        },
        Key {
            name: "unsafeSsl",
            kind: Kind::Boolean,
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "whether any certificate of a broker will do",
        },
        Key {
            name: "version",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "what is asked is the same in all versions of Kafka from 1.0 on",
        },
        Key {
            name: "keyPassword",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "keys that are encrypted are not read",
        },
        Key::TARGET_LATENCY,
    ],
    constraints: &[
        Constraint::Needs("username", &["password"]),
        Constraint::Needs("password", &["username"]),
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};
