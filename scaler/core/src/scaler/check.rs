//! Whether the keys of a rule are what its scaler takes.

use super::{Constraint, Given, Key, Presence, Role, Scaler, without_from_env};
use crate::document::suggestion;

/// Everything that is wrong with the keys of a rule, each with the key that it is about. `given`
/// says how a key is given, `shown` how a message may show its value.
pub(crate) fn check<'a>(
    scaler: &Scaler,
    given: impl Fn(&str) -> Option<Given<'a>>,
    shown: impl Fn(&Key, &str) -> String,
) -> Vec<(&'static str, String)> {
    let name = scaler.name();
    let mut errors = Vec::new();
    for key in scaler.keys {
        match given(key.name) {
            Some(Given::Value(text)) => {
                if let Err(allowed) = kind_of(key).check(text) {
                    let message = format!("{} is not {allowed}", shown(key, text));
                    errors.push((key.name, message));
                }
            }
            None if key.presence == Presence::Required => {
                let allowed = key.kind.in_words();
                errors.push((key.name, format!("{name} needs {}, {allowed}", key.name)));
            }
            Some(Given::Secret(_) | Given::Variable(_)) | None => {}
        }
    }
    let is_given = |key: &&str| given(key).is_some();
    errors.extend(scaler.constraints.iter().filter_map(|constraint| {
        let (key, message) = broken(*constraint, is_given)?;
        Some((key, format!("{name} {message}")))
    }));
    errors
}

/// A target has to be more than nothing, whatever the key is.
fn kind_of(key: &Key) -> super::Kind {
    match key.role {
        Role::Target => super::Kind::Positive,
        _ => key.kind,
    }
}

/// The key with which a constraint is broken, and how to mend that.
fn broken(
    constraint: Constraint,
    is_given: impl Fn(&&str) -> bool,
) -> Option<(&'static str, String)> {
    let given = |keys: &'static [&'static str]| -> Vec<&'static str> {
        let keys = keys.iter().copied();
        keys.filter(|key| is_given(key)).collect()
    };
    match constraint {
        Constraint::ExactlyOne(keys) | Constraint::AtLeastOne(keys) if given(keys).is_empty() => {
            let (first, listed) = (keys.first()?, keys.join(" or "));
            Some((*first, format!("needs {listed}")))
        }
        Constraint::ExactlyOne(keys) | Constraint::AtMostOne(keys) => {
            let given = given(keys);
            let (second, listed) = (given.get(1)?, given.join(" or "));
            Some((*second, format!("takes {listed}, not both")))
        }
        Constraint::AtLeastOne(_) => None,
        Constraint::Needs(key, others) => {
            let missing = others.iter().find(|other| !is_given(other))?;
            is_given(&key).then(|| (*missing, format!("needs {missing} beside {key}")))
        }
    }
}

/// A sentence about each of `keys` that a scaler does not know, or that does nothing here.
pub(crate) fn unknown_keys<'a>(
    scaler: &Scaler,
    keys: impl Iterator<Item = &'a str>,
) -> Vec<(&'a str, String)> {
    let known = || scaler.keys.iter().map(|key| key.name);
    let about = |given: &'a str| {
        let name = without_from_env(given);
        let message = match scaler.key(given).or_else(|| scaler.key(name)) {
            Some(key) if key.role == Role::Ignored => format!("does nothing here: {}", key.meaning),
            Some(_) => return None,
            None if scaler.passes_on() => return None,
            None => format!("unknown key, ignored{}", suggestion(name, known())),
        };
        Some((given, message))
    };
    keys.filter_map(about).collect()
}
