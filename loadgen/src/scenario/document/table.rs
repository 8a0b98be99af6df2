//! Tables of databases, as people write them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SecretDocument;

/// A table, into which messages are inserted. It has a column `marker` of text, and one for bodies if messages have
/// bodies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TableDocument {
    /// PostgreSQL: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`, or `host=HOST user=USER …`. MySQL:
    /// `USER:PASSWORD@tcp(HOST:PORT)/DATABASE?tls=…`.
    pub(crate) connection: SecretDocument,
    /// Its name.
    pub(crate) table: String,
    /// The column that bodies are put into; `body` if it is not given.
    pub(crate) body_column: Option<String>,
    /// The table into which workers insert markers, which is made if it is not there; `TABLE_completed` if it is not
    /// given.
    pub(crate) completed: Option<String>,
    /// How many connections insert messages, each one message at a time; 8 if it is not given.
    pub(crate) connections: Option<usize>,
    /// Certificates, where the connection string asks for TLS.
    pub(crate) tls: Option<TableTlsDocument>,
}

/// PEM files; their paths are relative to the scenario.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TableTlsDocument {
    /// Authorities to trust beside the system's.
    pub(crate) ca: Option<String>,
    /// The client's certificate, for a server that wants one.
    pub(crate) cert: Option<String>,
    /// The key of that.
    pub(crate) key: Option<String>,
}
