//! Amounts of memory as Kubernetes writes them.

/// Suffixes and the bytes each stands for.
const UNITS: [(&str, u64); 13] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
    ("", 1),
];

/// The bytes of an amount such as `0.5Gi` or `100Mi`; none if `text` is not one greater than
/// zero. Part of a byte counts as one.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    // Nine digits after the point keep the product within 128 bits.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let bytes = digits.checked_mul(u128::from(*unit))?.div_ceil(scale);
    u64::try_from(bytes).ok().filter(|bytes| *bytes > 0)
}

/// The amount in the largest unit that gives a whole number, or quarters of a Gi.
pub(crate) fn print(bytes: u64) -> String {
    const QUARTER: u64 = 1 << 28;
    if bytes.is_multiple_of(QUARTER) && bytes > 0 {
        let fraction = ["", ".25", ".5", ".75"];
        let quarters = bytes / QUARTER;
        let part = usize::try_from(quarters % 4).map_or("", |part| fraction[part]);
        return format!("{}{part}Gi", quarters / 4);
    }
    let unit = (UNITS[..2].iter().rev()).find(|(_, unit)| bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read() {
        let cases = [
            ("0.5Gi", Some(1 << 29)),
            ("1.0Gi", Some(1 << 30)),
            ("1Gi", Some(1 << 30)),
            ("100Mi", Some(100 << 20)),
            ("1.5k", Some(1500)),
            ("0.1", Some(1)),
            (".5Ki", Some(512)),
            ("1.Ki", Some(1024)),
            ("128974848", Some(128_974_848)),
            ("15Ei", Some(15 << 60)),
            ("16Ei", None),
            ("0", None),
            ("", None),
            (".", None),
            ("Gi", None),
            ("-1Gi", None),
            ("1.2.3Gi", None),
            ("1 Gi", None),
            ("1gi", None),
            ("1GB", None),
            ("99999999999999999999999999999999999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn amounts_print_back() {
        for (amount, expected) in [
            (1 << 29, "0.5Gi"),
            (3 << 28, "0.75Gi"),
            (2 << 30, "2Gi"),
            (100 << 20, "100Mi"),
            (1024, "1Ki"),
            (1500, "1500"),
            (1, "1"),
        ] {
            assert_eq!(print(amount), expected);
            assert_eq!(bytes(expected), Some(amount));
        }
    }
}
