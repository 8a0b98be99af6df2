//! A file with times of arrival: comments that say where they are from, then a column of seconds.

use std::fs::{self, File, OpenOptions};
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
    /// What is there already and is not a regular file: stdout, a pipe, a device.
    Stream(BufWriter<Box<dyn Write>>),
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
        let Some(path) = path else {
            return Ok(Self::Nowhere);
        };
        if path == Path::new("-") {
            return Ok(Self::Stream(BufWriter::new(Box::new(io::stdout()))));
        }
        // A link stays, and what it leads to is written.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let cannot = || format!("cannot write --out {}", path.display());
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            let stream = OpenOptions::new().write(true).open(&path);
            let stream = stream.with_context(cannot)?;
            return Ok(Self::Stream(BufWriter::new(Box::new(stream))));
        }
        Partial::open(&path).map(Self::File).with_context(cannot)
    }

    fn out(&mut self) -> Option<&mut dyn Write> {
        match self {
            Self::Nowhere => None,
            Self::Stream(out) => Some(out),
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

    /// Everything is written. A file has its name from here on.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Stream(mut out) => out.flush(),
            Self::File(partial) => partial.finish(),
        }
    }
}

impl Partial {
    fn open(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".partial");
        let beside = PathBuf::from(beside);
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::new(File::create(&beside)?),
            beside,
            complete: false,
        })
    }

    fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        fs::rename(&self.beside, &self.path)?;
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
