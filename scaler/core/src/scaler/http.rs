//! Keys that scalers which ask by HTTP share.

use super::{Key, Kind, Presence, Role};

pub(super) const UNSAFE_SSL: Key = Key {
    name: "unsafeSsl",
    kind: Kind::Boolean,
    presence: Presence::Default("false"),
    role: Role::Source,
    meaning: "whether any certificate of the server will do",
};

pub(super) const TIMEOUT: Key = Key {
    name: "timeout",
    kind: Kind::Duration,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "how long an answer may take, up to the 5 s that all may; a number without a unit is \
              milliseconds",
};

/// The key of this name for what is told who asks, of those that one may list.
pub(super) const fn auth_modes(name: &'static str, modes: &'static [&'static str]) -> Key {
    Key {
        name,
        kind: Kind::Choices(modes),
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "how the server is told who asks; without it no username, password, token, key or \
                  client's certificate is used. Not both `basic` and `bearer`",
    }
}

pub(super) const USERNAME: Key = Key {
    name: "username",
    kind: Kind::Text,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "the user, for `basic`",
};

pub(super) const PASSWORD: Key = Key {
    name: "password",
    kind: Kind::Secret,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "the user's password, for `basic`",
};

pub(super) const BEARER_TOKEN: Key = Key {
    name: "bearerToken",
    kind: Kind::Secret,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "the token, for `bearer`",
};

pub(super) const TOKEN: Key = Key {
    name: "token",
    kind: Kind::Secret,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "another name of `bearerToken`",
};

pub(super) const CA: Key = Key {
    name: "ca",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "a certificate that the server's may be signed by, beside those of the system",
};

pub(super) const CERT: Key = Key {
    name: "cert",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "the client's certificate, for `tls`",
};

pub(super) const KEY: Key = Key {
    name: "key",
    kind: Kind::Pem,
    presence: Presence::Optional,
    role: Role::Source,
    meaning: "its key",
};
