//! Why a number could not be read.

use std::fmt::Display;

use thiserror::Error;

/// The longest message: some servers answer with a page.
const LONGEST: usize = 300;

/// Why a number could not be read, with the key that it comes from if it is one's. It never has the
/// value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{message}", .key.map(|key| format!("{key}: ")).unwrap_or_default())]
pub struct ReadError {
    /// The key of the rule's metadata.
    key: Option<&'static str>,
    /// The cause, as the end of a sentence, and what would mend it.
    message: String,
}

impl ReadError {
    /// What went wrong, when it is no one key's.
    pub fn new(message: impl Display) -> Self {
        Self::made(None, &message.to_string())
    }

    /// What is wrong with a key, or with what it names.
    pub fn of(key: &'static str, message: impl Display) -> Self {
        Self::made(Some(key), &message.to_string())
    }

    /// The same, of a key that is called otherwise in a rule of this scaler.
    #[must_use]
    pub fn renamed(mut self, names: &[(&'static str, &'static str)]) -> Self {
        let mut names = names.iter();
        if let Some((_, name)) = names.find(|(usual, _)| self.key == Some(usual)) {
            self.key = Some(name);
        }
        self
    }

    fn made(key: Option<&'static str>, message: &str) -> Self {
        // What a server said may have any characters.
        let plain = message
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c });
        Self {
            key,
            message: plain.take(LONGEST).collect(),
        }
    }
}
