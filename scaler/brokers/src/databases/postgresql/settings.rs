//! What a session needs to know.

use super::connection_string;
use super::target::Target;

/// A server and who asks it. It does not print, since it has a password.
pub struct Settings {
    /// Hosts and ports, of which the first that can be used is.
    pub hosts: Vec<(String, u16)>,
    /// Who asks.
    pub user: String,
    /// The password, if there is one.
    pub password: Option<String>,
    /// The database; the one that the server takes for the user, if none is given.
    pub database: Option<String>,
    /// Whether there is TLS.
    pub ssl_mode: SslMode,
    /// Which server can be used.
    pub(super) target: Target,
    /// What the session is set up with, as the server's own programs write it: `-c name=value`.
    pub(super) options: String,
}

/// Whether there is TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SslMode {
    /// There is none.
    Disable,
    /// Only if the server does not do without.
    Allow,
    /// If the server can.
    #[default]
    Prefer,
    /// There is, whatever the server's certificate.
    Require,
    /// Its certificate has to be signed by something that is trusted.
    VerifyCa,
    /// It has to be the host's, too.
    VerifyFull,
}

impl Settings {
    /// Those of a connection string, as an address or as words with `=`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that has nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = connection_string::words(text)?;
        connection_string::settings(words)
    }

    /// Those of one host, and otherwise the usual ones.
    pub fn of(host: &str, port: u16, user: &str) -> Self {
        Self {
            hosts: vec![(host.to_owned(), port)],
            user: user.to_owned(),
            password: None,
            database: None,
            ssl_mode: SslMode::default(),
            target: Target::default(),
            options: String::new(),
        }
    }
}

impl SslMode {
    /// The mode of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}
