//! `postgresql`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler, database};

pub(super) const SCALER: Scaler = Scaler {
    names: &["postgresql"],
    reads: "The one column of the first row that `query` gives. No row and `NULL` are errors.",
    differs: "The query runs in a transaction that is read only and may take 5 s, so that one which \
              writes is an error. A text that is a number is read, too. With `host`, the port and \
              `sslmode` need not be given. Of connection strings, files (`sslrootcert`, `sslcert`, \
              `sslkey`, `passfile`, `service`) and sockets of Unix are not read: give `ca`, `cert` and \
              `key`. With `ca`, `sslmode=require` means `verify-ca`, as it does with a file. A pod's \
              identity is not used. Each source has one connection, so that pools are not set up.",
    fixed_target: None,
    reads_target: false,
    keys: &[
        database::QUERY,
        Key {
            name: "targetQueryValue",
            kind: Kind::Positive,
            presence: Presence::Required,
            role: Role::Target,
            meaning: "how much of it one replica is there for",
        },
        Key {
            name: "activationTargetQueryValue",
            kind: Kind::Number,
            presence: Presence::Default("0"),
            role: Role::Activation,
            meaning: "above this value the revision is woken",
        },
        Key {
            name: "connection",
            kind: Kind::Secret,
            presence: Presence::Optional,
            role: Role::Source,
            meaning: "the connection string, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…` or \
                      `host=… port=… user=… password=… dbname=… sslmode=…`; without `sslmode` it is \
                      `prefer`. There may be several hosts, of which the first that can be used is, and \
                      `target_session_attrs` that says which can. What is not of the connection itself \
                      is a setting of the session",
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
            presence: Presence::Default("5432"),
            role: Role::Source,
            meaning: "its port",
        },
        Key {
            name: "userName",
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
            name: "sslmode",
            kind: Kind::Choice(&[
                "disable",
                "allow",
                "prefer",
                "require",
                "verify-ca",
                "verify-full",
            ]),
            presence: Presence::Default("prefer"),
            role: Role::Source,
            meaning: "whether there is TLS: not, only if the server wants it, if it can, or always; and \
                      whether its certificate has to be trusted (`verify-ca`) and of that host \
                      (`verify-full`)",
        },
        database::CA,
        database::CERT,
        database::KEY,
    ],
    constraints: &[
        Constraint::ExactlyOne(&["connection", "host"]),
        Constraint::Needs("host", &["userName", "dbName"]),
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};
