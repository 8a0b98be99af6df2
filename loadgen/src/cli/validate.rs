//! `loadgen validate`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::Output;
use crate::exit;
use crate::scenario::{self, Placed, Prepared, Resolve};

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The form of what is printed
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// What was found of a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
    errors: Vec<Placed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    name: String,
    load: String,
    /// About how many; none of a closed loop.
    expected_requests: Option<f64>,
    targets: Vec<String>,
    thresholds: Vec<String>,
}

/// Checks the files and prints what was found, what is wrong to `errors` where it is for people. Returns the code to
/// exit with.
pub(crate) fn run(
    arguments: &ValidateArgs,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> anyhow::Result<u8> {
    let files = arguments.files.iter();
    let checked: Vec<_> = files.map(|file| Checked::new(file)).collect();
    super::unless_nobody_reads(print(&checked, arguments.output, out, errors))?;
    let valid = checked.iter().all(|file| file.valid);
    Ok(if valid {
        exit::GOOD
    } else {
        exit::SET_UP_ERROR
    })
}

fn print(
    checked: &[Checked],
    output: Output,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<()> {
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, checked)?;
            writeln!(out)
        }
        Output::Text => checked.iter().try_for_each(|file| file.print(out, errors)),
    }
}

impl Checked {
    fn new(file: &Path) -> Self {
        let (summary, errors) = match scenario::load(file, Resolve::Nothing, |_| {}) {
            Ok(prepared) => (Some(Summary::new(&prepared)), Vec::new()),
            Err(error) => (None, error.0),
        };
        Self {
            file: file.display().to_string(),
            valid: errors.is_empty(),
            summary,
            errors,
        }
    }

    fn print(&self, out: &mut dyn Write, errors: &mut dyn Write) -> io::Result<()> {
        for error in &self.errors {
            writeln!(errors, "{error}")?;
        }
        if let Some(Summary {
            name,
            load,
            expected_requests,
            targets,
            thresholds,
        }) = &self.summary
        {
            writeln!(out, "{}: valid", self.file)?;
            writeln!(out, "  name        {name}")?;
            writeln!(out, "  load        {load}")?;
            if let Some(expected) = expected_requests {
                writeln!(out, "  requests    about {expected:.0}")?;
            }
            writeln!(out, "  targets     {}", targets.join(", "))?;
            if !thresholds.is_empty() {
                writeln!(out, "  thresholds  {}", thresholds.join(", "))?;
            }
        }
        Ok(())
    }
}

impl Summary {
    fn new(prepared: &Prepared) -> Self {
        let targets = prepared.plan.targets.iter();
        let thresholds = prepared.thresholds.iter();
        Self {
            name: prepared.plan.name.clone(),
            load: prepared.load.clone(),
            expected_requests: prepared.expected_requests,
            targets: targets.map(|target| target.name.clone()).collect(),
            thresholds: thresholds
                .map(|threshold| threshold.expression.clone())
                .collect(),
        }
    }
}
