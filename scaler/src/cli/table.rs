//! Aligned columns.

use std::fmt::Write as _;

/// A colour of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Green,
    Yellow,
    Red,
    Grey,
}

impl Colour {
    /// The number of the colour in an escape sequence (ECMA-48, `SGR`).
    fn code(self) -> u8 {
        match self {
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Red => 31,
            Self::Grey => 90,
        }
    }
}

/// A cell: a text, and perhaps a colour.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    pub(super) fn coloured(text: impl Into<String>, colour: Option<Colour>) -> Self {
        // A line end would break the table, and other control characters the terminal.
        let text = text.into().replace(char::is_control, " ");
        Self { text, colour }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::coloured(text.to_string(), None)
    }
}

/// A table with a head. Columns are as wide as their widest cell, with two spaces in between.
pub(super) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(head: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            head: head.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Leaves the head out, for tables that go on.
    pub(super) fn without_head(mut self) -> Self {
        self.head.clear();
        self
    }

    /// The lines of the table, each with its end.
    pub(super) fn render(&self, colours: bool) -> String {
        let grey = |text: &&'static str| Cell::coloured(*text, Some(Colour::Grey));
        let head: Vec<Cell> = self.head.iter().map(grey).collect();
        let rows: Vec<&Vec<Cell>> = [&head]
            .into_iter()
            .chain(&self.rows)
            .filter(|row| !row.is_empty())
            .collect();
        let mut text = String::new();
        for row in &rows {
            let mut end = 0;
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| cell.width() > 0) {
                // Padding goes before a cell, so that no line ends in spaces.
                let start: usize = (0..column).map(|column| width(&rows, column) + 2).sum();
                write_cell(&mut text, start - end, cell, colours);
                end = start + cell.width();
            }
            text.push('\n');
        }
        text
    }
}

fn width(rows: &[&Vec<Cell>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    cells.map(Cell::width).max().unwrap_or(0)
}

fn write_cell(text: &mut String, padding: usize, cell: &Cell, colours: bool) {
    // Writing to a string does not fail.
    let _ = match cell.colour.filter(|_| colours) {
        Some(colour) => {
            let (code, cell) = (colour.code(), &cell.text);
            write!(text, "{:padding$}\x1b[{code}m{cell}\x1b[0m", "")
        }
        None => write!(text, "{:padding$}{}", "", cell.text),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["NAME", "N", "WHY"]);
        table.row([
            "a".into(),
            Cell::coloured("10", Some(Colour::Green)),
            "0 → 1".into(),
        ]);
        table.row(["longer".into(), 7.into(), "".into()]);
        table.row(["two\nlines".into(), "".into(), "x\x1b[2J".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_spaces() {
        let expected = "\
NAME       N   WHY
a          10  0 → 1
longer     7
two lines      x [2J
";
        assert_eq!(table().render(false), expected);
        let (_, rows) = expected.split_once('\n').unwrap();
        assert_eq!(table().without_head().render(false), rows);
    }

    #[test]
    fn colours_change_no_width() {
        let text = table().render(true);
        assert!(
            text.contains("a          \x1b[32m10\x1b[0m  0 → 1\n"),
            "{text}"
        );
    }

    #[test]
    fn an_empty_table_is_its_head() {
        assert_eq!(Table::new(["A", "B"]).render(false), "A  B\n");
        assert_eq!(Table::new([]).render(false), "");
    }
}
