//! A rule's metadata, read with every error collected.

use std::collections::BTreeSet;

use super::RuleError;
use crate::document::{HIDDEN, RuleForm, ScaleRule, quantity};
use crate::scaler::{self, Given, Key, Role, Scaler};

/// What a value has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Allowed {
    AboveZero,
    AtLeastOne,
    ZeroOrMore,
    /// Cores as a number, or thousandths of one as in `500m`.
    Cores,
    /// Memory as Kubernetes writes it, `256Mi`.
    Bytes,
}

impl Allowed {
    fn read(self, text: &str) -> Option<f64> {
        let number = match self {
            Self::Bytes => bytes(text)?,
            Self::Cores => cores(text)?,
            _ => text.parse().ok()?,
        };
        let accepts = match self {
            Self::AboveZero | Self::Cores | Self::Bytes => number > 0.0,
            Self::AtLeastOne => number >= 1.0,
            Self::ZeroOrMore => number >= 0.0,
        };
        (accepts && number.is_finite()).then_some(number)
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::AboveZero => "a number greater than 0",
            Self::AtLeastOne => "a number of at least 1",
            Self::ZeroOrMore => "a number of at least 0",
            Self::Cores => "a number of cores, as in 0.5 or 500m",
            Self::Bytes => "an amount of memory, as in 100Mi",
        }
    }
}

fn cores(text: &str) -> Option<f64> {
    match text.strip_suffix('m') {
        Some(thousandths) => Some(thousandths.parse::<f64>().ok()? / 1000.0),
        None => text.parse().ok(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no one tells apart amounts of memory that differ by a part in 2^53"
)]
fn bytes(text: &str) -> Option<f64> {
    quantity::bytes(text).map(|bytes| bytes as f64)
}

/// Where a rule's metadata is, and what of it must not be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// What comes before a key in its path, with the point that ends it.
    pub(crate) prefix: String,
    /// The keys whose values may be secrets.
    pub(crate) hidden: BTreeSet<String>,
}

impl Place {
    /// The place of the rule that is number `index` of its document, counted from 0.
    pub(super) fn in_document(index: usize, rule: &ScaleRule) -> Self {
        let metadata = metadata_path(rule.form);
        Self {
            prefix: format!("properties.template.scale.rules[{index}].{metadata}."),
            hidden: BTreeSet::new(),
        }
    }
}

/// Where in a rule its metadata is.
pub(crate) fn metadata_path(form: RuleForm) -> &'static str {
    match form {
        RuleForm::Http => "http.metadata",
        RuleForm::Tcp => "tcp.metadata",
        RuleForm::AzureQueue => "azureQueue",
        RuleForm::Custom => "custom.metadata",
    }
}

/// The metadata of one rule, and what was found wrong with it.
#[derive(Debug)]
pub(super) struct Metadata<'a> {
    rule: &'a ScaleRule,
    place: Place,
    pub(super) errors: Vec<RuleError>,
}

impl<'a> Metadata<'a> {
    /// The metadata of a rule.
    pub(super) fn of(rule: &'a ScaleRule, place: Place) -> Self {
        Self {
            rule,
            place,
            errors: Vec::new(),
        }
    }

    /// A value as messages show it.
    pub(super) fn shown(&self, key: &str, text: &str) -> String {
        if self.place.hidden.contains(key) {
            HIDDEN.to_owned()
        } else {
            format!("{text:?}")
        }
    }

    /// A value, unless it is absent or empty.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        let text = self.rule.metadata.get(key)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A number, unless it is absent; if it is not what is allowed, that is an error.
    pub(super) fn number(&mut self, key: &str, allowed: Allowed) -> Option<f64> {
        let text = self.text(key)?;
        let number = allowed.read(text);
        if number.is_none() {
            let shown = self.shown(key, text);
            self.wrong(key, &format!("{shown} is not {}", allowed.in_words()));
        }
        number
    }

    /// A number; if it is absent, that is an error too. The 1 that stands in for it is never used.
    pub(super) fn required(&mut self, key: &str, allowed: Allowed) -> f64 {
        if self.text(key).is_none() {
            let scaler = &self.rule.scaler;
            let message = format!("{scaler} needs {key}, {}", allowed.in_words());
            self.wrong(key, &message);
        }
        self.number(key, allowed).unwrap_or(1.0)
    }

    /// Checks all keys against those of their scaler.
    pub(super) fn check(&mut self, scaler: &Scaler) {
        let shown = |key: &Key, text: &str| {
            if key.kind.is_shown() {
                self.shown(key.name, text)
            } else {
                HIDDEN.to_owned()
            }
        };
        let mut errors = scaler::check(scaler, |key| scaler::given(self.rule, key), shown);
        let decided = |key: &&Key| !matches!(key.role, Role::Source | Role::Ignored);
        for key in scaler.keys.iter().filter(decided) {
            let given = scaler::given(self.rule, key.name);
            if matches!(given, Some(Given::Secret(_) | Given::Variable(_))) {
                let message = "has to be written out, since it is no secret and decides";
                errors.push((key.name, message.to_owned()));
            }
        }
        for (key, message) in errors {
            let hint = self.hint(scaler, key);
            self.wrong(key, &format!("{message}{hint}"));
        }
    }

    /// Where a credential comes from that is not there, for what looks as if it needed none.
    fn hint(&self, scaler: &Scaler, key: &str) -> &'static str {
        let is_credential = scaler.key(key).is_some_and(|key| !key.kind.is_shown());
        let is_short = self.rule.form == RuleForm::AzureQueue;
        match (&self.rule.identity, is_short) {
            _ if !is_credential || scaler::given(self.rule, key).is_some() => "",
            (Some(_), true) => "; give one as triggerParameter of auth (the identity is not used)",
            (None, true) => "; give one as triggerParameter of auth",
            (Some(_), false) => " (the identity is not used)",
            (None, false) => "",
        }
    }

    /// The first key that begins with `prefix`.
    pub(super) fn key_that_begins_with(&self, prefix: &str) -> Option<String> {
        let mut keys = self.rule.metadata.keys();
        keys.find(|key| key.starts_with(prefix)).cloned()
    }

    /// Notes an error.
    pub(super) fn wrong(&mut self, key: &str, message: &str) {
        self.errors.push(RuleError {
            rule: self.rule.name.clone(),
            path: format!("{}{key}", self.place.prefix),
            message: message.to_owned(),
        });
    }
}
