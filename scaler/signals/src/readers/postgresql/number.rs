//! Numbers, as the server sends them.

use std::error::Error;
use std::fmt::Write as _;

use tokio_postgres::types::{FromSql, Type};

/// A number of any of the server's types, or a text that is one.
pub(super) struct Number(pub(super) f64);

impl Number {
    /// Whether a type has numbers.
    pub(super) fn is_of(kind: &Type) -> bool {
        <Self as FromSql<'_>>::accepts(kind)
    }
}

impl<'a> FromSql<'a> for Number {
    #[expect(clippy::cast_precision_loss, reason = "KEDA's numbers are floats, too")]
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT2 => i16::from_sql(kind, raw)?.into(),
            Type::INT4 => i32::from_sql(kind, raw)?.into(),
            Type::INT8 => i64::from_sql(kind, raw)? as f64,
            Type::OID => u32::from_sql(kind, raw)?.into(),
            Type::FLOAT4 => f32::from_sql(kind, raw)?.into(),
            Type::FLOAT8 => f64::from_sql(kind, raw)?,
            Type::NUMERIC => decimal(raw).ok_or("not a decimal")?,
            _ => <&str>::from_sql(kind, raw)?.trim().parse()?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        let accepted = [
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::OID,
            Type::FLOAT4,
            Type::FLOAT8,
            Type::NUMERIC,
            Type::TEXT,
            Type::VARCHAR,
            Type::BPCHAR,
        ];
        accepted.contains(kind)
    }
}

/// A decimal: how many digits of base 10,000 there are, the power of 10,000 of the first, a sign, how
/// many decimal places are shown, and the digits, each in two bytes.
fn decimal(raw: &[u8]) -> Option<f64> {
    let (words, []) = raw.as_chunks::<2>() else {
        return None;
    };
    let mut words = words.iter().map(|word| u16::from_be_bytes(*word));
    let count = words.next()?;
    let mut power = i32::from(words.next()?.cast_signed());
    let sign = match words.next()? {
        0x0000 => 1.0,
        0x4000 => -1.0,
        0xd000 => f64::INFINITY,
        0xf000 => -f64::INFINITY,
        _ => return Some(f64::NAN),
    };
    words.next()?;
    if sign.is_infinite() {
        return Some(sign);
    }
    if words.len() != usize::from(count) {
        return None;
    }
    // As text, since that is rounded once.
    let mut text = String::from("0");
    for digit in words {
        let _ = write!(text, "{digit:04}");
        power -= 1;
    }
    let exponent = (power + 1) * 4;
    let number: f64 = format!("{text}e{exponent}").parse().ok()?;
    Some(sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn decimals_are_read() {
        for (words, expected) in [
            (&[0, 0, 0, 0][..], 0.0),
            (&[1, 0, 0, 0, 5], 5.0),
            (&[1, 0, 0x4000, 0, 5], -5.0),
            (&[2, 0, 0, 2, 12, 3400], 12.34),
            (&[1, 0xffff, 0, 4, 1], 0.0001),
            (&[1, 0xfffe, 0, 5, 1000], 0.000_01),
            (&[1, 2, 0, 0, 3], 300_000_000.0),
            (&[2, 1, 0, 0, 1, 2], 10_002.0),
            (&[0, 0, 0xd000, 0], f64::INFINITY),
            (&[0, 0, 0xf000, 0], -f64::INFINITY),
        ] {
            assert_eq!(decimal(&sent(words)), Some(expected), "{words:?}");
        }
        assert!(decimal(&sent(&[0, 0, 0xc000, 0])).is_some_and(f64::is_nan));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        for words in [&[][..], &[1, 0, 0], &[1, 0, 0, 0], &[1, 0, 0, 0, 1, 2]] {
            assert_eq!(decimal(&sent(words)), None, "{words:?}");
        }
        assert_eq!(decimal(&[0, 1, 0]), None);
    }
}
