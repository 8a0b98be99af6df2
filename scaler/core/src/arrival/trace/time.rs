//! When a row of a recording is.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::duration;

/// Numbers of seconds from ten years on are Unix times: nobody records for that long.
const UNIX_TIMES: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A time in a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Time {
    /// A number as it stands, in seconds where there are arrivals.
    Number(Duration),
    /// Nanoseconds since 1970, of a date and time.
    Date(i128),
}

impl Time {
    /// A decimal number, or a date and time as in RFC 3339 or with a space between the two; UTC if
    /// no offset is given.
    pub(super) fn parse(cell: &str) -> Option<Self> {
        if let Ok(number) = duration::seconds(cell) {
            return Some(Self::Number(number));
        }
        if let Ok(time) = cell.parse::<Timestamp>() {
            return Some(Self::Date(time.as_nanosecond()));
        }
        if let Ok(time) = cell.parse::<DateTime>() {
            let time = TimeZone::UTC.to_timestamp(time).ok()?;
            return Some(Self::Date(time.as_nanosecond()));
        }
        let number = cell.parse::<f64>().ok()?;
        Duration::try_from_secs_f64(number).ok().map(Self::Number)
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Number(_), Self::Number(_)) | (Self::Date(_), Self::Date(_))
        )
    }

    /// How many units after that of `first` this one's is: numbers count units, dates do not. None
    /// if one is a number and the other is not.
    pub(super) fn bins_since(&self, first: &Self, unit: Duration) -> Option<i128> {
        match (self, first) {
            (Self::Number(time), Self::Number(first)) => {
                Some(i128::from(time.as_secs()) - i128::from(first.as_secs()))
            }
            (Self::Date(time), Self::Date(first)) => {
                let unit = i128::try_from(unit.as_nanos()).ok()?;
                Some(time.div_euclid(unit) - first.div_euclid(unit))
            }
            _ => None,
        }
    }
}

/// From the start of the recording on. That is 0 if times are numbers, and the earliest if they are
/// dates, or numbers that are Unix times.
pub(super) fn offsets(times: &[Time]) -> Vec<Duration> {
    let nanos = |time: &Time| match time {
        Time::Number(number) => i128::try_from(number.as_nanos()).unwrap_or(i128::MAX),
        Time::Date(nanos) => *nanos,
    };
    let numbers = times.iter().all(|time| match time {
        Time::Number(number) => *number < UNIX_TIMES,
        Time::Date(_) => false,
    });
    let earliest = times.iter().map(nanos).min();
    let start = if numbers { 0 } else { earliest.unwrap_or(0) };
    let since = |time: &Time| u128::try_from(nanos(time) - start).unwrap_or(0);
    times
        .iter()
        .map(|time| Duration::from_nanos_u128(since(time)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates() {
        let second = 1_000_000_000_i128;
        for (cell, time) in [
            ("0", Some(Time::Number(Duration::ZERO))),
            ("12.5", Some(Time::Number(Duration::from_millis(12_500)))),
            (
                "0.098189",
                Some(Time::Number(Duration::from_micros(98_189))),
            ),
            ("1.5e2", Some(Time::Number(Duration::from_secs(150)))),
            ("1970-01-02T00:00:01Z", Some(Time::Date(86_401 * second))),
            ("1970-01-01 01:00:00", Some(Time::Date(3600 * second))),
            ("1970-01-01T02:00:00.5+02:00", Some(Time::Date(second / 2))),
            (
                "1970-01-01 00:00:01.0000001",
                Some(Time::Date(second + 100)),
            ),
            ("-1", None),
            ("NaN", None),
            ("", None),
            ("soon", None),
            ("2023-02-30 00:00:00", None),
        ] {
            assert_eq!(Time::parse(cell), time, "{cell}");
        }
    }

    #[test]
    fn unix_times_begin_with_the_earliest() {
        let read = |cells: &[&str]| {
            let times = cells.iter().filter_map(|cell| Time::parse(cell));
            offsets(&times.collect::<Vec<_>>())
        };
        let millis = Duration::from_millis;
        assert_eq!(read(&["5", "2.5"]), [millis(5000), millis(2500)]);
        assert_eq!(
            read(&["1700000001.5", "1700000000"]),
            [millis(1500), millis(0)]
        );
        assert_eq!(
            read(&["2026-01-01 00:00:02", "2026-01-01T00:00:01Z"]),
            [millis(1000), millis(0)]
        );
        assert_eq!(read(&[]), []);
    }
}
