//! How a rule gives the value of a key.

use crate::document::ScaleRule;

/// The end of a key whose value is that of a variable.
pub const FROM_ENV: &str = "FromEnv";

/// How a rule gives the value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<'r> {
    /// Written out.
    Value(&'r str),
    /// By the app's secret of this name.
    Secret(&'r str),
    /// By the variable of this name.
    Variable(&'r str),
}

/// How a rule gives a key: by a secret, else by its value, else by a variable.
pub fn given<'r>(rule: &'r ScaleRule, key: &str) -> Option<Given<'r>> {
    let mut auth = rule.auth.iter();
    if let Some(auth) = auth.find(|auth| auth.trigger_parameter == key) {
        return Some(Given::Secret(&auth.secret_ref));
    }
    let text = |key: &str| {
        let text = rule.metadata.get(key)?.trim();
        (!text.is_empty()).then_some(text)
    };
    let value = text(key).map(Given::Value);
    value.or_else(|| text(&format!("{key}{FROM_ENV}")).map(Given::Variable))
}

/// A key without the end that says where its value comes from.
pub(crate) fn without_from_env(key: &str) -> &str {
    key.strip_suffix(FROM_ENV).unwrap_or(key)
}
