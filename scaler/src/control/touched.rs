//! Which apps a message is about: only those are looked at after it, so that its cost does not grow with the number of
//! apps. Time passes for all of them, a part at a time.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

use ebbtide_core::name::AppName;

/// The apps that something has changed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// These; one that is not there is passed over.
    Only(Vec<AppName>),
    /// Any.
    All,
}

impl Touched {
    /// The app of a revision, if it is one's.
    pub(super) fn app(name: &str) -> Self {
        Self::Only(AppName::new(name).into_iter().collect())
    }

    /// The names, of `apps` that are there.
    pub(super) fn names<V>(&self, apps: &BTreeMap<AppName, V>) -> Vec<AppName> {
        match self {
            Self::Only(names) => names.clone(),
            Self::All => apps.keys().cloned().collect(),
        }
    }
}

/// Time from one look at the counters of an app to the next: fine enough for windows of a few seconds.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// Apps that are looked at in one go, and the most goes that a round is made of. Between two of them requests that wake
/// an app are not kept waiting.
const APPS_AT_ONCE: usize = 8;
const MOST_PARTS: usize = 100;

/// Goes round all apps, each once in a [`TICK`], in order of their names.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The last app of the part before; none at the start of a round.
    after: Option<AppName>,
}

/// A part of a round.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its apps.
    pub(super) apps: Vec<AppName>,
    /// Whether it is the last of its round.
    pub(super) ends: bool,
    /// The time until the next part.
    pub(super) pause: Duration,
}

impl Round {
    /// The next part. Apps may come and go between two.
    pub(super) fn part<V>(&mut self, apps: &BTreeMap<AppName, V>) -> Part {
        let parts = apps.len().div_ceil(APPS_AT_ONCE).clamp(1, MOST_PARTS);
        let size = apps.len().div_ceil(parts);
        let start = self.after.take().map_or(Unbounded, Excluded);
        let mut left = apps.range((start, Unbounded));
        let names: Vec<AppName> = left
            .by_ref()
            .take(size)
            .map(|(name, _)| name.clone())
            .collect();
        let ends = left.next().is_none();
        self.after = names.last().filter(|_| !ends).cloned();
        Part {
            apps: names,
            ends,
            pause: TICK / u32::try_from(parts).unwrap_or(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps(count: usize) -> BTreeMap<AppName, u8> {
        let name = |n| AppName::new(&format!("app{n}")).unwrap();
        (0..count).map(|n| (name(n), 0)).collect()
    }

    #[test]
    fn a_round_has_each_app_once_in_a_tick() {
        for (count, parts) in [(0, 1), (1, 1), (8, 1), (9, 2), (200, 25), (10_000, 100)] {
            let apps = apps(count);
            let mut round = Round::default();
            for _ in 0..2 {
                let mut seen = Vec::new();
                let mut took = Duration::ZERO;
                for number in 1..=parts {
                    let part = round.part(&apps);
                    assert_eq!(part.ends, number == parts, "{number} of {count}");
                    took += part.pause;
                    seen.extend(part.apps);
                }
                assert!(seen.iter().eq(apps.keys()), "{count}");
                assert!(TICK.abs_diff(took) < Duration::from_micros(1), "{took:?}");
            }
        }
    }

    #[test]
    fn apps_that_come_and_go_do_not_stop_it() {
        let mut some = apps(10);
        let mut round = Round::default();
        let first = round.part(&some);
        some.retain(|name, _| !first.apps.contains(name));
        assert!(round.part(&some).ends);
        let none = apps(0);
        let part = round.part(&none);
        assert!(part.ends && part.apps.is_empty());
        assert!(round.part(&apps(1)).ends);
    }
}
