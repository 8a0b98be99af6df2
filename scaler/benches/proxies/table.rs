//! The table of a scenario.

use std::fmt;

/// What was measured once: the name of each figure, and the figure.
pub(crate) type Row = Vec<(&'static str, f64)>;

/// All rows of all proxies, in the order in which they came first.
#[derive(Default)]
pub(crate) struct Table(Vec<(String, Vec<Row>)>);

impl Table {
    pub(crate) fn add(&mut self, label: &str, row: Row) {
        match self.0.iter_mut().find(|(known, _)| known == label) {
            Some((_, rows)) => rows.push(row),
            None => self.0.push((label.to_owned(), vec![row])),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What could not be measured has left its row empty.
        let rows = self.0.iter().flat_map(|(_, rows)| rows);
        let Some(longest) = rows.max_by_key(|row| row.len()) else {
            return Ok(());
        };
        let names: Vec<_> = longest.iter().map(|(name, _)| *name).collect();
        writeln!(f, "| | {} |", names.join(" | "))?;
        writeln!(f, "|---|{}", "---|".repeat(names.len()))?;
        for (label, rows) in &self.0 {
            write!(f, "| {label} |")?;
            for name in &names {
                let of_name = |row: &Row| row.iter().find(|(of, _)| of == name).map(|(_, v)| *v);
                let mut values: Vec<f64> = rows.iter().filter_map(of_name).collect();
                values.sort_by(f64::total_cmp);
                write!(f, " {} |", spread(&values))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The median, the least and the most of sorted values.
fn spread(values: &[f64]) -> String {
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(least), Some(median), Some(most)) if values.len() > 1 => {
            format!("{} ({}–{})", shown(*median), shown(*least), shown(*most))
        }
        (Some(only), ..) => shown(*only),
        _ => "-".to_owned(),
    }
}

fn shown(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}
