//! Takes an expression apart: words between dots, then an operator, then the rest.

use std::ops::Range;

use super::Operator;
use super::parse::ThresholdError;

/// A word of a metric, and where it is in the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

/// An expression in its parts; places are in bytes.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) words: Vec<Word>,
    pub(super) operator: Operator,
    pub(super) bound: Word,
}

/// Takes `expression` apart.
pub(super) fn scan(expression: &str) -> Result<Parts, ThresholdError> {
    let mut words = Vec::new();
    let mut at = skip_spaces(expression, 0);
    loop {
        let word = word(expression, at)?;
        at = word.at.end;
        words.push(word);
        if !expression[at..].starts_with('.') {
            break;
        }
        at += 1;
    }
    at = skip_spaces(expression, at);
    let rest = &expression[at..];
    let found = Operator::ALL
        .iter()
        .find(|(sign, _)| rest.starts_with(sign));
    let Some((sign, operator)) = found else {
        return Err(no_operator(expression, at));
    };
    let from = skip_spaces(expression, at + sign.len());
    let until = expression.trim_end().len().max(from);
    let bound = Word {
        text: expression[from..until].to_owned(),
        at: from..until,
    };
    Ok(Parts {
        words,
        operator: *operator,
        bound,
    })
}

fn no_operator(expression: &str, at: usize) -> ThresholdError {
    let message = if expression[at..].starts_with('=') {
        "`=` is written `==`"
    } else {
        "here a comparison is missing: one of <, <=, >, >=, ==, !="
    };
    let length = expression[at..].chars().next().map_or(0, char::len_utf8);
    ThresholdError::new(expression, at..at + length, message)
}

/// A name as it is, or anything in quotes.
fn word(expression: &str, from: usize) -> Result<Word, ThresholdError> {
    let rest = &expression[from..];
    if let Some(quoted) = rest.strip_prefix('"') {
        return quoted_word(expression, from, quoted);
    }
    let mut length = rest.find(|c: char| !is_plain(c)).unwrap_or(rest.len());
    if length == 0 {
        let width = rest.chars().next().map_or(0, char::len_utf8);
        return Err(ThresholdError::new(
            expression,
            from..from + width,
            "here a metric is missing, such as p99, lost or timeToZero",
        ));
    }
    length += fraction(&rest[..length], &rest[length..]);
    Ok(Word {
        text: rest[..length].to_owned(),
        at: from..from + length,
    })
}

/// How long `.9` is after `p99`.
fn fraction(word: &str, after: &str) -> usize {
    let is_percentile = word
        .strip_prefix('p')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let digits = after.strip_prefix('.').map_or(0, |digits| {
        digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len())
    });
    if is_percentile && digits > 0 {
        digits + 1
    } else {
        0
    }
}

fn quoted_word(expression: &str, from: usize, quoted: &str) -> Result<Word, ThresholdError> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                return Ok(Word {
                    text,
                    at: from..from + at + 2,
                });
            }
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                _ => break,
            },
            other => text.push(other),
        }
    }
    Err(ThresholdError::new(
        expression,
        from..expression.len(),
        "this name does not end: close it with \"; inside it write \\\" and \\\\",
    ))
}

/// What a name may have without quotes.
pub(super) fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_')
}

fn skip_spaces(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start().len()
}
