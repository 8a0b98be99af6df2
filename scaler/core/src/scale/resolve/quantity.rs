//! Kubernetes quantities: `500m`, `1.5`, `256Mi`, `2G`.

/// The suffixes and what they multiply by.
const SUFFIXES: [(&str, f64); 14] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// The number that a quantity stands for; none if it is not one.
pub(super) fn parse(text: &str) -> Option<f64> {
    let (digits, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))?;
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain)?;
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_decimal_and_binary_suffixes() {
        for (text, number) in [
            ("500m", Some(0.5)),
            ("0.5", Some(0.5)),
            ("256Mi", Some(268_435_456.0)),
            ("2G", Some(2e9)),
            ("1k", Some(1000.0)),
            ("", None),
            ("Mi", None),
            ("1e3", None),
            ("inf", None),
            ("-1", None),
            ("1 Gi", None),
            ("1gi", None),
        ] {
            assert_eq!(parse(text), number, "{text}");
        }
    }
}
