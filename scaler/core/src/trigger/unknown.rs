//! The keys of a trigger that mean nothing, or not what was meant.

use super::keys::{self, KEYS};
use super::reading::{LONGEST_SHOWN, MOST_WARNINGS, Reading, start};
use super::source::{Own, Source};
use crate::document::{nearest, suggestion};
use crate::scale::resolve::target_names;
use crate::scaler::without_from_env;

/// Shorter keys than this are near to too many words to be a slip of one.
const SHORTEST_SLIP: usize = 8;

impl Reading<'_> {
    /// A warning for each key that means nothing, with the one that was probably meant.
    pub(super) fn unknown_keys(&self, source: &Source<'_>) -> Vec<String> {
        let warning = |key: &String| {
            let name = without_from_env(key);
            let message = if KEYS.iter().any(|known| known.name == name) {
                idle(name, source)?.to_owned()
            } else {
                unknown(name, source)?
            };
            Some(format!("{}: {message}", start(key, LONGEST_SHOWN)))
        };
        let warnings = self.metadata.keys().filter_map(warning);
        warnings.take(MOST_WARNINGS).collect()
    }
}

/// What is to be said of a known key that does nothing in this trigger.
fn idle(name: &str, source: &Source<'_>) -> Option<&'static str> {
    let scaler = match source {
        Source::App if keys::OWN.contains(&name) => {
            return Some(
                "ignored, since it goes with rules of the trigger's own; the app's document has \
                 its own",
            );
        }
        Source::Rules(Own::Flat(scaler)) => scaler,
        _ => return None,
    };
    let taken = keys::of_scaler(scaler).unwrap_or_default();
    (keys::HTTP.contains(&name) && !taken.contains(&name))
        .then_some("ignored, since type is not http")
}

/// What is to be said of a key that Ebbtide has no meaning for.
fn unknown(name: &str, source: &Source<'_>) -> Option<String> {
    let Source::Rules(Own::Flat(scaler)) = source else {
        return Some(ignored(name, &[]));
    };
    match keys::of_scaler(scaler) {
        Some(taken) if taken.contains(&name) => None,
        Some(taken) => Some(ignored(name, &taken)),
        None => slip(name, scaler),
    }
}

fn ignored(name: &str, taken: &[&'static str]) -> String {
    let known = KEYS.iter().map(|key| key.name).chain(taken.iter().copied());
    format!("unknown key, ignored{}", suggestion(name, known))
}

/// Any key may be one of a scaler that is not read yet, but not a slip of one that is.
fn slip(name: &str, scaler: &str) -> Option<String> {
    if name.is_empty() {
        return Some("unknown key, ignored".to_owned());
    }
    let targets = target_names(scaler);
    if targets.contains(&name) || name.starts_with(keys::ACTIVATION) {
        return None;
    }
    let own = KEYS.iter().map(|key| key.name);
    let known = own.filter(|key| key.len() >= SHORTEST_SLIP);
    let meant = nearest(name, known.chain(targets.iter().copied()))?;
    (meant.len() >= SHORTEST_SLIP)
        .then(|| format!("taken as a key of {scaler}; did you mean `{meant}`?"))
}
