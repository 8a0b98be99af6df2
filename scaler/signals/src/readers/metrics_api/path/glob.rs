//! Names with wildcards.

/// A name in which `*` stands for any characters and `?` for one, unless a backslash is before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    One(char),
    AnyOne,
    Any,
}

impl Glob {
    /// The pattern that `text` is.
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            pieces.push(match c {
                '*' => Piece::Any,
                '?' => Piece::AnyOne,
                '\\' => match characters.next() {
                    Some(c) => Piece::One(c),
                    None => break,
                },
                c => Piece::One(c),
            });
        }
        Self(pieces)
    }

    /// Whether it fits all of `text`.
    pub(super) fn fits(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut at = 0;
        // Where to go on when what came after the last `*` does not fit: it takes one more.
        let mut retry = None;
        loop {
            let mut after = rest.clone();
            match (self.0.get(at), after.next()) {
                (Some(Piece::Any), _) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                (Some(Piece::AnyOne), Some(_)) => {}
                (Some(Piece::One(expected)), Some(c)) if *expected == c => {}
                (None, None) => return true,
                _ => {
                    let Some((from, taken)) = &mut retry else {
                        return false;
                    };
                    if taken.next().is_none() {
                        return false;
                    }
                    (at, rest) = (*from, taken.clone());
                    continue;
                }
            }
            at += 1;
            rest = after;
        }
    }

    /// The index that it is, if it is one.
    pub(super) fn index(&self) -> Option<usize> {
        let digits = self.0.iter().map(|piece| match piece {
            Piece::One(c) if c.is_ascii_digit() => Some(*c),
            _ => None,
        });
        digits.collect::<Option<String>>()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit() {
        for (pattern, fitting, other) in [
            ("queue", &["queue"][..], &["queues", "que", ""][..]),
            ("q*e", &["qe", "queue"], &["queues", "Qe"]),
            ("q?e", &["que", "qüe"], &["qe", "quue"]),
            ("*", &["", "x"], &[]),
            ("a*b*c", &["abc", "axbxbyc"], &["acb", "abcx"]),
            (r"a\*b", &["a*b"], &["axb"]),
            (r"a\.b", &["a.b"], &["ab"]),
            ("", &[""], &["x"]),
        ] {
            let glob = Glob::parse(pattern);
            for text in fitting {
                assert!(glob.fits(text), "{pattern} {text}");
            }
            for text in other {
                assert!(!glob.fits(text), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn indexes_are_digits() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("", None),
            ("-1", None),
            ("1*", None),
        ] {
            assert_eq!(Glob::parse(text).index(), expected, "{text}");
        }
    }
}
