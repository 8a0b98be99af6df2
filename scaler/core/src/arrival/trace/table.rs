//! The rows and columns of CSV text.

use std::borrow::Cow;
use std::time::Duration;

use super::TraceError;
use super::time::Time;
use crate::arrival::spec::Column;
use crate::duration;

/// Begins a line that is not part of the table.
const COMMENT: char = '#';
/// Begins the comment that says how long a recording is.
const DURATION: &str = "# duration:";

/// CSV text: comments, names of columns unless the first row has a number or time in its first
/// column, then rows. Cells are separated by what the first row has of comma, semicolon and tab.
pub(super) struct Table<'a> {
    text: &'a str,
    separator: char,
    /// The line of the first row.
    first_line: usize,
    names: Option<Vec<Cow<'a, str>>>,
    width: usize,
}

/// One row.
pub(super) struct Row<'a> {
    pub(super) line: usize,
    cells: Vec<Cow<'a, str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, TraceError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = lines(text);
        let Some((first_line, head)) = lines.next() else {
            let problem = "there is nothing in it".to_owned();
            return Err(TraceError { line: 1, problem });
        };
        let separator = [',', ';', '\t'].into_iter().find(|c| head.contains(*c));
        let separator = separator.unwrap_or(',');
        let cells = cells(head, separator, first_line)?;
        let width = cells.len();
        let named = cells.first().is_none_or(|cell| Time::parse(cell).is_none());
        Ok(Self {
            text,
            separator,
            first_line,
            names: named.then_some(cells),
            width,
        })
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// An error about the table as a whole.
    pub(super) fn wrong(&self, problem: String) -> TraceError {
        let line = self.first_line;
        TraceError { line, problem }
    }

    /// The position of a column, from 0 on.
    pub(super) fn find(&self, Column(column): &Column) -> Result<usize, TraceError> {
        let names = self.names.as_deref().unwrap_or_default();
        if let Some(position) = names.iter().position(|name| name == column) {
            return Ok(position);
        }
        let number = column.parse::<usize>().ok();
        let position = number.and_then(|number| number.checked_sub(1));
        position
            .filter(|position| *position < self.width)
            .ok_or_else(|| {
                self.wrong(format!(
                    "there is no column `{column}`, there are {}",
                    self.columns()
                ))
            })
    }

    fn columns(&self) -> String {
        let names = self.names.as_ref().map(|names| names.join(", "));
        names.unwrap_or_else(|| format!("1 to {}", self.width))
    }

    pub(super) fn ambiguous(&self) -> TraceError {
        self.wrong(format!(
            "column should say which has the numbers of requests: {}",
            self.columns()
        ))
    }

    /// The column, if what the first row has in it is as asked.
    pub(super) fn first_has(&self, column: usize, asked: impl Fn(&str) -> bool) -> Option<usize> {
        let row = self.rows().next()?.ok()?;
        asked(row.cell(column).ok()?).then_some(column)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Result<Row<'a>, TraceError>> {
        let separator = self.separator;
        lines(self.text)
            .skip(usize::from(self.names.is_some()))
            .map(move |(line, text)| {
                let cells = cells(text, separator, line)?;
                Ok(Row { line, cells })
            })
    }

    /// How long a comment before the rows says that the recording is, and the comment's line.
    pub(super) fn duration(&self) -> Result<Option<(usize, Duration)>, TraceError> {
        for (line, text) in (1..self.first_line).zip(self.text.lines()) {
            if let Some(written) = text.strip_prefix(DURATION) {
                let duration = duration::parse(written).map_err(|error| TraceError {
                    line,
                    problem: format!("`{}` is not a duration: {error}", written.trim()),
                })?;
                return Ok(Some((line, duration)));
            }
        }
        Ok(None)
    }
}

impl Row<'_> {
    /// A cell without the space around it.
    pub(super) fn cell(&self, column: usize) -> Result<&str, TraceError> {
        let cell = self.cells.get(column);
        cell.map(AsRef::as_ref).ok_or_else(|| {
            self.wrong(format!(
                "there are {} columns, and none is number {}",
                self.cells.len(),
                column + 1
            ))
        })
    }

    pub(super) fn wrong(&self, problem: String) -> TraceError {
        let line = self.line;
        TraceError { line, problem }
    }
}

/// Lines that are neither empty nor comments, with their numbers from 1 on.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with(COMMENT))
}

/// The cells of a line, which may be in double quotes (RFC 4180, but for line breaks in them).
fn cells(line: &str, separator: char, number: usize) -> Result<Vec<Cow<'_, str>>, TraceError> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let quoted = rest.trim_start_matches(' ').strip_prefix('"');
        let (cell, after) = match quoted {
            None => {
                let end = rest.find(separator).unwrap_or(rest.len());
                (Cow::Borrowed(rest[..end].trim()), &rest[end..])
            }
            Some(inside) => quoted_cell(inside, separator).ok_or_else(|| TraceError {
                line: number,
                problem: "a cell that begins with a quote should end with one".to_owned(),
            })?,
        };
        found.push(cell);
        match after.strip_prefix(separator) {
            Some(next) => rest = next,
            None => return Ok(found),
        }
    }
}

/// A cell up to its closing quote, and what follows. Two quotes in it are one.
fn quoted_cell(inside: &str, separator: char) -> Option<(Cow<'_, str>, &str)> {
    let mut from = 0;
    loop {
        let end = from + inside[from..].find('"')?;
        let after = &inside[end + 1..];
        if after.starts_with('"') {
            from = end + 2;
            continue;
        }
        let after = after.trim_matches(' ');
        if !after.is_empty() && !after.starts_with(separator) {
            return None;
        }
        let cell = &inside[..end];
        let cell = if cell.contains('"') {
            Cow::Owned(cell.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(cell)
        };
        return Some((cell, after));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_what_is_between_separators() {
        for (line, expected) in [
            ("", vec![""]),
            ("1,2", vec!["1", "2"]),
            (" 1 , 2,", vec!["1", "2", ""]),
            ("\"a,b\",2", vec!["a,b", "2"]),
            ("x, \"a \"\"b\"\"\" ,2", vec!["x", "a \"b\"", "2"]),
            ("\"\",é", vec!["", "é"]),
        ] {
            assert_eq!(cells(line, ',', 1).unwrap(), expected, "{line}");
        }
        for line in ["\"a", "\"a\"b,c", "1,\""] {
            let error = cells(line, ',', 7).unwrap_err().to_string();
            assert!(error.starts_with("line 7: a cell"), "{line}: {error}");
        }
    }

    proptest! {
        #[test]
        fn cells_are_found_again(cells in prop::collection::vec("[a-z\",; é]{0,5}", 1..5)) {
            let quoted = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
            let line = quoted.collect::<Vec<_>>().join(";");
            prop_assert_eq!(super::cells(&line, ';', 1).unwrap(), cells);
        }

        #[test]
        fn any_line_is_read_or_refused(line in "[\"a,1 é]{0,20}") {
            let _ = super::cells(&line, ',', 1);
        }
    }
}
