//! Keys that say where a server is, and who asks it.

use crate::scaler::{Key, Kind, Presence, Role};

const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key {
        name,
        kind,
        presence: Presence::Optional,
        role: Role::Source,
        meaning,
    }
}

pub(super) const ADDRESS: Key = optional("address", Kind::Text, "`HOST:PORT` of the server");
pub(super) const ADDRESSES: Key = optional(
    "addresses",
    Kind::List,
    "the same as a list; one server is the first of it, of sentinels and of a cluster's nodes the \
     first that answers is asked",
);
pub(super) const HOST: Key = optional("host", Kind::Text, "the host, instead of an address");
pub(super) const PORT: Key = optional("port", Kind::Port, "its port");
pub(super) const HOSTS: Key = optional(
    "hosts",
    Kind::List,
    "hosts, instead of addresses; the first counts, or the first that answers, as of `addresses`",
);
pub(super) const PORTS: Key = optional("ports", Kind::List, "their ports, one for each");

pub(super) const USERNAME: Key = optional(
    "username",
    Kind::Text,
    "the user; without one the password is the default user's",
);
pub(super) const PASSWORD: Key = optional("password", Kind::Secret, "the password");

pub(super) const SENTINEL_MASTER: Key = Key {
    name: "sentinelMaster",
    kind: Kind::Text,
    presence: Presence::Required,
    role: Role::Source,
    meaning: "what the sentinels call the master",
};
pub(super) const SENTINEL_USERNAME: Key = optional(
    "sentinelUsername",
    Kind::Text,
    "the user of the sentinels; `username` is the master's",
);
pub(super) const SENTINEL_PASSWORD: Key = optional(
    "sentinelPassword",
    Kind::Secret,
    "the password of the sentinels; `password` is the master's",
);

pub(super) const DATABASE: Key = Key {
    name: "databaseIndex",
    kind: Kind::Whole,
    presence: Presence::Default("0"),
    role: Role::Source,
    meaning: "the number of the database",
};
pub(super) const NO_DATABASE: Key = Key {
    name: "databaseIndex",
    kind: Kind::Whole,
    presence: Presence::Optional,
    role: Role::Ignored,
    meaning: "a cluster has one database",
};

pub(super) const ENABLE_TLS: Key = Key {
    name: "enableTLS",
    kind: Kind::Boolean,
    presence: Presence::Default("false"),
    role: Role::Source,
    meaning: "whether the connection is secured by TLS",
};
pub(super) const TLS: Key = optional(
    "tls",
    Kind::Choice(&["enable", "disable"]),
    "the same, as an authentication parameter",
);
pub(super) const UNSAFE_SSL: Key = Key {
    name: "unsafeSsl",
    kind: Kind::Boolean,
    presence: Presence::Default("false"),
    role: Role::Source,
    meaning: "with TLS: whether any certificate of the server will do",
};
pub(super) const CA: Key = optional(
    "ca",
    Kind::Pem,
    "with TLS: a certificate that the server's may be signed by, beside those of the system",
);
pub(super) const CERT: Key = optional("cert", Kind::Pem, "with TLS: the client's certificate");
pub(super) const KEY: Key = optional("key", Kind::Pem, "with TLS: its key");
pub(super) const KEY_PASSWORD: Key = Key {
    name: "keyPassword",
    kind: Kind::Secret,
    presence: Presence::Optional,
    role: Role::Ignored,
    meaning: "a key that is encrypted is not read; give it decrypted, as a secret",
};
