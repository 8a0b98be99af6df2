//! A share of all, chosen by number.

use std::str::FromStr;

/// The parts that a share is counted in.
const PARTS: u32 = 1_000_000;

/// A share from none (0) to all (1), in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// Nothing is left out.
    pub const ALL: Self = Self(PARTS);

    /// Whether this share of all numbers has `number`: the same ones each time, evenly spread.
    pub fn has(self, number: u64) -> bool {
        let number = number % u64::from(PARTS);
        let before = |number: u64| number * u64::from(self.0) / u64::from(PARTS);
        before(number + 1) > before(number)
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str =
            "give a share from 0 to 1, as in 0.01, of a millionth at least unless it is 0";
        let share: f64 = text.parse().map_err(|_| RULE)?;
        if !(0.0..=1.0).contains(&share) {
            return Err(RULE);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to a million"
        )]
        let parts = (share * f64::from(PARTS)).round() as u32;
        if parts == 0 && share > 0.0 {
            return Err(RULE);
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_has_as_many_numbers_as_it_says() {
        for (text, expected) in [("0", 0), ("0.001", 10), ("0.3", 3000), ("1", 10_000)] {
            let has = (0..10_000)
                .filter(|number| share(text).has(*number))
                .count();
            assert_eq!(has, expected, "{text}");
        }
        let spread: Vec<_> = (0..10).filter(|number| share("0.5").has(*number)).collect();
        assert_eq!(spread, [1, 3, 5, 7, 9]);
        assert!(share("1").has(u64::MAX));
    }

    #[test]
    fn only_shares_are_read() {
        for bad in ["", "-0.1", "1.1", "10%", "NaN", "0.0000001"] {
            let error = bad.parse::<Share>().unwrap_err();
            assert!(error.contains("from 0 to 1"), "{bad}: {error}");
        }
    }
}
