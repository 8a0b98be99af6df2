//! The parameters of a rule, with secrets and variables filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ebbtide_core::document::ScaleRule;
use ebbtide_core::scaler::{self, Given, Key, Presence, Role, Scaler};

use ebbtide_brokers::error::ReadError;

/// What a rule's reader has to know: each key that was given, or has a default, and its value.
///
/// Two rules with equal ones read the same source. It does not print, since it has secrets.
#[derive(Clone)]
pub struct Parameters {
    scaler: &'static Scaler,
    values: BTreeMap<&'static str, String>,
    /// All metadata of the rule, if the server is told it.
    passed_on: BTreeMap<String, String>,
}

/// Where the values come from that a rule does not have itself.
pub trait Lookup {
    /// The value of a secret of the app.
    ///
    /// # Errors
    /// Why there is none.
    fn secret(&self, name: &str) -> Result<String, String>;

    /// The value of a variable of the app's containers.
    ///
    /// # Errors
    /// Why there is none.
    fn variable(&self, name: &str) -> Result<String, String>;
}

impl Parameters {
    /// The parameters of a rule, or none if it is of no scaler that is read.
    ///
    /// # Errors
    /// A secret or variable that there is not, or a value that is not what its key demands.
    pub fn resolve(rule: &ScaleRule, lookup: &dyn Lookup) -> Option<Result<Self, ReadError>> {
        let scaler = scaler::named(&rule.scaler)?;
        Some(Self::of(scaler, rule, lookup))
    }

    fn of(
        scaler: &'static Scaler,
        rule: &ScaleRule,
        lookup: &dyn Lookup,
    ) -> Result<Self, ReadError> {
        let mut values = BTreeMap::new();
        for key in scaler.keys.iter().filter(|key| matters(scaler, key)) {
            if let Some(value) = value(key, rule, lookup)? {
                values.insert(key.name, value);
            }
        }
        let passed_on = if scaler.passes_on() {
            passed_on(rule, lookup)
        } else {
            BTreeMap::new()
        };
        Ok(Self {
            scaler,
            values,
            passed_on,
        })
    }

    /// What they are of.
    pub fn scaler(&self) -> &'static Scaler {
        self.scaler
    }

    /// All metadata of the rule, for a server that is told it: a key that ends in `FromEnv` keeps that
    /// end and has the variable's value.
    pub fn passed_on(&self) -> &BTreeMap<String, String> {
        &self.passed_on
    }

    /// A value, if there is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// A value that has to be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required(&self, key: &'static str) -> Result<&str, ReadError> {
        let missing = || ReadError::of(key, "is missing");
        self.text(key).ok_or_else(missing)
    }

    /// A number, if there is one.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.parse().ok()
    }

    /// A whole number, if there is one.
    pub fn whole(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    /// Whether it is there and true.
    pub fn flag(&self, key: &str) -> bool {
        self.text(key).and_then(scaler::boolean).unwrap_or(false)
    }

    /// A time, if there is one.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        scaler::duration(self.text(key)?)
    }

    /// The parts of a list, none if it is not there.
    pub fn list(&self, key: &str) -> Vec<&str> {
        let parts = self.text(key).map(|text| text.split(',').map(str::trim));
        parts.into_iter().flatten().collect()
    }

    /// A word in small letters, if it is there.
    pub fn word(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_ascii_lowercase)
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Parameters {}

impl PartialOrd for Parameters {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parameters {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |one: &Self| one.scaler.name();
        key(self)
            .cmp(key(other))
            .then_with(|| self.values.cmp(&other.values))
            .then_with(|| self.passed_on.cmp(&other.passed_on))
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.values.keys().collect();
        let passed_on: Vec<_> = self.passed_on.keys().collect();
        f.debug_struct("Parameters")
            .field("scaler", &self.scaler.name())
            .field("keys", &keys)
            .field("passed_on", &passed_on)
            .finish()
    }
}

/// Whether what is read depends on a key.
fn matters(scaler: &Scaler, key: &Key) -> bool {
    match key.role {
        Role::Source => true,
        Role::Target | Role::Activation => scaler.reads_target,
        Role::TargetLatency | Role::Ignored | Role::PassedOn => false,
    }
}

/// All metadata of a rule, but variables that have no value.
fn passed_on(rule: &ScaleRule, lookup: &dyn Lookup) -> BTreeMap<String, String> {
    let pairs = rule.metadata.iter().filter_map(|(key, value)| {
        let value = match key.strip_suffix(scaler::FROM_ENV) {
            Some(_) => lookup.variable(value.trim()).ok()?,
            None => value.clone(),
        };
        Some((key.clone(), value))
    });
    pairs.collect()
}

/// What a key is in a rule.
fn value(key: &Key, rule: &ScaleRule, lookup: &dyn Lookup) -> Result<Option<String>, ReadError> {
    let failed = |message: String| ReadError::of(key.name, message);
    let elsewhere = match scaler::given(rule, key.name) {
        Some(Given::Value(text)) => return Ok(Some(text.to_owned())),
        Some(Given::Secret(name)) => lookup.secret(name),
        Some(Given::Variable(name)) => lookup.variable(name),
        None => {
            return match key.presence {
                Presence::Default(value) => Ok(Some(value.to_owned())),
                Presence::Required => Err(failed("is missing".to_owned())),
                Presence::Optional => Ok(None),
            };
        }
    };
    checked(key, &elsewhere.map_err(failed)?).map(Some)
}

/// A value that was not in the document, so that it has not been checked yet.
fn checked(key: &Key, value: &str) -> Result<String, ReadError> {
    let value = value.trim();
    match key.kind.check(value) {
        Ok(()) => Ok(value.to_owned()),
        Err(allowed) => Err(ReadError::of(
            key.name,
            format!("what the secret or variable has is not {allowed}"),
        )),
    }
}
