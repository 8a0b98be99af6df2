//! Which known word was probably meant.

/// The longest word that is compared, in bytes.
const LONGEST: usize = 64;
/// The most words that are compared; an app has fewer secrets.
const MOST_COMPARED: usize = 200;

/// The word of `known` nearest to `given`, if it is near enough to be what was meant: at most a
/// third of its letters differ, whatever their case.
pub(crate) fn nearest<'k>(
    given: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_ascii_lowercase();
    (known.into_iter().take(MOST_COMPARED))
        .filter(|word| word.len() <= LONGEST)
        .map(|word| (distance(&given, &word.to_ascii_lowercase()), word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .map(|(_, word)| word)
}

/// Whether two words differ by a slip or two, whatever their case: nothing else was meant.
pub(crate) fn is_slip(a: &str, b: &str) -> bool {
    a.len() <= LONGEST && distance(&a.to_ascii_lowercase(), &b.to_ascii_lowercase()) <= 3
}

/// ``; did you mean `word`?`` or nothing.
pub(crate) fn suggestion<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(given, known).map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// How many letters have to be added, left out, changed or swapped with their neighbour: the
/// optimal string alignment distance, row by row.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut two_up = vec![0; b.len() + 1];
    let mut up: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = up[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(up[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(two_up[j - 2] + 1);
            }
        }
        two_up = std::mem::replace(&mut up, row);
    }
    up[b.len()]
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
            ("tragetPort", "targetPort", 1),
            ("kye", "key", 1),
            ("ca", "abc", 3),
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
