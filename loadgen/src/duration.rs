//! Durations as people type them: `500ms`, `60s`, `5m`, `1m30s`.

use std::time::Duration;

/// What is wrong with a typed duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("it is empty: write for example 500ms, 60s or 1m30s")]
    Empty,
    #[error("`{0}` should be a number followed by its unit: us, ms, s, m or h")]
    Number(String),
    #[error("`{0}` is not a unit: use us, ms, s, m or h")]
    Unit(String),
    #[error("it is too long")]
    TooLong,
}

/// Parses numbers, each followed by its unit (`us`, `ms`, `s`, `m`, `h`), and adds them up.
pub(crate) fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, after) = split_where(after, |c| c.is_ascii_digit() || c == '.');
        let Ok(number) = number.parse::<f64>() else {
            return Err(DurationError::Number(rest.to_owned()));
        };
        let seconds = number * unit_in_seconds(unit, rest)?;
        let part = Duration::try_from_secs_f64(seconds).map_err(|_| DurationError::TooLong)?;
        total = total.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = after;
    }
    Ok(total)
}

/// The shortest way to write `time` that [`parse`] reads as the same.
pub(crate) fn print(time: Duration) -> String {
    let (nanos, micros) = (time.as_nanos(), time.as_micros());
    match nanos {
        0 => "0s".to_owned(),
        _ if nanos % 1_000_000_000 == 0 => format!("{}s", time.as_secs()),
        _ if nanos % 1_000_000 == 0 => format!("{}ms", time.as_millis()),
        _ if nanos % 1000 == 0 => format!("{micros}us"),
        _ => format!("{micros}.{:03}us", nanos % 1000),
    }
}

fn split_where(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(end).unwrap_or(text.len()))
}

fn unit_in_seconds(unit: &str, rest: &str) -> Result<f64, DurationError> {
    match unit {
        "us" | "µs" => Ok(1e-6),
        "ms" => Ok(1e-3),
        "s" => Ok(1.0),
        "m" => Ok(60.0),
        "h" => Ok(3600.0),
        "" => Err(DurationError::Number(rest.to_owned())),
        other => Err(DurationError::Unit(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("500ms", 500),
            ("60s", 60_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("1.5s", 1500),
            ("0s", 0),
            (" 2s ", 2000),
            ("3000us", 3),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        for (time, text) in [
            (Duration::ZERO, "0s"),
            (Duration::from_secs(90), "90s"),
            (Duration::from_millis(1500), "1500ms"),
            (Duration::from_micros(200), "200us"),
            (Duration::from_nanos(1_500_250), "1500.250us"),
        ] {
            assert_eq!(print(time), text);
            assert_eq!(parse(text), Ok(time), "{text}");
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
            ("-5s", Number("-5s".into())),
            ("1.2.3s", Number("1.2.3s".into())),
            ("5min", Unit("min".into())),
            ("5 s", Unit(" s".into())),
            ("99999999999999999999h", TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
