//! `redis-streams`, `redis-sentinel-streams` and `redis-cluster-streams`: the entries of a stream.

use super::{CONSTRAINTS, keys};
use crate::scaler::{Constraint, Key, Kind, Presence, Role, Scaler};

/// How entries are counted otherwise than by KEDA.
const DIFFERS: &str = "A target for a consumer group without `consumerGroup`, and `streamLength` alone \
                       beside `consumerGroup`, are errors, where KEDA counts something else with a \
                       target of 5. A lag that Redis does not know, as after entries were deleted, is \
                       counted as the entries that the group may not have had, at most the stream's \
                       length, or as 0 if none is left for it, where KEDA has a lag of -1.";

pub(in crate::scaler) const STREAM: Scaler = Scaler {
    names: &["redis-streams"],
    reads: "Without `consumerGroup`, the length of the stream by `XLEN`. With it, what `XINFO GROUPS` \
            says of the group: `lag`, which is the entries that nobody has taken yet, if there is \
            `lagCount` (from Redis 7 on; the stream's length if there is no such group, and 0 if there \
            is no such stream); else `pending`, which is the entries that were taken and are not \
            acknowledged.",
    differs: DIFFERS,
    fixed_target: None,
    reads_target: true,
    keys: &[
        NAME,
        GROUP,
        LAG,
        PENDING,
        LENGTH,
        ACTIVATION,
        Key::TARGET_LATENCY,
        keys::ADDRESS,
        keys::HOST,
        keys::PORT,
        keys::ADDRESSES,
        keys::HOSTS,
        keys::PORTS,
        keys::DATABASE,
        keys::USERNAME,
        keys::PASSWORD,
        keys::ENABLE_TLS,
        keys::TLS,
        keys::UNSAFE_SSL,
        keys::CA,
        keys::CERT,
        keys::KEY,
        keys::KEY_PASSWORD,
    ],
    constraints: STREAM_CONSTRAINTS,
};

pub(in crate::scaler) const STREAM_OF_SENTINEL: Scaler = Scaler {
    names: &["redis-sentinel-streams"],
    reads: "As `redis-streams`, of the master that `SENTINEL GET-MASTER-ADDR-BY-NAME` of a sentinel \
            names.",
    differs: DIFFERS,
    fixed_target: None,
    reads_target: true,
    keys: &[
        NAME,
        GROUP,
        LAG,
        PENDING,
        LENGTH,
        ACTIVATION,
        Key::TARGET_LATENCY,
        keys::ADDRESSES,
        keys::HOSTS,
        keys::PORTS,
        keys::ADDRESS,
        keys::HOST,
        keys::PORT,
        keys::SENTINEL_MASTER,
        keys::SENTINEL_USERNAME,
        keys::SENTINEL_PASSWORD,
        keys::DATABASE,
        keys::USERNAME,
        keys::PASSWORD,
        keys::ENABLE_TLS,
        keys::TLS,
        keys::UNSAFE_SSL,
        keys::CA,
        keys::CERT,
        keys::KEY,
        keys::KEY_PASSWORD,
    ],
    constraints: STREAM_CONSTRAINTS,
};

pub(in crate::scaler) const STREAM_OF_CLUSTER: Scaler = Scaler {
    names: &["redis-cluster-streams"],
    reads: "As `redis-streams`, of the node that `MOVED` and `ASK` of a cluster's nodes lead to.",
    differs: DIFFERS,
    fixed_target: None,
    reads_target: true,
    keys: &[
        NAME,
        GROUP,
        LAG,
        PENDING,
        LENGTH,
        ACTIVATION,
        Key::TARGET_LATENCY,
        keys::ADDRESSES,
        keys::HOSTS,
        keys::PORTS,
        keys::ADDRESS,
        keys::HOST,
        keys::PORT,
        keys::NO_DATABASE,
        keys::USERNAME,
        keys::PASSWORD,
        keys::ENABLE_TLS,
        keys::TLS,
        keys::UNSAFE_SSL,
        keys::CA,
        keys::CERT,
        keys::KEY,
        keys::KEY_PASSWORD,
    ],
    constraints: STREAM_CONSTRAINTS,
};

const STREAM_CONSTRAINTS: &[Constraint] = &[
    Constraint::Needs("lagCount", &["consumerGroup"]),
    Constraint::Needs("pendingEntriesCount", &["consumerGroup"]),
    // And those of every one.
    CONSTRAINTS[0],
    CONSTRAINTS[1],
    CONSTRAINTS[2],
    CONSTRAINTS[3],
    CONSTRAINTS[4],
    CONSTRAINTS[5],
    CONSTRAINTS[6],
    CONSTRAINTS[7],
];

const NAME: Key = Key {
    name: "stream",
    kind: Kind::Text,
    presence: Presence::Required,
    role: Role::Source,
    meaning: "the stream",
};
const GROUP: Key = Key {
    name: "consumerGroup",
    kind: Kind::Text,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "the group whose lag or pending entries count, instead of the stream's length",
};
const LAG: Key = Key {
    name: "lagCount",
    kind: Kind::Positive,
    presence: Presence::Optional,
    role: Role::Target,
    meaning: "how many entries that nobody has taken one replica is there for; the one of the three \
              with which a revision wakes from zero for a group's entries",
};
const PENDING: Key = Key {
    name: "pendingEntriesCount",
    kind: Kind::Positive,
    presence: Presence::Optional,
    role: Role::Target,
    meaning: "without `lagCount`: how many entries that are taken and not acknowledged one replica is \
              there for (5 without it)",
};
// The last of the targets has the default of all three: a reader could not tell a default of the
// one before from what was given.
const LENGTH: Key = Key {
    name: "streamLength",
    kind: Kind::Positive,
    presence: Presence::Default("5"),
    role: Role::Target,
    meaning: "without `consumerGroup`: how many entries of the stream one replica is there for",
};
const ACTIVATION: Key = Key {
    name: "activationLagCount",
    kind: Kind::Number,
    presence: Presence::Default("0"),
    role: Role::Activation,
    meaning: "above this number of entries, whichever are counted, the revision is woken",
};
