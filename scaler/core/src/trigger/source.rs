//! Where a trigger has its rules.

use super::keys::is_rule_key;
use super::reading::{LONGEST_SHOWN, Reading, start};
use crate::document::{SCALERS, suggestion};
use crate::scaler::without_from_env;

/// Where the rules are that a trigger goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source<'m> {
    /// In the document of the app that it names.
    App,
    /// In the trigger itself.
    Rules(Own<'m>),
    /// It cannot be known, which is reported.
    Refused,
}

/// How a trigger gives rules of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Own<'m> {
    /// `rules`: a list, as a document has it.
    List(&'m str),
    /// Keys of one rule; this is its scaler, one that KEDA has.
    Flat(String),
}

impl<'m> Reading<'m> {
    /// Where the rules are.
    pub(super) fn source(&mut self) -> Source<'m> {
        let (list, kind) = (self.text("rules"), self.text("type"));
        let mut refused = false;
        for (key, given) in [("rules", list), ("type", kind)] {
            if given.is_some_and(|given| !given.is_shown) {
                let message = "is shown in messages, so it cannot come from a variable; give the \
                               one key that is secret from one, as in hostFromEnv";
                self.wrong(key, message);
                refused = true;
            }
        }
        match (list, kind) {
            _ if refused => Source::Refused,
            (Some(list), _) => self.list(list.value),
            (None, Some(kind)) => self.flat(kind.value),
            (None, None) if self.has("concurrentRequests") || self.has("requestRate") => {
                Source::Rules(Own::Flat("http".to_owned()))
            }
            (None, None) => Source::App,
        }
    }

    fn list(&mut self, text: &'m str) -> Source<'m> {
        let mut keys = self.metadata.keys().map(String::as_str);
        let Some(key) = keys.find(|key| is_rule_key(without_from_env(key))) else {
            return Source::Rules(Own::List(text));
        };
        let key = start(key, LONGEST_SHOWN);
        let message = format!(
            "give rules, or the keys of one rule (type and its like, {key} here), not both"
        );
        self.wrong("rules", &message);
        Source::Refused
    }

    fn flat(&mut self, kind: &str) -> Source<'m> {
        let scaler = kind.to_ascii_lowercase();
        let shown = start(kind, LONGEST_SHOWN);
        let message = match scaler.as_str() {
            "external" | "external-push" => format!(
                "{shown:?} has a scalerAddress, which is KEDA's own key here; give the rule in rules"
            ),
            scaler if SCALERS.contains(&scaler) => {
                return Source::Rules(Own::Flat(scaler.to_owned()));
            }
            scaler => {
                let hint = suggestion(scaler, SCALERS.iter().copied());
                format!(
                    "{shown:?} is neither http nor a scaler that KEDA has, as in rabbitmq{hint}"
                )
            }
        };
        self.wrong("type", &message);
        Source::Refused
    }
}
