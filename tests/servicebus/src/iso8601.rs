//! Durations as XML has them: `PT1M30S`, `P14D`, `P10675199DT2H48M5.4775807S`.

use std::time::Duration;

/// Reads a duration of days, hours, minutes and seconds. `None` if the text is none, or has years
/// or months, whose length differs.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = rest
        .split_once('T')
        .map_or((rest, None), |(days, time)| (days, Some(time)));
    if days.is_empty() && time.is_none_or(str::is_empty) {
        return None;
    }
    let days = units(days, &[('D', 86_400)])?;
    let time = units(
        time.unwrap_or_default(),
        &[('H', 3600), ('M', 60), ('S', 1)],
    )?;
    days.checked_add(time)
}

/// A sum of numbers, each with its unit, in the order of the units. Only seconds have a fraction.
fn units(mut text: &str, units: &[(char, u64)]) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for (unit, seconds) in units {
        let Some((number, rest)) = text.split_once(*unit) else {
            continue;
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (*seconds > 1 && number != whole) {
            return None;
        }
        let nanoseconds = format!("{fraction:0<9.9}").parse().ok()?;
        let whole = whole.parse::<u64>().ok()?.checked_mul(*seconds)?;
        sum = sum.checked_add(Duration::new(whole, nanoseconds))?;
        text = rest;
    }
    text.is_empty().then_some(sum)
}

/// Writes a duration so that [`parse`] reads the same.
pub(crate) fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let part = |number: u64, unit: char| match number {
        0 => String::new(),
        _ => format!("{number}{unit}"),
    };
    let fraction = format!("{:09}", duration.subsec_nanos());
    let rest = match fraction.trim_end_matches('0') {
        "" => part(seconds % 60, 'S'),
        fraction => format!("{}.{fraction}S", seconds % 60),
    };
    let time = [part(hours, 'H'), part(minutes, 'M'), rest].concat();
    match (days, &*time) {
        (0, "") => "PT0S".to_owned(),
        (0, _) => format!("PT{time}"),
        (_, "") => format!("P{days}D"),
        _ => format!("P{days}DT{time}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::NEVER;

    #[test]
    fn durations_are_read_and_written() {
        let cases = [
            ("PT1M", Duration::from_mins(1)),
            ("PT5S", Duration::from_secs(5)),
            ("P14D", Duration::from_hours(14 * 24)),
            ("P1DT2H3M4S", Duration::from_secs(93_784)),
            ("PT0.25S", Duration::from_millis(250)),
            ("PT0S", Duration::ZERO),
            ("P10675199DT2H48M5.4775807S", NEVER),
        ];
        for (text, duration) in cases {
            assert_eq!((parse(text), &*format(duration)), (Some(duration), text));
        }
        let also_read = [
            ("PT90S", 90),
            ("PT3600S", 3600),
            ("P0DT1M", 60),
            ("PT120M", 7200),
        ];
        for (text, seconds) in also_read {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        let wrong = [
            "", "P", "PT", "1M", "P1M", "P1Y", "PT1", "PTS", "PT-1S", "PT1S1M", "PT1.5M", "PT1 S",
            "pt1s",
        ];
        for text in wrong {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
