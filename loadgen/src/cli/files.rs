//! The files that a report is written to.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::report::histogram;
use crate::report::model::{Distribution, Report};
use crate::report::{csv, hgrm, html};

/// Where else a report goes beside stdout.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct Files {
    /// The whole report, to be read back by `loadgen report` and `loadgen compare`
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// One page with pictures that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// The time line, a row for each second
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// The percentiles of the response time, as HdrHistogram's plotters read them
    #[arg(long, value_name = "FILE")]
    pub(crate) hgrm: Option<PathBuf>,
}

impl Files {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        [&self.json, &self.html, &self.csv, &self.hgrm]
            .iter()
            .all(|file| file.is_none())
    }

    /// Fails early where a file could not be made: a run is long, and its report would be lost.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for file in [&self.json, &self.html, &self.csv, &self.hgrm]
            .into_iter()
            .flatten()
        {
            let folder = file
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            anyhow::ensure!(
                folder.is_dir(),
                "{}: there is no folder {}",
                file.display(),
                folder.display()
            );
            anyhow::ensure!(
                !file.is_dir(),
                "{} is a folder; name a file in it",
                file.display()
            );
        }
        Ok(())
    }

    /// Writes them all, each as a whole.
    pub(crate) fn write(&self, report: &Report) -> anyhow::Result<()> {
        write(self.json.as_deref(), |out| write_json(report, out))?;
        write(self.html.as_deref(), |out| html::write(report, out))?;
        write(self.csv.as_deref(), |out| csv::write(report, out))?;
        if self.hgrm.is_some() {
            let times = report.total.response_time.as_ref().map(Distribution::times);
            let times = times.transpose()?.map_or_else(histogram::empty, Ok)?;
            write(self.hgrm.as_deref(), |out| {
                hgrm::write(&times, report.loop_kind, out)
            })?;
        }
        Ok(())
    }
}

/// The report as it is read back.
pub(crate) fn write_json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}

/// Makes it in memory first, so that no half of it replaces what was there.
fn write(
    file: Option<&Path>,
    make: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> anyhow::Result<()> {
    let Some(file) = file else {
        return Ok(());
    };
    let mut bytes = Vec::new();
    make(&mut bytes)
        .and_then(|()| std::fs::write(file, bytes))
        .with_context(|| format!("cannot write {}", file.display()))
}
