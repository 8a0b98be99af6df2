//! Bytes into lines.

/// Bytes of a line that are kept.
const LONGEST: usize = 16 * 1024;

/// Cuts a stream of bytes into lines, however long those are.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    /// The line that has not ended yet.
    partial: Vec<u8>,
    /// Whether bytes of it were dropped.
    cut: bool,
}

impl LineSplitter {
    /// Takes more bytes and hands out each line that they end.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(String)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..end]);
            emit(self.take());
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    /// What was written after the last line's end, if anything.
    pub(super) fn finish(mut self) -> Option<String> {
        (!self.partial.is_empty()).then(|| self.take())
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = LONGEST - self.partial.len();
        self.cut |= bytes.len() > room;
        self.partial
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn take(&mut self) -> String {
        let bytes = self.partial.strip_suffix(b"\r").unwrap_or(&self.partial);
        let mut line = String::from_utf8_lossy(bytes).into_owned();
        if self.cut {
            line.push_str(" … (the rest of this line was cut at 16 KiB)");
        }
        self.partial.clear();
        self.cut = false;
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = LineSplitter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |line| lines.push(line));
        }
        lines.extend(splitter.finish());
        lines
    }

    #[test]
    fn lines_end_at_newlines_wherever_the_chunks_end() {
        let cases: &[(&[&[u8]], &[&str])] = &[
            (&[b""], &[]),
            (&[b"a\nb\n"], &["a", "b"]),
            (&[b"a\n", b"b"], &["a", "b"]),
            (&[b"a", b"b\r", b"\nc\r\n"], &["ab", "c"]),
            (&[b"\n\na"], &["", "", "a"]),
            (&[b"\xff\n"], &["\u{fffd}"]),
            (
                &["é".as_bytes().split_at(1).0, "é\n".as_bytes().split_at(1).1],
                &["é"],
            ),
        ];
        for (chunks, expected) in cases {
            assert_eq!(lines(chunks), *expected);
        }
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let long = vec![b'x'; LONGEST];
        let exact = lines(&[&long, b"\nnext\n"]);
        assert_eq!((exact[0].len(), exact[1].as_str()), (LONGEST, "next"));
        let over = lines(&[&long, b"y", &long, b"\nnext\n"]);
        assert!(over[0].starts_with(&"x".repeat(LONGEST)));
        assert!(over[0].ends_with("cut at 16 KiB)") && !over[0].contains('y'));
        assert_eq!(over[1], "next");
    }
}
