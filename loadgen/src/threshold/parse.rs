//! From text to a threshold, or to what is wrong with it and where.

use std::fmt;
use std::ops::Range;

use super::Threshold;
use super::metric::{self, Metric, Subject};
use super::scan::{Word, scan};
use crate::nearest::suggestion;

/// The longest expression that is read, in bytes.
const LONGEST: usize = 1024;

/// What is wrong with an expression, with a mark under the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThresholdError {
    expression: String,
    /// In bytes, on the boundaries of characters.
    at: Range<usize>,
    message: String,
}

impl ThresholdError {
    pub(super) fn new(expression: &str, at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            expression: expression.to_owned(),
            at,
            message: message.into(),
        }
    }
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line break in an expression would separate the mark from its place.
        let expression = self.expression.replace(['\n', '\r', '\t'], " ");
        let before = expression[..self.at.start].chars().count();
        let marked = expression[self.at.clone()].chars().count().max(1);
        let (gap, mark) = (" ".repeat(before), "^".repeat(marked));
        write!(f, "{}\n  {expression}\n  {gap}{mark}", self.message)
    }
}

impl std::error::Error for ThresholdError {}

impl Threshold {
    /// Reads an expression.
    pub(crate) fn parse(expression: &str) -> Result<Self, ThresholdError> {
        if expression.len() > LONGEST {
            let message = format!("an expression has at most {LONGEST} bytes");
            return Err(ThresholdError::new("", 0..0, message));
        }
        let parts = scan(expression)?;
        let metric = parse_metric(expression, &parts.words)?;
        let bound = (metric.unit().read(&parts.bound.text))
            .map_err(|message| ThresholdError::new(expression, parts.bound.at, message))?;
        Ok(Self {
            expression: expression.trim().to_owned(),
            metric,
            operator: parts.operator,
            bound,
        })
    }
}

fn parse_metric(expression: &str, words: &[Word]) -> Result<Metric, ThresholdError> {
    let end = words.last().map_or(0, |word| word.at.end);
    let (subject, rest) = match words {
        [kind, rest @ ..] if Subject::KINDS.contains(&kind.text.as_str()) => {
            let [name, rest @ ..] = rest else {
                let message = format!("`{}` needs a name and a figure: {0}.NAME.p99", kind.text);
                return Err(ThresholdError::new(expression, kind.at.clone(), message));
            };
            let subject = Subject::new(&kind.text, &name.text).unwrap_or(Subject::All);
            (subject, rest)
        }
        all => (Subject::All, all),
    };
    let figure = match rest {
        [] => None,
        [only] => metric::figure(&subject, &only.text, None),
        [first, second] => metric::figure(&subject, &first.text, Some(&second.text)),
        [_, _, third, ..] => {
            let message = "nothing can follow here but a comparison";
            return Err(ThresholdError::new(
                expression,
                third.at.start..end,
                message,
            ));
        }
    };
    match figure {
        Some(figure) => Ok(Metric { subject, figure }),
        None => Err(unknown(expression, &subject, rest, end)),
    }
}

fn unknown(expression: &str, subject: &Subject, words: &[Word], end: usize) -> ThresholdError {
    let first_known = metric::known(subject, None);
    let Some(first) = words.first() else {
        let message = format!("here a figure is missing: {}", listed(&first_known));
        return ThresholdError::new(expression, end..end, message);
    };
    let after_first = metric::known(subject, Some(&first.text));
    let (word, known) = match words.get(1) {
        Some(second) if !after_first.is_empty() => (second, after_first),
        Some(second) if first_known.contains(&first.text.as_str()) => {
            let message = format!("`{}` has no parts", first.text);
            return ThresholdError::new(expression, second.at.clone(), message);
        }
        None if !after_first.is_empty() => {
            let message = format!("`{}` needs one of: {}", first.text, listed(&after_first));
            return ThresholdError::new(expression, first.at.clone(), message);
        }
        _ => (first, first_known),
    };
    let meant = suggestion(&word.text, known.iter().copied());
    let message = if meant.is_empty() {
        format!("`{}` is no metric; there are {}", word.text, listed(&known))
    } else {
        format!("`{}` is no metric{meant}", word.text)
    };
    ThresholdError::new(expression, word.at.clone(), message)
}

fn listed(known: &[&str]) -> String {
    known.join(", ")
}
