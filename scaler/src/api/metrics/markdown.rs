//! Every metric as documentation: what a scraper would read of them, as a table.

use std::fmt::Write as _;

/// One metric.
#[derive(Default)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    kind: &'a str,
    /// Each label with the values that were seen.
    labels: Vec<(&'a str, Vec<&'a str>)>,
}

/// A row for each metric of an exposition.
pub(crate) fn markdown(exposition: &str) -> String {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in exposition.lines() {
        if let Some((name, help)) = described(line, "# HELP ") {
            families.push(Family {
                name,
                help: help.trim_end_matches('.'),
                ..Family::default()
            });
        } else if let (Some((_, kind)), Some(family)) =
            (described(line, "# TYPE "), families.last_mut())
        {
            family.kind = kind;
        } else if let (false, Some(family)) = (line.starts_with('#'), families.last_mut()) {
            for (label, value) in labels(line) {
                family.saw(label, value);
            }
        }
    }
    let mut text = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for family in &families {
        let (name, kind, labels, help) = (family.sample(), family.kind, family.said(), family.help);
        let _infallible = writeln!(text, "| `{name}` | {kind} | {labels} | {help} |");
    }
    text
}

impl<'a> Family<'a> {
    fn saw(&mut self, label: &'a str, value: &'a str) {
        if label == "le" {
            return;
        }
        match self.labels.iter_mut().find(|(known, _)| *known == label) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => self.labels.push((label, vec![value])),
        }
    }

    /// The name of its samples.
    fn sample(&self) -> String {
        match self.kind {
            "counter" => format!("{}_total", self.name),
            "info" => format!("{}_info", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// Its labels, those whose values are words of the code with these.
    fn said(&self) -> String {
        let is_word = |value: &&str| value.starts_with(|c: char| c.is_ascii_lowercase());
        let label = |(label, values): &(&str, Vec<&str>)| match values.as_slice() {
            words @ [_, _, ..] if words.iter().all(is_word) => {
                format!("`{label}`: {}", words.join(", "))
            }
            _ => format!("`{label}`"),
        };
        self.labels.iter().map(label).collect::<Vec<_>>().join("; ")
    }
}

fn described<'a>(line: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(prefix)?.split_once(' ')
}

/// The labels of a sample, none of whose values has a quote.
fn labels(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let inside = line
        .split_once('{')
        .and_then(|(_, rest)| rest.rsplit_once('}'));
    let pairs = inside.map_or("", |(inside, _)| inside).split("\",");
    pairs.filter_map(|pair| {
        let (name, value) = pair.split_once("=\"")?;
        Some((name, value.trim_end_matches('"')))
    })
}
