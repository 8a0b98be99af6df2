//! Reads templates: text in which `${…}` is another value in each request.
//!
//! | written | becomes |
//! |---|---|
//! | `${sequence}` | the request's position in the run, from 0 |
//! | `${number(1, 100)}` | a whole number between the two, both included |
//! | `${uuid}` | a UUID of version 4 |
//! | `${letters(8)}` | so many letters and digits |
//! | `${oneOf(a, "b, c")}` | one of these |
//! | `$${` | `${` itself |

use std::fmt;

use bytes::Bytes;

use crate::nearest::suggestion;
use crate::plan::{Piece, Template};

/// What can be written between `${` and `}`.
const FUNCTIONS: [&str; 5] = ["sequence", "number", "uuid", "letters", "oneOf"];
/// The most letters that one place may have.
const MOST_LETTERS: usize = 65_536;

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateError {
    /// The position of the `${`, in characters from 1.
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.column, self.message)
    }
}

impl std::error::Error for TemplateError {}

/// Reads a template.
pub(crate) fn parse(text: &str) -> Result<Template, TemplateError> {
    let mut pieces = Pieces::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        pieces.text(before);
        if let Some(after) = from.strip_prefix("$${") {
            pieces.text("${");
            rest = after;
        } else if let Some(after) = from.strip_prefix("${") {
            let column = text[..text.len() - from.len()].chars().count() + 1;
            let wrong = |message| TemplateError { column, message };
            let end = closing(after).ok_or_else(|| {
                wrong(
                    "`${` is not closed with `}`; write `$${` for the characters themselves".into(),
                )
            })?;
            pieces.place(function(&after[..end]).map_err(wrong)?);
            rest = &after[end + 1..];
        } else {
            pieces.text("$");
            rest = &from[1..];
        }
    }
    pieces.text(rest);
    Ok(pieces.finish())
}

/// Where the `}` is that is not in quotes.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Text is joined, so that a template without places is one piece.
#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    text: String,
}

impl Pieces {
    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn place(&mut self, piece: Piece) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.done.push(Piece::Text(Bytes::from(text)));
        }
        self.done.push(piece);
    }

    fn finish(mut self) -> Template {
        let text = Bytes::from(self.text);
        if self.done.is_empty() {
            return Template::Fixed(text);
        }
        if !text.is_empty() {
            self.done.push(Piece::Text(text));
        }
        Template::Pieces(self.done)
    }
}

/// Reads `name` or `name(argument, …)`.
fn function(text: &str) -> Result<Piece, String> {
    let text = text.trim();
    let (name, arguments) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let inner = rest.strip_suffix(')');
            let inner = inner.ok_or_else(|| format!("`{text}` is not closed with `)`"))?;
            (name.trim_end(), Some(arguments(inner)?))
        }
    };
    match (name, arguments.as_deref()) {
        ("sequence", None) => Ok(Piece::Sequence),
        ("uuid", None) => Ok(Piece::Uuid),
        ("number", Some([low, high])) => number(low, high),
        ("letters", Some([count])) => letters(count),
        ("oneOf", Some(choices @ [_, ..])) => {
            let choices = choices.iter().map(|choice| Bytes::from(choice.clone()));
            Ok(Piece::OneOf(choices.collect()))
        }
        _ => Err(usage(name)),
    }
}

fn usage(name: &str) -> String {
    let usage = match name {
        "sequence" | "uuid" => return format!("`{name}` takes nothing: write ${{{name}}}"),
        "number" => "`number` takes two whole numbers: write ${number(1, 100)}",
        "letters" => "`letters` takes how many: write ${letters(8)}",
        "oneOf" => "`oneOf` takes what to choose from: write ${oneOf(a, b)}",
        _ => {
            let meant = suggestion(name, FUNCTIONS);
            let known = FUNCTIONS.join(", ");
            return format!(
                "`{name}` is not known{meant} (there are {known}); write `$${{` for the characters themselves"
            );
        }
    };
    usage.to_owned()
}

fn number(low: &str, high: &str) -> Result<Piece, String> {
    let whole = |text: &str| {
        let number = text.parse::<i64>();
        number.map_err(|_| format!("`{text}` is not a whole number: write ${{number(1, 100)}}"))
    };
    let (low, high) = (whole(low)?, whole(high)?);
    if low > high {
        return Err(format!(
            "`number` takes the lower number first: write ${{number({high}, {low})}}"
        ));
    }
    Ok(Piece::Number(low, high))
}

fn letters(count: &str) -> Result<Piece, String> {
    let count = count
        .parse()
        .ok()
        .filter(|count| (1..=MOST_LETTERS).contains(count));
    count.map(Piece::Letters).ok_or_else(|| {
        format!("`letters` takes how many, from 1 to {MOST_LETTERS}: write ${{letters(8)}}")
    })
}

/// Splits at commas; an argument in quotes may have them.
fn arguments(text: &str) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (argument, after) = if let Some(quoted) = rest.strip_prefix('"') {
            unquote(quoted)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (rest[..end].trim_end().to_owned(), &rest[end..])
        };
        arguments.push(argument);
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => return Ok(arguments),
            None => return Err(format!("after an argument comes `,` or `)`, not `{after}`")),
        }
    }
}

fn unquote(quoted: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((text, &quoted[at + 1..])),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                _ => return Err("after `\\` in quotes comes `\"` or `\\`".to_owned()),
            },
            other => text.push(other),
        }
    }
    Err("an argument in quotes is not closed with `\"`".to_owned())
}

#[cfg(test)]
mod tests;
