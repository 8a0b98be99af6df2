//! What a session needs to know.

use super::connection_string;

/// A server and who asks it. It does not print, since it has a password.
pub struct Settings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who asks.
    pub user: String,
    /// The password, if there is one.
    pub password: Option<String>,
    /// The database, if one is chosen.
    pub database: Option<String>,
    /// Whether there is TLS.
    pub tls: Tls,
    /// Whether the server may be told the password as it is.
    pub(super) is_told_password: bool,
    /// Variables of the session and their values, in SQL.
    pub(super) variables: Vec<(String, String)>,
}

/// Whether there is TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// There is none.
    #[default]
    Off,
    /// There is, with a server whose certificate is trusted.
    Trusted,
    /// There is, whatever the server's certificate.
    AnyServer,
    /// If the server can, whatever its certificate.
    IfPossible,
}

impl Settings {
    /// Those of a connection string, as Go's client has them.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that has nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        connection_string::parse(text)
    }

    /// Those of one host, and otherwise the usual ones.
    pub fn of(host: &str, port: u16, user: &str) -> Self {
        Self {
            host: host.to_owned(),
            port,
            user: user.to_owned(),
            password: None,
            database: None,
            tls: Tls::default(),
            is_told_password: false,
            variables: Vec::new(),
        }
    }
}

impl Tls {
    /// What Go's client calls so.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "false" | "0" => Self::Off,
            "true" | "1" => Self::Trusted,
            "skip-verify" => Self::AnyServer,
            "preferred" => Self::IfPossible,
            _ => return None,
        })
    }
}
