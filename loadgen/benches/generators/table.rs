//! The table of a part.

use std::fmt;

use serde_json::{Value, json};

/// What was measured once: the name of each figure, and the figure.
pub(crate) type Row = Vec<(&'static str, f64)>;

/// All rows of everything that was measured, in the order in which it came first.
#[derive(Default)]
pub(crate) struct Table(Vec<(String, Vec<Row>)>);

impl Table {
    pub(crate) fn add(&mut self, label: &str, row: Row) {
        match self.0.iter_mut().find(|(known, _)| known == label) {
            Some((_, rows)) => rows.push(row),
            None => self.0.push((label.to_owned(), vec![row])),
        }
    }

    /// Every round.
    pub(crate) fn to_json(&self) -> Value {
        fn round(row: &Row) -> Value {
            row.iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect()
        }
        let rows = |(label, rows): &(String, Vec<Row>)| {
            let rounds: Vec<_> = rows.iter().map(round).collect();
            json!({ "name": label, "rounds": rounds })
        };
        self.0.iter().map(rows).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
                let values = rows.iter().filter_map(of_name);
                let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
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
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
