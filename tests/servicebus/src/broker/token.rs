//! Identifiers in the form of UUIDs.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// What identifies a lock, or a message whose sender gave it no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(u128);

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (head, rest) = digits.split_at(8);
        let (second, rest) = rest.split_at(4);
        let (third, rest) = rest.split_at(4);
        let (fourth, last) = rest.split_at(4);
        write!(formatter, "{head}-{second}-{third}-{fourth}-{last}")
    }
}

impl FromStr for Token {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(&text.replace('-', ""), 16).map(Self)
    }
}

/// Gives out tokens, none of them twice.
#[derive(Debug)]
pub struct Tokens {
    seed: u64,
    given: u64,
}

impl Tokens {
    /// Tokens that differ from those of any other seed, so that a lock of the broker's last run is
    /// not taken for one of this run.
    pub fn new(seed: u64) -> Self {
        Self { seed, given: 0 }
    }

    /// A token that was not given before.
    pub fn mint(&mut self) -> Token {
        self.given += 1;
        Token(u128::from(self.seed) << 64 | u128::from(self.given))
    }
}
