//! Durations as people write them: `500ms`, `60s`, `5m`, `1m30s`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits after the point that count: all that a day can have in nanoseconds, and more.
const FRACTION_DIGITS: usize = 18;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// What is wrong with a duration that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// There is nothing.
    #[error("it is empty: write for example 500ms, 60s or 1m30s")]
    Empty,
    /// No number with a unit after it.
    #[error("`{0}` should be a number followed by its unit: ns, us, ms, s, m, h or d")]
    Number(String),
    /// A unit that there is not.
    #[error("`{0}` is not a unit: use ns, us, ms, s, m, h or d")]
    Unit(String),
    /// More than 2^64 seconds.
    #[error("it is too long")]
    TooLong,
}

/// A duration that a document has as text, as in `1m30s`.
///
/// What is written is read again as the same, to the nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        match nanos {
            0 if seconds > 0 || whole == 0 => write!(f, "{seconds}s"),
            0 => Ok(()),
            _ if whole == 0 && nanos % 1_000_000 == 0 => write!(f, "{}ms", nanos / 1_000_000),
            _ => {
                let fraction = format!("{nanos:09}");
                write!(f, "{seconds}.{}s", fraction.trim_end_matches('0'))
            }
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SpanVisitor)
    }
}

struct SpanVisitor;

impl de::Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with its unit, as in 500ms, 60s or 1m30s")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        let duration = parse(text)
            .map_err(|error| E::custom(format!("`{text}` is not a duration: {error}")))?;
        Ok(Span(duration))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Numbers, each followed by its unit: ns, us, ms, s, m, h or d",
            "examples": ["500ms", "60s", "1m30s"],
            "pattern": r"^\s*((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d))+\s*$",
        })
    }
}

/// Reads numbers, each followed by its unit (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`), and adds them
/// up.
///
/// # Errors
///
/// What is wrong, without the text as a whole.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, after) = split_where(after, |c| c.is_ascii_digit() || c == '.');
        let part = decimal(number, rest, || unit_in_nanos(unit, rest))?;
        total = total.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = after;
    }
    Ok(total)
}

/// Reads a decimal number of seconds without a sign, as in `12.000345`, exactly.
pub(crate) fn seconds(text: &str) -> Result<Duration, DurationError> {
    decimal(text, text, || Ok(NANOS_PER_SECOND))
}

/// The decimal `number` times a unit, rounded to nanoseconds; `rest` is what an error shows.
fn decimal(
    number: &str,
    rest: &str,
    unit: impl FnOnce() -> Result<u128, DurationError>,
) -> Result<Duration, DurationError> {
    let wrong = || DurationError::Number(rest.to_owned());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err(wrong());
    }
    let unit = unit()?;
    let whole: u64 = match whole {
        "" => 0,
        whole => whole.parse().map_err(|_| DurationError::TooLong)?,
    };
    let fraction = &fraction[..fraction.len().min(FRACTION_DIGITS)];
    let mut power: u128 = 1;
    let mut part: u128 = 0;
    for digit in fraction.bytes() {
        power *= 10;
        part = part * 10 + u128::from(digit - b'0');
    }
    let nanos = u128::from(whole) * unit + (part * unit + power / 2) / power;
    let too_long = |_| DurationError::TooLong;
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND).map_err(too_long)?;
    let subsecond = u32::try_from(nanos % NANOS_PER_SECOND).map_err(too_long)?;
    Ok(Duration::new(seconds, subsecond))
}

fn split_where(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(end).unwrap_or(text.len()))
}

fn unit_in_nanos(unit: &str, rest: &str) -> Result<u128, DurationError> {
    match unit {
        "ns" => Ok(1),
        "us" | "µs" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(NANOS_PER_SECOND),
        "m" => Ok(60 * NANOS_PER_SECOND),
        "h" => Ok(3600 * NANOS_PER_SECOND),
        "d" => Ok(86_400 * NANOS_PER_SECOND),
        "" => Err(DurationError::Number(rest.to_owned())),
        other => Err(DurationError::Unit(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, micros) in [
            ("500ms", 500_000),
            ("60s", 60_000_000),
            ("5m", 300_000_000),
            ("1h", 3_600_000_000),
            ("2d", 172_800_000_000),
            ("1m30s", 90_000_000),
            ("1.5s", 1_500_000),
            (".5s", 500_000),
            ("0s", 0),
            (" 2s ", 2_000_000),
            ("3000us", 3000),
            ("3000ns", 3),
            ("0.000003s", 3),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        use DurationError::{Empty, Number, TooLong, Unit};
        for (text, error) in [
            ("", Empty),
            ("60", Number("60".into())),
            ("1m30", Number("30".into())),
            ("s", Number("s".into())),
            (".s", Number(".s".into())),
            ("-5s", Number("-5s".into())),
            ("1.2.3s", Number("1.2.3s".into())),
            ("5min", Unit("min".into())),
            ("5 s", Unit(" s".into())),
            ("99999999999999999999h", TooLong),
            ("18446744073709551615h", TooLong),
            ("18446744073709551615s1s", TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn documents_have_them_as_people_write_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1_000_000_000, "1s"),
            (90_000_000_000, "1m30s"),
            (60_000_000_000, "1m"),
            (3_600_000_000_000, "1h"),
            (3_661_500_000_000, "1h1m1.5s"),
            (3_600_000_000_001, "1h0.000000001s"),
            (250_000_000, "250ms"),
            (1, "0.000000001s"),
        ] {
            assert_eq!(Span(Duration::from_nanos(nanos)).to_string(), text);
        }
        let error = serde_json::from_str::<Span>("\"5\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`5` is not a duration"), "{error}");
        let error = serde_json::from_str::<Span>("5").unwrap_err().to_string();
        assert!(error.contains("expected a duration"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse(&Span(duration).to_string()), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.a-zµ -]{0,40}") {
            let _ = parse(&text);
            let _ = super::seconds(&text);
        }
    }
}
