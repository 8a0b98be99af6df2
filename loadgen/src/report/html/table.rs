//! Tables that scroll on their own where there is little room.

use super::escape::escape;

/// A table; cells are HTML.
#[derive(Clone, Debug)]
pub(super) struct Table {
    caption: String,
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A cell of text.
pub(super) fn cell(text: &str) -> String {
    format!("<td>{}</td>", escape(text))
}

/// A cell of a number.
pub(super) fn number_cell(text: &str) -> String {
    format!("<td class=\"number\">{}</td>", escape(text))
}

/// A cell of a number that should be 0.
pub(super) fn fault_cell(count: u64) -> String {
    let class = if count > 0 { "number fault" } else { "number" };
    format!(
        "<td class=\"{class}\">{}</td>",
        crate::report::words::count(count)
    )
}

impl Table {
    pub(super) fn new(caption: &str, titles: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            titles: titles.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// The first cell is the row's name.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(super) fn html(&self) -> String {
        let numeric = |column: usize| {
            let cell = self.rows.first().and_then(|row| row.get(column));
            cell.is_some_and(|cell| cell.starts_with("<td class=\"number"))
        };
        let titles = self.titles.iter().enumerate().map(|(column, title)| {
            let class = if numeric(column) {
                " class=\"number\""
            } else {
                ""
            };
            match title.as_str() {
                "" => "<td></td>".to_owned(),
                title => format!("<th scope=\"col\"{class}>{}</th>", escape(title)),
            }
        });
        let titles: String = titles.collect();
        let rows = self.rows.iter().map(|row| {
            let mut cells = row.iter();
            let name = cells.next().map(|first| {
                first
                    .replacen("<td", "<th scope=\"row\"", 1)
                    .replace("</td>", "</th>")
            });
            format!(
                "<tr>{}{}</tr>\n",
                name.unwrap_or_default(),
                cells.cloned().collect::<String>()
            )
        });
        format!(
            "<div class=\"wide\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table><caption>{caption}</caption>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
            rows.collect::<String>(),
            caption = escape(&self.caption),
        )
    }
}
