//! `redis`, `redis-sentinel` and `redis-cluster`: the length of a list.

use super::{CONSTRAINTS, keys};
use crate::scaler::{Key, Kind, Presence, Role, Scaler};

/// How the length is read otherwise than by KEDA.
const DIFFERS: &str = "No script is run on the server, so that a user who may read is enough.";

pub(in crate::scaler) const LIST: Scaler = Scaler {
    names: &["redis"],
    reads: "The length of `listName`, by what `TYPE` says it is: `LLEN` of a list, `SCARD` of a set, \
            `HLEN` of a hash, `ZCARD` of a sorted set. A key that does not exist is 0.",
    differs: DIFFERS,
    fixed_target: None,
    reads_target: false,
    keys: &[
        NAME,
        LENGTH,
        ACTIVATION,
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
    constraints: CONSTRAINTS,
};

pub(in crate::scaler) const LIST_OF_SENTINEL: Scaler = Scaler {
    names: &["redis-sentinel"],
    reads: "As `redis`, of the master that `SENTINEL GET-MASTER-ADDR-BY-NAME` of a sentinel names.",
    differs: DIFFERS,
    fixed_target: None,
    reads_target: false,
    keys: &[
        NAME,
        LENGTH,
        ACTIVATION,
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
    constraints: CONSTRAINTS,
};

pub(in crate::scaler) const LIST_OF_CLUSTER: Scaler = Scaler {
    names: &["redis-cluster"],
    reads: "As `redis`, of the node that `MOVED` and `ASK` of a cluster's nodes lead to.",
    differs: DIFFERS,
    fixed_target: None,
    reads_target: false,
    keys: &[
        NAME,
        LENGTH,
        ACTIVATION,
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
    constraints: CONSTRAINTS,
};

const NAME: Key = Key {
    name: "listName",
    kind: Kind::Text,
    presence: Presence::Required,
    role: Role::Source,
    meaning: "the list, set, hash or sorted set",
};
const LENGTH: Key = Key {
    name: "listLength",
    kind: Kind::Positive,
    presence: Presence::Default("5"),
    role: Role::Target,
    meaning: "how many elements one replica is there for",
};
const ACTIVATION: Key = Key {
    name: "activationListLength",
    kind: Kind::Number,
    presence: Presence::Default("0"),
    role: Role::Activation,
    meaning: "above this number of elements the revision is woken",
};
