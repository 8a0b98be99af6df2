//! `redis` and `redis-streams`, alone, with sentinels and as a cluster.

use super::{Constraint, Key, Kind, Presence, Role, Scaler};

const fn key(
    name: &'static str,
    kind: Kind,
    presence: Presence,
    role: Role,
    meaning: &'static str,
) -> Key {
    Key {
        name,
        kind,
        presence,
        role,
        meaning,
    }
}

const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    key(name, kind, Presence::Optional, Role::Source, meaning)
}

const ADDRESS: Key = optional("address", Kind::Text, "`host:port`");
const HOST: Key = optional("host", Kind::Text, "the host, with `port`");
const PORT: Key = optional("port", Kind::Port, "the port, with `host`");
const ADDRESSES: Key = optional("addresses", Kind::List, "`host:port` of some of them");
const HOSTS: Key = optional("hosts", Kind::List, "hosts, with `ports`");
const PORTS: Key = optional("ports", Kind::List, "as many ports as there are hosts");
const USERNAME: Key = optional("username", Kind::Secret, "the user, if not the default one");
const PASSWORD: Key = optional("password", Kind::Secret, "the password");
const ENABLE_TLS: Key = key(
    "enableTLS",
    Kind::Boolean,
    Presence::Default("false"),
    Role::Source,
    "TLS",
);
const TLS: Key = optional(
    "tls",
    Kind::Choice(&["enable", "disable"]),
    "TLS, as a parameter",
);
const UNSAFE_SSL: Key = key(
    "unsafeSsl",
    Kind::Boolean,
    Presence::Default("false"),
    Role::Source,
    "take any certificate of the server",
);
const CA: Key = optional("ca", Kind::Pem, "roots beside those of the system");
const CERT: Key = optional("cert", Kind::Pem, "the client's certificate");
const CLIENT_KEY: Key = optional("key", Kind::Pem, "its key");
const KEY_PASSWORD: Key = key(
    "keyPassword",
    Kind::Secret,
    Presence::Optional,
    Role::Ignored,
    "give the key without a password",
);
const DATABASE: Key = key(
    "databaseIndex",
    Kind::Whole,
    Presence::Default("0"),
    Role::Source,
    "the database",
);
const MASTER: Key = key(
    "sentinelMaster",
    Kind::Text,
    Presence::Required,
    Role::Source,
    "the name of the master, which the sentinels know",
);
const SENTINEL_USERNAME: Key = optional(
    "sentinelUsername",
    Kind::Secret,
    "the user of the sentinels",
);
const SENTINEL_PASSWORD: Key = optional(
    "sentinelPassword",
    Kind::Secret,
    "the password of the sentinels",
);

const LIST: Key = key(
    "listName",
    Kind::Text,
    Presence::Required,
    Role::Source,
    "the key of the list, set, sorted set or hash",
);
const LIST_LENGTH: Key = key(
    "listLength",
    Kind::Positive,
    Presence::Default("5"),
    Role::Target,
    "the elements that one replica is there for",
);
const LIST_ACTIVATION: Key = key(
    "activationListLength",
    Kind::Number,
    Presence::Default("0"),
    Role::Activation,
    "above this the revision is woken",
);

const STREAM: Key = key(
    "stream",
    Kind::Text,
    Presence::Required,
    Role::Source,
    "the key of the stream",
);
const GROUP: Key = optional(
    "consumerGroup",
    Kind::Text,
    "the consumer group; without one the stream's length counts",
);
const LAG: Key = key(
    "lagCount",
    Kind::Positive,
    Presence::Optional,
    Role::Target,
    "the entries not yet delivered to the group that one replica is there for; needs Redis 7",
);
const PENDING: Key = key(
    "pendingEntriesCount",
    Kind::Positive,
    Presence::Optional,
    Role::Target,
    "the entries delivered and not acknowledged that one replica is there for, 5 if nothing is given",
);
const STREAM_LENGTH: Key = key(
    "streamLength",
    Kind::Positive,
    Presence::Default("5"),
    Role::Target,
    "the entries of the stream that one replica is there for",
);
const STREAM_ACTIVATION: Key = key(
    "activationLagCount",
    Kind::Number,
    Presence::Default("0"),
    Role::Activation,
    "above this the revision is woken",
);

const ONE_ADDRESS: Constraint = Constraint::ExactlyOne(&["address", "host"]);
const WITH_PORT: Constraint = Constraint::Needs("host", &["port"]);
const SOME_ADDRESSES: Constraint = Constraint::ExactlyOne(&["addresses", "hosts"]);
const WITH_PORTS: Constraint = Constraint::Needs("hosts", &["ports"]);
const KEY_WITH_CERT: Constraint = Constraint::Needs("key", &["cert"]);
const CERT_WITH_KEY: Constraint = Constraint::Needs("cert", &["key"]);
const LAG_OF_GROUP: Constraint = Constraint::Needs("lagCount", &["consumerGroup"]);
const PENDING_OF_GROUP: Constraint = Constraint::Needs("pendingEntriesCount", &["consumerGroup"]);

const READS_LIST: &str = "`TYPE`, and by what it says `LLEN`, `SCARD`, `ZCARD` or `HLEN`; a key that is \
                          not there has no elements.";
const READS_STREAM: &str = "With `lagCount` the group's `lag` by `XINFO GROUPS` (no stream is 0, no group \
                            is `XLEN`); with a group its `pending` entries; else `XLEN`.";
const DIFFERS_STREAM: &str = "pending entries keep the last replica, and what the group has read and has \
                              yet to read is there for `targetLatency`.";

pub(super) const LISTS: Scaler = Scaler {
    names: &["redis"],
    reads: READS_LIST,
    differs: "",
    fixed_target: None,
    reads_target: false,
    keys: &[
        ADDRESS,
        HOST,
        PORT,
        LIST,
        LIST_LENGTH,
        LIST_ACTIVATION,
        DATABASE,
        USERNAME,
        PASSWORD,
        ENABLE_TLS,
        TLS,
        UNSAFE_SSL,
        CA,
        CERT,
        CLIENT_KEY,
        KEY_PASSWORD,
    ],
    constraints: &[ONE_ADDRESS, WITH_PORT, KEY_WITH_CERT, CERT_WITH_KEY],
};

pub(super) const CLUSTER_LISTS: Scaler = Scaler {
    names: &["redis-cluster"],
    keys: &[
        ADDRESSES,
        HOSTS,
        PORTS,
        LIST,
        LIST_LENGTH,
        LIST_ACTIVATION,
        USERNAME,
        PASSWORD,
        ENABLE_TLS,
        TLS,
        UNSAFE_SSL,
        CA,
        CERT,
        CLIENT_KEY,
        KEY_PASSWORD,
    ],
    constraints: &[SOME_ADDRESSES, WITH_PORTS, KEY_WITH_CERT, CERT_WITH_KEY],
    ..LISTS
};

pub(super) const SENTINEL_LISTS: Scaler = Scaler {
    names: &["redis-sentinel"],
    keys: &[
        ADDRESSES,
        HOSTS,
        PORTS,
        MASTER,
        LIST,
        LIST_LENGTH,
        LIST_ACTIVATION,
        DATABASE,
        USERNAME,
        PASSWORD,
        SENTINEL_USERNAME,
        SENTINEL_PASSWORD,
        ENABLE_TLS,
        TLS,
        UNSAFE_SSL,
        CA,
        CERT,
        CLIENT_KEY,
        KEY_PASSWORD,
    ],
    constraints: &[SOME_ADDRESSES, WITH_PORTS, KEY_WITH_CERT, CERT_WITH_KEY],
    ..LISTS
};

pub(super) const STREAMS: Scaler = Scaler {
    names: &["redis-streams"],
    reads: READS_STREAM,
    differs: DIFFERS_STREAM,
    fixed_target: None,
    reads_target: true,
    keys: &[
        ADDRESS,
        HOST,
        PORT,
        STREAM,
        GROUP,
        LAG,
        PENDING,
        STREAM_LENGTH,
        STREAM_ACTIVATION,
        Key::TARGET_LATENCY,
        DATABASE,
        USERNAME,
        PASSWORD,
        ENABLE_TLS,
        TLS,
        UNSAFE_SSL,
        CA,
        CERT,
        CLIENT_KEY,
        KEY_PASSWORD,
    ],
    constraints: &[
        ONE_ADDRESS,
        WITH_PORT,
        LAG_OF_GROUP,
        PENDING_OF_GROUP,
        KEY_WITH_CERT,
        CERT_WITH_KEY,
    ],
};

pub(super) const CLUSTER_STREAMS: Scaler = Scaler {
    names: &["redis-cluster-streams"],
    keys: &[
        ADDRESSES,
        HOSTS,
        PORTS,
        STREAM,
        GROUP,
        LAG,
        PENDING,
        STREAM_LENGTH,
        STREAM_ACTIVATION,
        Key::TARGET_LATENCY,
        USERNAME,
        PASSWORD,
        ENABLE_TLS,
        TLS,
        UNSAFE_SSL,
        CA,
        CERT,
        CLIENT_KEY,
        KEY_PASSWORD,
    ],
    constraints: &[
        SOME_ADDRESSES,
        WITH_PORTS,
        LAG_OF_GROUP,
        PENDING_OF_GROUP,
        KEY_WITH_CERT,
        CERT_WITH_KEY,
    ],
    ..STREAMS
};

pub(super) const SENTINEL_STREAMS: Scaler = Scaler {
    names: &["redis-sentinel-streams"],
    keys: &[
        ADDRESSES,
        HOSTS,
        PORTS,
        MASTER,
        STREAM,
        GROUP,
        LAG,
        PENDING,
        STREAM_LENGTH,
        STREAM_ACTIVATION,
        Key::TARGET_LATENCY,
        DATABASE,
        USERNAME,
        PASSWORD,
        SENTINEL_USERNAME,
        SENTINEL_PASSWORD,
        ENABLE_TLS,
        TLS,
        UNSAFE_SSL,
        CA,
        CERT,
        CLIENT_KEY,
        KEY_PASSWORD,
    ],
    constraints: &[
        SOME_ADDRESSES,
        WITH_PORTS,
        LAG_OF_GROUP,
        PENDING_OF_GROUP,
        KEY_WITH_CERT,
        CERT_WITH_KEY,
    ],
    ..STREAMS
};
