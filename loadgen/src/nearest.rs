//! Which known word was probably meant.

/// ``; did you mean `word`?`` with the word of `known` that is nearest to `given`, or nothing if none is near:
/// at most a third of its letters may differ, whatever their case.
pub(crate) fn suggestion<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let given: String = given.chars().take(64).collect::<String>().to_lowercase();
    let distances = known.into_iter().map(|word| {
        let distance = strsim::osa_distance(&given, &word.to_lowercase());
        (distance, word)
    });
    distances
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .map_or_else(String::new, |(_, word)| format!("; did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["timeToZero", "timeToTarget", "lost"];
        for (given, meant) in [
            ("timeTozero", "; did you mean `timeToZero`?"),
            ("tmieToTarget", "; did you mean `timeToTarget`?"),
            ("losst", "; did you mean `lost`?"),
            ("colour", ""),
            ("", ""),
        ] {
            assert_eq!(suggestion(given, known), meant, "{given}");
        }
        assert_eq!(suggestion("any", []), "");
    }
}
