//! `mysql`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler, database};

pub(super) const SCALER: Scaler = Scaler {
    names: &["mysql"],
    reads: "The one column of the first row that `query` gives, from MySQL or MariaDB. No row and `NULL` \
            are errors.",
    differs: "The session is read only, and a query may take 5 s, so that one which writes is an error. \
              With `host`, the port need not be given, and there may be TLS. In connection strings `tls` \
              does not name a configuration, and sockets of Unix are not read.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        database::QUERY,
        Key {
            name: "queryValue",
            kind: Kind::Positive,
            presence: Presence::Required,
            role: Role::Target,
            meaning: "how much of it one replica is there for",
        },
        Key {
            name: "activationQueryValue",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this value the revision is woken",
        },
        Key {
            name: "connectionString",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "`USER:PASSWORD@tcp(HOST:PORT)/DATABASE?tls=…`, where `tls` is as the key below. \
                      Parameters that are not of Go's client are variables of the session, as in \
                      `time_zone=%27%2B00:00%27`",
        },
        Key {
            name: "host",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the server, instead of a connection string",
        },
        Key {
            name: "port",
            kind: Kind::Port,
            presence: Presence::Default("3306"),
            role: Role::Source,
            meaning: "its port",
        },
        Key {
            name: "username",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the user",
        },
        Key {
            name: "password",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the user's password",
        },
        Key {
            name: "dbName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the database",
        },
        Key {
            name: "tls",
            kind: Kind::Choice(&["false", "true", "skip-verify", "preferred"]),
            presence: Presence::Default("false"),
            role: Role::Source,
            meaning: "Ebbtide's own, with `host`: whether there is TLS with a server whose certificate \
                      is trusted (`true`) or any (`skip-verify`), or if the server can (`preferred`)",
        },
        database::CA,
        database::CERT,
        database::KEY,
        Key {
            name: "metricName",
            kind: Kind::Text,
            presence: Presence::Optional,
            role: Role::Ignored,
            meaning: "an old key of KEDA's; the number needs no name",
        },
    ],
    constraints: &[
        Constraint::ExactlyOne(&["connectionString", "host"]),
        Constraint::Needs("host", &["username"]),
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};
