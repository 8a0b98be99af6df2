//! Names of entities, and what a receiver receives from.

use std::cmp::Ordering;
use std::fmt;

use super::failure::Failure;

/// The longest name of a queue or topic, in characters.
const LONGEST: usize = 260;
/// The longest name of a subscription, in characters.
const LONGEST_SUBSCRIPTION: usize = 50;

/// The name of a queue, topic or subscription. It keeps its spelling, and upper and lower case are
/// the same name.
#[derive(Clone, Debug)]
pub struct Name {
    spelling: String,
    key: String,
}

impl Name {
    /// The name of a queue or topic, which may have folders: `orders/new`.
    pub fn entity(spelling: &str) -> Result<Self, Failure> {
        let rule = "letters, digits, '.', '-', '_' and '/', at most 260, with a letter or digit first \
                    and last";
        Self::checked(spelling, LONGEST, "._-/", rule)
    }

    /// The name of a subscription.
    pub fn subscription(spelling: &str) -> Result<Self, Failure> {
        let rule =
            "letters, digits, '.', '-' and '_', at most 50, with a letter or digit first and last";
        Self::checked(spelling, LONGEST_SUBSCRIPTION, "._-", rule)
    }

    fn checked(
        spelling: &str,
        longest: usize,
        marks: &str,
        rule: &'static str,
    ) -> Result<Self, Failure> {
        let plain = |character: char| character.is_ascii_alphanumeric();
        let fits = spelling.starts_with(plain)
            && spelling.ends_with(plain)
            && spelling.len() <= longest
            && spelling
                .chars()
                .all(|character| plain(character) || marks.contains(character));
        if !fits {
            return Err(Failure::InvalidName {
                name: spelling.to_owned(),
                rule,
            });
        }
        Ok(Self {
            spelling: spelling.to_owned(),
            key: spelling.to_ascii_lowercase(),
        })
    }

    /// The name in lower case, by which it is found.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.spelling)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

/// What a receiver receives from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The queue, or the topic.
    pub entity: Name,
    /// The topic's subscription.
    pub subscription: Option<Name>,
    /// The dead-letter queue of it, instead of it.
    pub dead_letters: bool,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.entity)?;
        if let Some(subscription) = &self.subscription {
            write!(formatter, "/subscriptions/{subscription}")?;
        }
        if self.dead_letters {
            formatter.write_str("/$DeadLetterQueue")?;
        }
        Ok(())
    }
}
