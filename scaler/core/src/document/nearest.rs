//! Which known word was probably meant.

/// The word of `known` nearest to `given`, if it is near enough to be what was meant: at most a
/// third of its letters differ, whatever their case.
pub(crate) fn nearest<'k>(
    given: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if given.len() > 64 {
        return None;
    }
    let given = given.to_ascii_lowercase();
    (known.into_iter())
        .map(|word| (distance(&given, &word.to_ascii_lowercase()), word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .map(|(_, word)| word)
}

/// ``; did you mean `word`?`` or nothing.
pub(crate) fn suggestion<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(given, known).map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// Levenshtein's distance, by the two-row form of the Wagner-Fischer algorithm.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("targetPrt", "targetPort", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["targetPort", "external", "transport"];
        assert_eq!(nearest("tragetPort", known), Some("targetPort"));
        assert_eq!(nearest("Transprot", known), Some("transport"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(suggestion("colour", known), "");
    }
}
