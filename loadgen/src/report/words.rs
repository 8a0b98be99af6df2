//! Figures as people read them.

/// For what is not known.
pub(crate) const NONE: &str = "–";

/// A count, in groups of three digits.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and what it counts: `1 request`, `2 requests`.
pub(crate) fn plural(value: u64, one: &str) -> String {
    let ending = if value == 1 { "" } else { "s" };
    format!("{} {one}{ending}", count(value))
}

/// A rate or a level: decimals while it is small.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.abs() < 9.95 {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else if value.abs() < 99.95 {
        format!("{value:.1}").trim_end_matches(".0").to_owned()
    } else {
        grouped(value)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded, and made positive before; beyond 2^64 it is the largest"
)]
fn grouped(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

/// A time in milliseconds, with the unit that suits it.
pub(crate) fn millis(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0 ms".to_owned()
    } else if size < 0.9995 {
        format!("{:.0} µs", value * 1000.0)
    } else if size < 9.995 {
        format!("{value:.2} ms")
    } else if size < 99.95 {
        format!("{value:.1} ms")
    } else if size < 999.5 {
        format!("{value:.0} ms")
    } else {
        seconds(value / 1000.0)
    }
}

/// A time in seconds, with the unit that suits it.
pub(crate) fn seconds(value: f64) -> String {
    let size = value.abs();
    if size < 9.995 {
        format!("{value:.2} s")
    } else if size < 119.95 {
        format!("{value:.1} s").replace(".0 s", " s")
    } else {
        let whole = value.round();
        format!(
            "{:.0} min {:02.0} s",
            (whole / 60.0).trunc(),
            (whole % 60.0).abs()
        )
    }
}

/// A time of the run: `1:05`, `1:02:03`.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).floor();
    let (hours, minutes, rest) = (
        (whole / 3600.0).floor(),
        (whole / 60.0).floor() % 60.0,
        whole % 60.0,
    );
    if hours > 0.0 {
        format!("{hours:.0}:{minutes:02.0}:{rest:02.0}")
    } else {
        format!("{minutes:.0}:{rest:02.0}")
    }
}

/// A percentage; small ones keep the digits that tell them from none.
pub(crate) fn percent(value: f64) -> String {
    match value.abs() {
        0.0 => "0%".to_owned(),
        size if size < 0.095 => format!("{value:.3}%"),
        size if size < 9.995 => format!("{value:.2}%"),
        size if size < 99.995 => format!("{value:.1}%"),
        _ => format!("{value:.0}%"),
    }
}

/// Bytes.
pub(crate) fn bytes(value: u64) -> String {
    let mut size = super::histogram::as_float(value);
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    format!("{} {unit}", number(size))
}

/// When something is known, in words.
pub(crate) fn known<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_numbers() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(value), text);
        }
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (9.0, "9"),
            (12.34, "12.3"),
            (50.0, "50"),
            (99.97, "100"),
            (-1500.4, "-1,500"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(plural(1, "request"), "1 request");
        assert_eq!(plural(0, "request"), "0 requests");
    }

    #[test]
    fn times() {
        for (value, text) in [
            (0.0, "0 ms"),
            (0.085, "85 µs"),
            (1.234, "1.23 ms"),
            (12.34, "12.3 ms"),
            (312.4, "312 ms"),
            (999.6, "1.00 s"),
            (12_340.0, "12.3 s"),
            (60_000.0, "60 s"),
            (150_000.0, "2 min 30 s"),
            (-20.0, "-20.0 ms"),
        ] {
            assert_eq!(millis(value), text);
        }
        for (value, text) in [(0.4, "0:00"), (65.0, "1:05"), (3723.0, "1:02:03")] {
            assert_eq!(clock(value), text);
        }
    }

    #[test]
    fn percentages_and_bytes() {
        for (value, text) in [
            (0.0, "0%"),
            (0.01, "0.010%"),
            (2.5, "2.50%"),
            (33.33, "33.3%"),
            (100.0, "100%"),
        ] {
            assert_eq!(percent(value), text);
        }
        for (value, text) in [
            (0, "0 B"),
            (1023, "1,023 B"),
            (1536, "1.5 KiB"),
            (1 << 30, "1 GiB"),
        ] {
            assert_eq!(bytes(value), text);
        }
        assert_eq!(known(None, millis), "–");
    }
}
