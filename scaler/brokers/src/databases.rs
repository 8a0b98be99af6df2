//! Databases, as readers and workers connect to them.

mod bounded;
pub mod mysql;
pub mod postgresql;

/// The keys of a rule that name what can be wrong with a connection.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Where the server is.
    pub host: &'static str,
    /// Who asks.
    pub password: &'static str,
    /// Which database is asked.
    pub database: &'static str,
    /// Whether there is TLS.
    pub tls: &'static str,
}

impl Keys {
    /// Those of a connection string, which says all of it.
    pub const fn all(key: &'static str) -> Self {
        Self {
            host: key,
            password: key,
            database: key,
            tls: key,
        }
    }
}
