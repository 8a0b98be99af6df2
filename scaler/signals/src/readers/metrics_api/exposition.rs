//! Metrics as Prometheus reads them from what it watches.

use super::cursor::Cursor;

/// One number of a metric.
#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
}

impl Sample {
    /// The value of a label, empty if it has none.
    pub(super) fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(label, _)| label == name);
        found.map_or("", |(_, value)| value)
    }
}

/// The samples of an answer, one for each line that is no comment. The error is of a line.
pub(super) fn samples(text: &str) -> impl Iterator<Item = Result<Sample, String>> {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(index, line)| (index + 1, line.trim_matches([' ', '\t', '\r'])));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| {
        sample(line).ok_or_else(|| format!("is not what Prometheus reads, in line {number}"))
    })
}

/// `name{label="value",…} number time`.
fn sample(line: &str) -> Option<Sample> {
    let mut cursor = Cursor::new(line);
    let mut name = cursor.name().map(str::to_owned);
    let mut labels = Vec::new();
    cursor.skip_blanks();
    if cursor.eat("{") {
        loop {
            cursor.skip_blanks();
            if cursor.eat("}") {
                break;
            }
            let label = match cursor.quoted('"') {
                Some(label) => label,
                None => cursor.name()?.to_owned(),
            };
            cursor.skip_blanks();
            if cursor.eat("=") {
                cursor.skip_blanks();
                labels.push((label, cursor.quoted('"')?));
            } else if name.is_none() {
                // A name that has other characters than letters is quoted, among the labels.
                name = Some(label);
            } else {
                return None;
            }
            cursor.skip_blanks();
            if !cursor.eat(",") && !cursor.rest().starts_with('}') {
                return None;
            }
        }
    }
    let mut words = cursor.rest().split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    if let Some(time) = words.next() {
        time.parse::<i64>().ok()?;
    }
    words.next().is_none().then_some(Sample {
        name: name?,
        labels,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read() {
        let text = "# HELP queue_length How many.\n# TYPE queue_length gauge\n\
                    queue_length 5\r\n\tqueue_length{queue=\"a\\\"b\\\\c\\nd\", zone=\"x\",} 6.5 1700000000000\n\n\
                    {\"my.metric\", \"of.what\"=\"{}\"} +Inf\nx { a = \"b\" } 1e3";
        let sample = |name: &str, labels: &[(&str, &str)], value| Sample {
            name: name.to_owned(),
            labels: labels
                .iter()
                .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
                .collect(),
            value,
        };
        let read: Result<Vec<_>, _> = samples(text).collect();
        assert_eq!(
            read.unwrap(),
            [
                sample("queue_length", &[], 5.0),
                sample(
                    "queue_length",
                    &[("queue", "a\"b\\c\nd"), ("zone", "x")],
                    6.5
                ),
                sample("my.metric", &[("of.what", "{}")], f64::INFINITY),
                sample("x", &[("a", "b")], 1000.0),
            ]
        );
    }

    #[test]
    fn nonsense_is_said_to_be_that() {
        for line in [
            "<html>",
            "{}",
            "a",
            "a b",
            "a 1 2 3",
            "a 1 x",
            "a{b} 1",
            "a{b=c} 1",
            "a{b=\"c\" d=\"e\"} 1",
            "a{b=\"c} 1",
            "a{b=\"\\x\"} 1",
            "1a 1",
            "{\"a\",\"b\"} 1",
        ] {
            let text = format!("# fine\n{line}\n");
            let read: Result<Vec<_>, _> = samples(&text).collect();
            let expected = "is not what Prometheus reads, in line 2";
            assert_eq!(read.unwrap_err(), expected, "{line}");
        }
    }
}
