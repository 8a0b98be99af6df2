//! Standard output, as a table or as JSON.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::failure::output_error;
use super::table::Table;

/// What a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// Aligned columns, for people.
    #[default]
    Table,
    /// What the status API answers, for programs.
    Json,
}

/// Where a command prints, and how.
pub(super) struct Output<'w> {
    writer: &'w mut dyn Write,
    format: OutputFormat,
    colours: bool,
}

/// Whether the user wants colours where there can be any: `NO_COLOR` is not set.
pub fn colours_wanted() -> bool {
    let is_empty = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    is_empty("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

pub(super) fn colours_wanted_on_stdout() -> bool {
    io::stdout().is_terminal() && colours_wanted()
}

impl<'w> Output<'w> {
    pub(super) fn new(writer: &'w mut dyn Write, format: OutputFormat, colours: bool) -> Self {
        Self {
            writer,
            format,
            colours,
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Prints one line.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> anyhow::Result<()> {
        writeln!(self.writer, "{}", text.as_ref()).map_err(output_error)
    }

    pub(super) fn table(&mut self, table: &Table) -> anyhow::Result<()> {
        let text = table.render(self.colours);
        self.writer.write_all(text.as_bytes()).map_err(output_error)
    }

    /// Prints a value over several lines.
    pub(super) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(serde_json::to_string_pretty(value)?)
    }

    /// Prints a value on one line, at once, for what goes on.
    pub(super) fn json_line(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(serde_json::to_string(value)?)?;
        self.flush()
    }

    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.writer.flush().map_err(output_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit_code;

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_a_quiet_success_and_a_full_disk_is_not() {
        for (kind, code) in [
            (io::ErrorKind::BrokenPipe, 0),
            (io::ErrorKind::StorageFull, 1),
        ] {
            let mut closed = Closed(kind);
            let mut output = Output::new(&mut closed, OutputFormat::Table, false);
            assert_eq!(exit_code(&output.line("text").unwrap_err()), code);
        }
    }
}
