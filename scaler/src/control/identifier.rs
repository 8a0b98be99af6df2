//! Short names for replicas and seeds for generated suffixes.

use ebbtide_core::hash::fnv1a;

/// A source of short identifiers that differ from one another and from those of other processes.
///
/// A Weyl sequence through the finalizer of `SplitMix64` (Steele, Lea and Flood, 2014): distinct
/// for 2^64 draws before they are shortened.
pub(super) struct Identifiers {
    state: u64,
    alike: bool,
}

impl Identifiers {
    /// A source that differs with the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            alike: false,
        }
    }

    /// A source from which every process names revisions alike: those that a scaler decides for are
    /// those that ingresses route to.
    pub(super) fn alike() -> Self {
        Self {
            state: 0,
            alike: true,
        }
    }

    /// The seed of the name of a revision, which `contents` are to run.
    pub(super) fn seed_of_revision(&mut self, contents: impl FnOnce() -> String) -> u64 {
        if self.alike {
            fnv1a(contents().into_bytes())
        } else {
            self.next_seed()
        }
    }

    /// The next number.
    fn next_seed(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next identifier: five lowercase letters and digits, as a pod's name ends.
    pub(super) fn next_identifier(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"bcdfghjklmnpqrstvwxz0123456789ae";
        let seed = self.next_seed();
        let letter =
            |place: usize| char::from(ALPHABET[usize::from(seed.to_le_bytes()[place]) % 32]);
        (0..5).map(letter).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn processes_that_are_to_name_alike_do_whatever_came_before() {
        let seed = |contents: &str| {
            let mut identifiers = Identifiers::alike();
            identifiers.next_identifier();
            identifiers.seed_of_revision(|| contents.to_owned())
        };
        assert_eq!(seed("a"), seed("a"));
        assert_ne!(seed("a"), seed("b"));
    }

    #[test]
    fn identifiers_are_short_and_rarely_meet() {
        let mut identifiers = Identifiers::new(7);
        let drawn: BTreeSet<String> = (0..100).map(|_| identifiers.next_identifier()).collect();
        assert!(drawn.len() >= 99 && drawn.iter().all(|text| text.len() == 5));
    }
}
