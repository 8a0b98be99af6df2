//! Scenarios: what people write, as a file or as flags, and what a run makes of it.

mod build;
pub(crate) mod document;
mod endpoint;
mod headers;
mod positions;
mod problem;
mod read;
mod template;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::files::Files;
use crate::plan::Plan;
use crate::threshold::Threshold;

pub(crate) use self::build::{Resolve, prepare};
pub(crate) use self::document::Document;
pub(crate) use self::headers::Headers;
pub(crate) use self::problem::{Origin, Placed, ScenarioError};

/// A checked scenario.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    /// The load in words: `poisson 50/s for 60s`.
    pub(crate) load: String,
    /// About how many requests there will be; none of a closed loop.
    pub(crate) expected_requests: Option<f64>,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) observe: Option<Observe>,
    /// A folder for such files, which is made if it is not there.
    pub(crate) folder: Option<PathBuf>,
    /// Files that the report is written to.
    pub(crate) outputs: Files,
}

/// An autoscaler to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observe {
    pub(crate) what: Observed,
    /// How long to go on after the last answer, or until no replica is left.
    pub(crate) after: Duration,
}

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// By the URL of Ebbtide's status API.
    Ebbtide(String),
    /// Whoever scales this Deployment.
    Kubernetes {
        namespace: String,
        deployment: String,
    },
}

/// The longest scenario that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads and checks a scenario file. What `change` does to its document, flags beside the file do.
pub(crate) fn load(
    file: &Path,
    resolve: Resolve,
    change: impl FnOnce(&mut Document),
) -> Result<Prepared, ScenarioError> {
    let name = file.display().to_string();
    let alone = |message: String| {
        ScenarioError(vec![Placed {
            file: Some(name.clone()),
            position: None,
            field: String::new(),
            message,
        }])
    };
    let size =
        std::fs::metadata(file).map_err(|error| alone(format!("cannot be read: {error}")))?;
    if size.len() > MAX_BYTES {
        return Err(alone("a scenario has at most 1 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| alone(format!("cannot be read: {error}")))?;
    let (mut document, positions) = read::read(&name, &text)?;
    if document.name.is_none() {
        document.name = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
    }
    change(&mut document);
    let origin = Origin::File {
        name: &name,
        positions: &positions,
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    prepare(document, folder, resolve, &origin)
}

/// The JSON schema of scenario files.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

#[cfg(test)]
mod tests;
