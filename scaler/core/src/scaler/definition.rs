//! What is said of a scaler.

use std::time::Duration;

/// A scaler that Ebbtide reads.
#[derive(Debug)]
pub struct Scaler {
    /// KEDA's names of it, the usual one first.
    pub names: &'static [&'static str],
    /// What number is read, by which call, in Markdown.
    pub reads: &'static str,
    /// How that differs from KEDA's, in Markdown; empty if it does not.
    pub differs: &'static str,
    /// The target of a rule without a key for it, as for `cron`, whose value is replicas.
    pub fixed_target: Option<f64>,
    /// Whether what is read depends on the target too, so that rules with different targets have
    /// different sources.
    pub reads_target: bool,
    /// Its keys, in the order of the documentation.
    pub keys: &'static [Key],
    /// What keys have to do with one another.
    pub constraints: &'static [Constraint],
}

/// A key of a scaler's metadata, or a parameter that it takes from a secret.
#[derive(Debug)]
pub struct Key {
    /// KEDA's name of it.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether it has to be there.
    pub presence: Presence,
    /// What it is to the rule.
    pub role: Role,
    /// What it is for, in Markdown.
    pub meaning: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that no message shows.
    Secret,
    /// An address, `https://host:port/path`, in which there may be a password: no message shows it.
    Url,
    /// A number that is not negative.
    Number,
    /// A number greater than zero.
    Positive,
    /// A whole number that is not negative.
    Whole,
    /// A TCP port.
    Port,
    /// `true` or `false`.
    Boolean,
    /// One of these words, whatever their case.
    Choice(&'static [&'static str]),
    /// A list with commas of these words, whatever their case.
    Choices(&'static [&'static str]),
    /// A list with commas.
    List,
    /// A time: whole seconds, or as Go writes it (`1m30s`, `500ms`).
    Duration,
    /// A certificate or key in PEM.
    Pem,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has to.
    Required,
    /// It need not.
    Optional,
    /// It need not, and then is this.
    Default(&'static str),
}

/// What a key is to its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It says what is read, and how.
    Source,
    /// It is what one replica is there for. The first such key that is given counts.
    Target,
    /// From above this value on the rule wakes its revision. The first such key that is given counts.
    Activation,
    /// The time in which the queue is to be empty, which replaces the target: a key of Ebbtide's own.
    TargetLatency,
    /// A key of KEDA's that does nothing here; the meaning says why.
    Ignored,
    /// It stands for every other key, which the server is told as it is.
    PassedOn,
}

/// What keys have to do with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// One of these has to be there, and no other of them.
    ExactlyOne(&'static [&'static str]),
    /// One of these at least has to be there.
    AtLeastOne(&'static [&'static str]),
    /// No two of these may be there.
    AtMostOne(&'static [&'static str]),
    /// The first may only be there with the others.
    Needs(&'static str, &'static [&'static str]),
}

impl Scaler {
    /// Its usual name.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether the server is told all of a rule's metadata, so that any key may be there.
    pub fn passes_on(&self) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|key| key.role == Role::PassedOn)
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Key {
    /// The key with which a rule of a queue gives the time to drain instead of a length.
    pub const TARGET_LATENCY: Self = Self {
        name: "targetLatency",
        kind: Kind::Duration,
        presence: Presence::Optional,
        role: Role::TargetLatency,
        meaning: "Ebbtide's own: the time in which what waits is to be done, instead of a number of \
                  messages for each replica. Until the rate at which replicas work is known, the \
                  target counts",
    };
}

impl Kind {
    /// Whether messages may show a value of it.
    pub fn is_shown(self) -> bool {
        !matches!(self, Self::Secret | Self::Url | Self::Pem)
    }

    /// Whether `text` is such a value.
    ///
    /// # Errors
    /// What it has to be, as the end of a sentence: `a number of at least 0`.
    pub fn check(self, text: &str) -> Result<(), String> {
        let number = || text.parse().ok().filter(|number: &f64| number.is_finite());
        let fits = match self {
            Self::Text | Self::Secret => true,
            Self::Url => text.split_once("://").is_some_and(|(scheme, rest)| {
                !scheme.is_empty() && !rest.is_empty() && !text.contains(char::is_whitespace)
            }),
            Self::Number => number().is_some_and(|number| number >= 0.0),
            Self::Positive => number().is_some_and(|number| number > 0.0),
            Self::Whole => text.parse::<u64>().is_ok(),
            Self::Port => text.parse::<u16>().is_ok_and(|port| port > 0),
            Self::Boolean => boolean(text).is_some(),
            Self::Choice(words) => is_among(words, text),
            Self::Choices(words) => text.split(',').all(|part| is_among(words, part.trim())),
            Self::List => text.split(',').all(|part| !part.trim().is_empty()),
            Self::Duration => duration(text).is_some(),
            Self::Pem => text.contains("-----BEGIN "),
        };
        if fits { Ok(()) } else { Err(self.in_words()) }
    }

    /// What a value has to be.
    pub fn in_words(self) -> String {
        let words = match self {
            Self::Text | Self::Secret => "text",
            Self::Url => "an address, as in http://host:port",
            Self::Number => "a number of at least 0",
            Self::Positive => "a number greater than 0",
            Self::Whole => "a whole number of at least 0",
            Self::Port => "a port, 1 to 65535",
            Self::Boolean => "true or false",
            Self::Choice(words) => return words.join(", "),
            Self::Choices(words) => return format!("a list with commas of {}", words.join(", ")),
            Self::List => "a list with commas",
            Self::Duration => "a time, as in 30 (seconds), 30s or 1m30s",
            Self::Pem => "PEM, which begins with -----BEGIN",
        };
        words.to_owned()
    }
}

fn is_among(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// `true` or `false`, as KEDA reads them.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" => Some(true),
        "false" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// A time as Go's programs write it (`1h30m`, `1.5s`, `500ms`), or a number of seconds. At least a
/// millisecond, at most a year.
pub fn duration(text: &str) -> Option<Duration> {
    const YEAR: f64 = 31_536_000.0;
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = rest.split_at(end.unwrap_or(rest.len()));
        let end = unit.find(|c: char| c.is_ascii_digit());
        let (unit, next) = unit.split_at(end.unwrap_or(unit.len()));
        let scale = match unit {
            "" if number.len() == text.trim().len() => 1.0,
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = next;
    }
    (0.001..=YEAR)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}
