//! A file with times of arrival: comments that say where they are from, then a column of seconds.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use ebbtide_core::arrival::ScheduleSpec;
use ebbtide_core::duration::Span;

/// The first line, with the version of the format.
const FIRST_LINE: &str = "# ebbtide arrivals 1";

/// Whether this is what a [`Destination`] wrote.
pub(crate) fn is_arrivals(text: &str) -> bool {
    text.lines().next() == Some(FIRST_LINE)
}

/// Where times go.
pub(super) enum Destination {
    Nowhere,
    Stdout(BufWriter<io::Stdout>),
    File(Partial),
}

/// A file that gets its name once it is complete.
pub(super) struct Partial {
    path: PathBuf,
    /// Where it is until then.
    beside: PathBuf,
    out: BufWriter<File>,
    complete: bool,
}

impl Destination {
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        match path {
            None => Ok(Self::Nowhere),
            Some(path) if path == Path::new("-") => Ok(Self::Stdout(BufWriter::new(io::stdout()))),
            Some(path) => Partial::open(path).map(Self::File),
        }
    }

    fn out(&mut self) -> Option<&mut dyn Write> {
        match self {
            Self::Nowhere => None,
            Self::Stdout(out) => Some(out),
            Self::File(partial) => Some(&mut partial.out),
        }
    }

    /// Writes what is before the times.
    pub(super) fn begin(
        &mut self,
        spec: &ScheduleSpec,
        seed: u64,
        duration: Duration,
    ) -> io::Result<()> {
        let Some(out) = self.out() else {
            return Ok(());
        };
        writeln!(out, "{FIRST_LINE}")?;
        writeln!(out, "# made by: loadgen {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(out, "# spec: {}", serde_json::to_string(spec)?)?;
        writeln!(out, "# seed: {seed}")?;
        writeln!(out, "# duration: {}", Span(duration))?;
        writeln!(out, "seconds")
    }

    pub(super) fn write(&mut self, offset: Duration) -> io::Result<()> {
        let Some(out) = self.out() else {
            return Ok(());
        };
        writeln!(out, "{}.{:09}", offset.as_secs(), offset.subsec_nanos())
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Stdout(mut out) => match out.flush() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    Err(error).context("cannot write to stdout")
                }
                _ => Ok(()),
            },
            Self::File(partial) => partial.finish(),
        }
    }
}

impl Partial {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".partial");
        let beside = PathBuf::from(beside);
        let file = File::create(&beside);
        let file = file.with_context(|| format!("cannot write --out {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            out: BufWriter::new(file),
            complete: false,
        })
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let cannot = |path: &Path| format!("cannot write --out {}", path.display());
        self.out.flush().with_context(|| cannot(&self.path))?;
        fs::rename(&self.beside, &self.path).with_context(|| cannot(&self.path))?;
        self.complete = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.complete {
            // What is wrong was said already.
            let _ = fs::remove_file(&self.beside);
        }
    }
}
