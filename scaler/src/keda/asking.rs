//! What a trigger asks for, with the app that it is about.

use std::collections::BTreeMap;
use std::fmt;

use ebbtide_core::hash::fnv1a;
use ebbtide_core::name::{AppName, NameError};
use ebbtide_core::trigger::{Metrics, OwnRules, Scope, Subject, Trigger};

/// The longest part of a ScaledObject's name in the name of an app, in characters.
const LONGEST_STEM: usize = 20;

/// A trigger that is understood.
///
/// There may be as many as ScaledObjects, so it is kept small.
pub(super) struct Asking {
    /// Whose replicas it is about, as the control task knows it.
    pub(super) scope: Scope,
    /// What the HPA is to reckon with.
    pub(super) metrics: Metrics,
    /// Rules of its own, by which the control task decides for an app made for them.
    pub(super) own: Option<Box<OwnRules>>,
    /// What may surprise its author.
    pub(super) warnings: Vec<String>,
}

impl Asking {
    /// What the trigger of a ScaledObject asks for.
    ///
    /// # Errors
    /// When no app can be called like it, which none is known to lead to.
    pub(super) fn new(
        trigger: Trigger,
        (namespace, name): (&str, &str),
        metadata: &BTreeMap<String, String>,
    ) -> Result<Self, NameError> {
        let (scope, own) = match trigger.subject {
            Subject::App(scope) => (scope, None),
            Subject::Rules(own) => {
                let app = app_of_rules(namespace, name, metadata)?;
                let scope = Scope {
                    app,
                    revision: None,
                };
                (scope, Some(Box::new(own)))
            }
        };
        Ok(Self {
            scope,
            metrics: trigger.metrics,
            own,
            warnings: trigger.warnings,
        })
    }
}

impl fmt::Display for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.own.is_some() {
            f.write_str("rules of its own, as ")?;
        }
        self.scope.fmt(f)
    }
}

/// The app that stands for the rules of a trigger: the same in every replica of the scaler, so that
/// the metrics of all of them are called the same, and another one for other rules.
fn app_of_rules(
    namespace: &str,
    name: &str,
    metadata: &BTreeMap<String, String>,
) -> Result<AppName, NameError> {
    let pairs = metadata.iter();
    let pairs = pairs.flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    let texts = [namespace, name].into_iter().chain(pairs);
    // No text has the byte that separates them.
    let hash = fnv1a(texts.flat_map(|text| text.bytes().chain([u8::MAX])));
    let short = (hash >> 32) ^ (hash & u64::from(u32::MAX));
    AppName::new(&format!("{}-{short:08x}", stem(name)))
}

/// The beginning of a ScaledObject's name, as it may begin the name of an app.
fn stem(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut stem = words.join("-");
    if !stem.starts_with(|c: char| c.is_ascii_lowercase()) {
        stem.insert(0, 'r');
    }
    stem.truncate(LONGEST_STEM);
    stem.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn app(namespace: &str, name: &str, value: &str) -> String {
        let metadata = BTreeMap::from([("type".to_owned(), value.to_owned())]);
        app_of_rules(namespace, name, &metadata)
            .unwrap()
            .to_string()
    }

    #[test]
    fn rules_are_an_app_that_is_called_like_their_scaled_object() {
        let one = app("shop", "Orders.v2", "http");
        assert!(one.starts_with("orders-v2-"), "{one}");
        assert_eq!(one, app("shop", "Orders.v2", "http"));
        for other in [
            app("test", "Orders.v2", "http"),
            app("shop", "Orders.v2", "cron"),
            app("shopO", "rders.v2", "http"),
        ] {
            assert_ne!(one, other);
        }
        assert!(app("", "2024", "http").starts_with("r2024-"));
    }

    proptest! {
        #[test]
        fn any_scaled_object_has_an_app(namespace in ".{0,80}", name in ".{1,253}") {
            prop_assert!(app_of_rules(&namespace, &name, &BTreeMap::new()).is_ok());
        }
    }
}
