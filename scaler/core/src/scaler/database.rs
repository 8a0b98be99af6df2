//! Keys that scalers which ask a database share.

use super::{Key, Kind, Presence, Role};

pub(super) const QUERY: Key = Key {
    name: "query",
    kind: Kind::Text,
    presence: Presence::Required,
    role: Role::Source,
    meaning: "what is asked: one statement whose first row has one column, a number or a text that \
              is one",
};

pub(super) const CA: Key = Key {
    name: "ca",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "Ebbtide's own: a certificate that the server's may be signed by, beside those of the \
              system",
};

pub(super) const CERT: Key = Key {
    name: "cert",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "Ebbtide's own: the client's certificate",
};

pub(super) const KEY: Key = Key {
    name: "key",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "Ebbtide's own: its key",
};
