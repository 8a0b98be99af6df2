//! Which sample is meant, as PromQL writes it.

use regex::Regex;

use super::cursor::Cursor;
use super::exposition::Sample;

/// A metric and what its labels are.
#[derive(Debug)]
pub(super) struct Selector {
    name: String,
    matchers: Vec<Matcher>,
}

#[derive(Debug)]
struct Matcher {
    label: String,
    is_wanted: bool,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Text(String),
    Pattern(Regex),
}

/// The label that is the metric's name.
const NAME: &str = "__name__";

impl Selector {
    /// The selector that `text` is.
    ///
    /// # Errors
    /// Why it is none, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let example = "is not like queue_length{queue=\"orders\"}";
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let mut name = cursor.name().map(str::to_owned);
        let mut matchers = Vec::new();
        cursor.skip_blanks();
        if cursor.eat("{") {
            loop {
                cursor.skip_blanks();
                if cursor.eat("}") {
                    break;
                }
                match matcher(&mut cursor)?.ok_or(example)? {
                    Term::Name(given) if name.is_none() => name = Some(given),
                    Term::Name(_) => return Err("has two names".to_owned()),
                    Term::Matcher(matcher) => matchers.push(matcher),
                }
                cursor.skip_blanks();
                if !cursor.eat(",") && !cursor.rest().starts_with('}') {
                    return Err(example.to_owned());
                }
            }
        }
        cursor.skip_blanks();
        if !cursor.rest().is_empty() {
            return Err(example.to_owned());
        }
        let name = name.ok_or_else(|| format!("{example}: the metric is missing"))?;
        Ok(Self { name, matchers })
    }

    /// Whether it means a sample.
    pub(super) fn fits(&self, sample: &Sample) -> bool {
        sample.name == self.name
            && self.matchers.iter().all(|matcher| {
                let value = sample.label(&matcher.label);
                let is_so = match &matcher.value {
                    Value::Text(text) => value == text,
                    Value::Pattern(pattern) => pattern.is_match(value),
                };
                is_so == matcher.is_wanted
            })
    }
}

enum Term {
    Name(String),
    Matcher(Matcher),
}

/// What is between two commas.
fn matcher(cursor: &mut Cursor<'_>) -> Result<Option<Term>, String> {
    let (label, is_quoted) = match quoted(cursor) {
        Some(label) => (label, true),
        None => match cursor.name() {
            Some(label) => (label.to_owned(), false),
            None => return Ok(None),
        },
    };
    cursor.skip_blanks();
    let operator = cursor.take_while(|c| matches!(c, '=' | '!' | '~'));
    let (is_wanted, is_pattern) = match operator {
        "" if is_quoted => return Ok(Some(Term::Name(label))),
        "=" => (true, false),
        "!=" => (false, false),
        "=~" => (true, true),
        "!~" => (false, true),
        _ => return Ok(None),
    };
    cursor.skip_blanks();
    let Some(text) = quoted(cursor) else {
        return Ok(None);
    };
    let value = if is_pattern {
        let pattern = Regex::new(&format!("^(?s:{text})$"));
        let pattern = pattern.map_err(|_| "has a regular expression that is none");
        Value::Pattern(pattern?)
    } else {
        Value::Text(text)
    };
    Ok(Some(match value {
        Value::Text(name) if label == NAME && is_wanted => Term::Name(name),
        _ if label == NAME => return Err("has to name one metric".to_owned()),
        value => Term::Matcher(Matcher {
            label,
            is_wanted,
            value,
        }),
    }))
}

fn quoted(cursor: &mut Cursor<'_>) -> Option<String> {
    if cursor.eat("`") {
        let text = cursor.take_while(|c| c != '`').to_owned();
        return cursor.eat("`").then_some(text);
    }
    cursor.quoted('"').or_else(|| cursor.quoted('\''))
}

#[cfg(test)]
mod tests {
    use super::super::exposition::samples;
    use super::*;

    const TEXT: &str = "queue 1\nqueue{name=\"a\"} 2\nqueue{name=\"b\",zone=\"x\"} 3\n\
                        queue{name=\"b\",zone=\"y\"} 4\nother 5\n{\"my.metric\"} 6\n";

    fn first(selector: &str) -> Option<f64> {
        let selector = Selector::parse(selector).unwrap();
        let mut samples = samples(TEXT).map(Result::unwrap);
        samples
            .find(|sample| selector.fits(sample))
            .map(|sample| sample.value)
    }

    #[test]
    fn the_first_sample_that_fits_is_meant() {
        for (selector, expected) in [
            ("queue", Some(1.0)),
            ("queue{}", Some(1.0)),
            ("queue{name=\"a\"}", Some(2.0)),
            ("queue{ name = 'b' , zone = `y` , }", Some(4.0)),
            ("queue{name!=\"a\",name!=\"\"}", Some(3.0)),
            ("queue{zone=~\"y|z\"}", Some(4.0)),
            ("queue{zone=~\"[xy]\",zone!~\"x.*\"}", Some(4.0)),
            ("queue{name=~\"b.\"}", None),
            ("queue{name=\"c\"}", None),
            ("{__name__=\"other\"}", Some(5.0)),
            ("{\"my.metric\"}", Some(6.0)),
            ("nothing", None),
        ] {
            assert_eq!(first(selector), expected, "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for selector in [
            "",
            "{}",
            "{name=\"a\"}",
            "queue{name=a}",
            "queue{name=\"a\"",
            "queue{name=\"a\"} > 1",
            "queue{name==\"a\"}",
            "sum(queue)",
            "queue[5m]",
            "queue{name=~\"(\"}",
            "queue{__name__=\"other\"}",
            "{__name__=~\"q.*\"}",
            "queue{name=\"a\" zone=\"x\"}",
        ] {
            assert!(Selector::parse(selector).is_err(), "{selector}");
        }
    }
}
