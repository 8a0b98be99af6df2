//! Suffixes for revisions that were not given one.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Consonants and digits, so that no word comes out, and none that look alike.
const ALPHABET: &[u8; 27] = b"bcdfghjkmnpqrstvwxz23456789";
const LENGTH: usize = 7;

/// An endless row of semi-random suffixes of seven characters; the same for the same seed.
pub(super) fn generate(seed: u64) -> impl Iterator<Item = String> {
    let mut random = Pcg32::seed_from_u64(seed);
    std::iter::repeat_with(move || (0..LENGTH).map(|_| character(&mut random)).collect())
}

fn character(random: &mut Pcg32) -> char {
    let count = u64::try_from(ALPHABET.len()).unwrap_or(u64::MAX);
    // The high half of a 32-bit draw times the count is below the count.
    let index = (u64::from(random.next_u32()) * count) >> 32;
    let index = usize::try_from(index).unwrap_or_default();
    char::from(ALPHABET[index])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn suffixes_follow_the_seed_and_differ() {
        let first = |seed| generate(seed).take(1_000).collect::<BTreeSet<_>>();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert_eq!(first(1).len(), 1_000);
    }

    #[test]
    fn suffixes_are_seven_lowercase_characters() {
        for suffix in generate(7).take(100) {
            assert_eq!(suffix.len(), 7);
            assert!(suffix.bytes().all(|b| ALPHABET.contains(&b)), "{suffix}");
        }
    }
}
