//! Amounts as Kubernetes writes them.

/// Suffixes of powers of ten.
const DECIMAL: [(&str, i32); 9] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// Suffixes of powers of two.
const BINARY: [(&str, i32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];

/// The number that `text` is, as in `5`, `1.5k`, `100m`, `2Gi` or `1e3`.
pub(super) fn read(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.');
    let end = text.len() - unsigned.len() + end.unwrap_or(unsigned.len());
    let (digits, suffix) = text.split_at(end);
    let power = |of: &[(&str, i32)]| {
        let found = of.iter().find(|(name, _)| *name == suffix);
        found.map(|(_, power)| *power)
    };
    let number = if let Some(power) = power(&BINARY) {
        digits.parse::<f64>().ok()? * 2_f64.powi(power)
    } else {
        let power = match suffix {
            "" => 0,
            _ => power(&DECIMAL).or_else(|| suffix.strip_prefix(['e', 'E'])?.parse().ok())?,
        };
        // One reading of digits and power rounds once.
        format!("{digits}e{power}").parse().ok()?
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("64", Some(64.0)),
            ("+5", Some(5.0)),
            ("-1.5", Some(-1.5)),
            (".5", Some(0.5)),
            ("1.", Some(1.0)),
            ("007", Some(7.0)),
            ("100m", Some(0.1)),
            ("3u", Some(0.000_003)),
            ("5n", Some(0.000_000_005)),
            ("1k", Some(1000.0)),
            ("1.5M", Some(1_500_000.0)),
            ("2G", Some(2e9)),
            ("1E", Some(1e18)),
            ("1e3", Some(1000.0)),
            ("1E-3", Some(0.001)),
            ("1e+2", Some(100.0)),
            ("1Ki", Some(1024.0)),
            ("0.5Mi", Some(524_288.0)),
            ("1Ei", Some(1_152_921_504_606_846_976.0)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "", "NaN", "inf", "m", ".", "+", "-k", "1.2.3", "1K", "1 k", " 1", "1e", "1e3k",
            "0x10", "1_000", "1e999", "1mi", "--1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
