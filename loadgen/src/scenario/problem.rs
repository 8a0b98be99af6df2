//! What is wrong with a scenario: everything at once, each with its place.

use std::fmt;

use super::positions::Positions;

/// Something wrong, by the path of its field: `targets[1].url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Collects what is wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem {
            path: path.into(),
            message: message.into(),
        });
    }

    /// The value, or nothing and one problem more.
    pub(crate) fn take<T, E: fmt::Display>(
        &mut self,
        path: impl Into<String>,
        result: Result<T, E>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(path, format!("{error:#}"));
                None
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems as an error, each placed by `origin`, in the order of the file.
    pub(crate) fn into_error(self, origin: &Origin<'_>) -> ScenarioError {
        let placed = self.0.iter().map(|problem| origin.place(problem));
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by_key(|problem| problem.position);
        ScenarioError(placed)
    }
}

/// Where a scenario came from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    /// A file.
    File {
        name: &'a str,
        positions: &'a Positions,
    },
    /// Flags.
    CommandLine,
}

impl Origin<'_> {
    fn place(&self, problem: &Problem) -> Placed {
        let Problem { path, message } = problem;
        let (file, position, field) = match self {
            Self::File { name, positions } => {
                (Some((*name).to_owned()), positions.find(path), path.clone())
            }
            Self::CommandLine => (None, None, flag(path)),
        };
        Placed {
            file,
            position,
            field,
            message: message.clone(),
        }
    }
}

/// The flag that a field of a scenario is on the command line.
fn flag(path: &str) -> String {
    let field = path.trim_start_matches("targets[0].");
    let flag = match field {
        "url" => "URL",
        "headers" => "--header",
        "version" => "--http2",
        "checks" => "--check-status",
        "tls" => "--ca or --insecure",
        "tls.ca" => "--ca",
        "bodyFile" => "--body-file",
        "countHeader" => "--count-header",
        "validity.latenessP99" => "--lateness-limit",
        "outputs.folder" => "--out",
        "observe.ebbtide" => "--observe",
        "observe.after" => "--observe-after",
        _ if field.starts_with("observe.kubernetes") => "--observe-kubernetes",
        _ if field.starts_with("headers.") => "--header",
        _ if field.starts_with("checks[") => "--check-status",
        _ if field.starts_with("thresholds[") => "--threshold",
        _ if field.starts_with("connections") => "--connections",
        "closed.clients" => "--closed",
        "closed.duration" => "--duration",
        _ if field.starts_with("schedule.") || field.starts_with("outputs.") => {
            return format!("--{}", field.rsplit('.').next().unwrap_or(field));
        }
        _ => return format!("--{field}"),
    };
    flag.to_owned()
}

/// Something wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Placed {
    pub(crate) file: Option<String>,
    /// Line and column, from 1.
    pub(crate) position: Option<(u64, u64)>,
    pub(crate) field: String,
    pub(crate) message: String,
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some((line, column)) = self.position {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// All that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScenarioError(pub(crate) Vec<Placed>);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioError {}
