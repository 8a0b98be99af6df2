//! Schedules of arrivals, apart from any run: what is in one, and its times in a file.

mod file;
mod progress;
mod summary;
mod text;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use ebbtide_core::arrival::{Process, ScheduleSpec};
use ebbtide_core::duration::Span;

use self::file::Destination;
pub(crate) use self::file::is_arrivals;
use self::progress::Progress;
use self::summary::{Counting, Summary};
use crate::cli::{Output, ScheduleArgs};
use crate::clock::RunClock;

/// The largest file of a description or recording, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// The most requests that are expected of a schedule.
const MAX_REQUESTS: f64 = 1e10;

/// Makes the schedule, writes its times if they are wanted, and says what is in it.
pub(crate) fn run(arguments: &ScheduleArgs) -> anyhow::Result<()> {
    let (spec, folder) = arguments.spec()?;
    let process = spec.process(files_in(folder))?;
    let expected = process.expected_requests();
    ensure!(
        expected <= MAX_REQUESTS,
        "about {expected:.0} requests are too many: at most {MAX_REQUESTS:.0} can be made here"
    );
    let destination = Destination::open(arguments.out.as_deref())?;
    let summary = match make(&spec, &process, arguments, destination) {
        // Whoever read what was written has enough.
        Err(error) if is_broken_pipe(&error) => return Ok(()),
        summary => summary?,
    };
    let to_stderr = arguments.out.as_deref() == Some(Path::new("-"));
    let written = if to_stderr {
        print(&summary, arguments.output, &mut io::stderr().lock())
    } else {
        print(&summary, arguments.output, &mut io::stdout().lock())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the summary")
        }
        _ => Ok(()),
    }
}

fn make(
    spec: &ScheduleSpec,
    process: &Process,
    arguments: &ScheduleArgs,
    mut destination: Destination,
) -> anyhow::Result<Summary> {
    let (seed, duration) = (arguments.seed, process.duration());
    let clock = RunClock::start();
    let mut progress = Progress::new(arguments.quiet, duration);
    let mut counting = Counting::new(duration);
    let cannot = "cannot write the times";
    destination.begin(spec, seed, duration).context(cannot)?;
    for offset in process.schedule(seed) {
        counting.add(offset);
        destination.write(offset).context(cannot)?;
        if progress.looks() {
            progress.show(clock.elapsed(), offset, counting.requests());
        }
    }
    progress.clear();
    destination.finish().context(cannot)?;
    Ok(counting.summary(spec.clone(), seed, process.expected_requests()))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn print(summary: &Summary, output: Output, out: &mut dyn Write) -> io::Result<()> {
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, summary)?;
            writeln!(out)?;
        }
        Output::Text => text::write(summary, out)?,
    }
    out.flush()
}

/// Reads the files that a description names, relative to the folder it is in.
pub(crate) fn files_in(folder: PathBuf) -> impl FnMut(&str) -> Result<String, String> {
    move |file| read_file(&folder.join(file)).map_err(|error| format!("{error:#}"))
}

/// The text of a file that is not too large.
pub(crate) fn read_file(file: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {}", file.display());
    let size = fs::metadata(file).with_context(cannot)?.len();
    ensure!(
        size <= MAX_FILE,
        "{} is too large: {size} bytes are more than {MAX_FILE}",
        file.display()
    );
    fs::read_to_string(file).with_context(cannot)
}

/// A time or duration as people write it.
fn span(seconds: f64) -> String {
    let duration = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Span(duration).to_string()
}
