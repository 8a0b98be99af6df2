//! Replicas from fractions, and numbers and times as people read them.

use std::time::Duration;

/// How far above a whole number a fraction may be and still count as that number.
pub(super) const NOISE: f64 = 1e-6;

/// `replicas` rounded up to whole ones, at most `u32::MAX`; zero for what is not a number.
///
/// A millionth of a replica above a whole number is taken as the noise of floating-point sums and
/// rounded away, so 50.0000001 for a target of 10 is 5 and not 6. What is above zero is at least
/// one, however little it is.
pub(super) fn replicas_for(replicas: f64) -> u32 {
    let whole = whole_replicas((replicas - NOISE).ceil());
    if replicas > 0.0 { whole.max(1) } else { whole }
}

/// `replicas` cut down to whole ones, from 0 to `u32::MAX`; zero for what is not a number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from f64 saturates, and takes NaN to zero"
)]
pub(super) fn whole_replicas(replicas: f64) -> u32 {
    replicas as u32
}

/// `value` with at most three decimals and no more than it needs: `58`, `12.3`.
///
/// It is rounded up, as replicas are and with the same care for noise, so that arithmetic shown
/// with it holds: what needs a sixth replica is shown as `50.001` and not as `50`.
pub(super) fn shortest(value: f64) -> String {
    let rounded = (value * 1000.0 - 1000.0 * NOISE).ceil() / 1000.0;
    // Adding zero turns a negative zero into a plain one.
    format!("{}", rounded + 0.0)
}

/// A time that is left, rounded up to whole seconds: `8 s`; below one second `300 ms`.
pub(super) fn left(time: Duration) -> String {
    if time <= Duration::from_millis(999) {
        return format!("{} ms", time.as_nanos().div_ceil(1_000_000));
    }
    format!("{} s", time.as_nanos().div_ceil(1_000_000_000))
}

/// A time that has passed, rounded down to whole seconds: `10 s`; below one second `300 ms`.
pub(super) fn passed(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        return format!("{} ms", time.as_millis());
    }
    format!("{} s", time.as_secs())
}

/// How many of what, in the form that goes with the number: `1 request waits`, `3 requests wait`.
pub(super) fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_round_up_but_not_for_noise() {
        for (value, target, replicas) in [
            (0.0, 10.0, 0),
            (1e-9, 10.0, 1),
            (0.3, 10.0, 1),
            (50.0, 10.0, 5),
            (50.000_000_1, 10.0, 5),
            (50.001, 10.0, 6),
            (0.1 + 0.2, 0.1, 3),
            (58.0, 10.0, 6),
            (1e300, 1.0, u32::MAX),
        ] {
            assert_eq!(replicas_for(value / target), replicas, "{value}/{target}");
        }
        assert_eq!(replicas_for(f64::NAN), 0);
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (value, text) in [
            (58.0, "58"),
            (12.3, "12.3"),
            (0.0, "0"),
            (-0.0, "0"),
            (37.0 / 3.0, "12.334"),
            (0.000_1, "0.001"),
            (50.000_000_1, "50"),
            (50.000_1, "50.001"),
            (1_500_000.5, "1500000.5"),
        ] {
            assert_eq!(shortest(value), text, "{value}");
        }
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let ms = Duration::from_millis;
        assert_eq!(
            [left(ms(7_001)), left(ms(300)), left(ms(8_000))],
            ["8 s", "300 ms", "8 s"]
        );
        assert_eq!(left(Duration::from_micros(999_500)), "1 s");
        assert_eq!([passed(ms(10_900)), passed(ms(999))], ["10 s", "999 ms"]);
    }
}
