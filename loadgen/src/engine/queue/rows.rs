//! Rows of a table of completions: they are read first and deleted then, so that none is lost with a connection.

/// The rows that were read and are not deleted yet.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<i64>);

impl Rows {
    /// Takes what is in the table, and returns the texts that were not read before.
    pub(super) fn read(&mut self, rows: Vec<(i64, Vec<u8>)>) -> Vec<Vec<u8>> {
        let before = std::mem::take(&mut self.0);
        let mut texts = Vec::with_capacity(rows.len());
        for (id, text) in rows {
            if !before.contains(&id) {
                texts.push(text);
            }
            self.0.push(id);
        }
        texts
    }

    /// Which these are.
    pub(super) fn ids(&self) -> &[i64] {
        &self.0
    }

    /// They are deleted.
    pub(super) fn deleted(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(i64, &str)]) -> Vec<(i64, Vec<u8>)> {
        let rows = rows.iter();
        rows.map(|(id, text)| (*id, text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_row_is_read_once_however_often_it_is_seen() {
        let mut all = Rows::default();
        assert_eq!(all.read(rows(&[(1, "a"), (2, "b")])), [b"a", b"b"]);
        assert_eq!(all.ids(), [1, 2]);
        // They could not be deleted, and another one has come.
        assert_eq!(all.read(rows(&[(1, "a"), (2, "b"), (3, "c")])), [b"c"]);
        assert_eq!(all.ids(), [1, 2, 3]);
        // The deletion was carried out, though nobody could say so.
        assert_eq!(all.read(rows(&[(4, "a")])), [b"a"]);
        assert_eq!(all.ids(), [4]);
        all.deleted();
        assert!(all.ids().is_empty());
    }
}
