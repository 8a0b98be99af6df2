//! Tables of databases that are used as queues.

use std::num::NonZeroUsize;

use ebbtide_brokers::connect::TlsSettings;

use super::Secret;

/// A table, each row of which is a message.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The connection string.
    pub(crate) connection: Secret,
    pub(crate) name: String,
    /// The column that the bodies of messages are put into; none if they have none.
    pub(crate) body: Option<String>,
    /// How many connections put messages into it, each one message at a time.
    pub(crate) connections: NonZeroUsize,
    pub(crate) tls: TableTls,
}

impl Table {
    /// Which columns messages need, as the end of a sentence about a column that is not there.
    pub(crate) fn columns(&self) -> String {
        let body = self.body.as_ref();
        let body = body.map_or_else(String::new, |body| format!(" and one for bodies, `{body}`"));
        format!("; the table needs a column of text, `marker`{body}")
    }
}

/// What secures connections, beside what the connection string says of it, as PEM.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableTls {
    /// Authorities to trust beside the system's.
    pub(crate) ca: Option<String>,
    /// The client's certificates.
    pub(crate) cert: Option<String>,
    /// The client's key.
    pub(crate) key: Option<Secret>,
}

impl TableTls {
    /// The same for whoever connects.
    pub(crate) fn settings(&self) -> TlsSettings<'_> {
        TlsSettings {
            ca: self.ca.as_deref(),
            cert: self.cert.as_deref(),
            key: self.key.as_ref().map(Secret::reveal),
            any_server: false,
        }
    }
}
