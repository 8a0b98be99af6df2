//! `loadgen validate`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Output;
use crate::scenario::{self, Placed, Prepared, Resolve, ScenarioError};

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

/// Checks the files and prints what was found, errors to `errors` where it is for people. False if one is wrong.
pub(crate) fn validate(
    arguments: &ValidateArgs,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<bool> {
    let checked: Vec<_> = arguments
        .files
        .iter()
        .map(|file| {
            let found = scenario::load(file, Resolve::Nothing, |_| {});
            Checked::new(file.display().to_string(), found)
        })
        .collect();
    match arguments.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, &checked)?;
            writeln!(out)?;
        }
        Output::Text => {
            for file in &checked {
                file.print(out, errors)?;
            }
        }
    }
    Ok(checked.iter().all(|file| file.valid))
}

impl Checked {
    fn new(file: String, found: Result<Prepared, ScenarioError>) -> Self {
        let (summary, errors) = match found {
            Ok(prepared) => (Some(Summary::new(&prepared)), Vec::new()),
            Err(error) => (None, error.0),
        };
        Self {
            file,
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
