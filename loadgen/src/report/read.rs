//! Reports that were written before.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::model::{Report, VERSION};

/// Why a report cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// It is no report.
    #[error(
        "{} is not a report: {error}; `loadgen run … --json FILE` writes one",
        path.display()
    )]
    Form {
        path: PathBuf,
        error: serde_json::Error,
    },
    /// It is one of another time.
    #[error(
        "{}: schemaVersion is {found}, and this loadgen reads {VERSION}; use the loadgen that wrote it",
        path.display()
    )]
    Version { path: PathBuf, found: u32 },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    schema_version: u32,
}

/// Reads a report.
pub(crate) fn read(path: &Path) -> Result<Report, ReadError> {
    let text = std::fs::read_to_string(path).map_err(|error| ReadError::File {
        path: path.to_owned(),
        error,
    })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Report, ReadError> {
    let form = |error| ReadError::Form {
        path: path.to_owned(),
        error,
    };
    let Versioned { schema_version } = serde_json::from_str(text).map_err(form)?;
    if schema_version != VERSION {
        return Err(ReadError::Version {
            path: path.to_owned(),
            found: schema_version,
        });
    }
    serde_json::from_str(text).map_err(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_says_where() {
        for (text, words) in [
            ("", "EOF while parsing a value at line 1"),
            ("{}", "missing field `schemaVersion`"),
            (
                "{\"schemaVersion\": 7}",
                "schemaVersion is 7, and this loadgen reads 1",
            ),
            (
                "{\"schemaVersion\": 1,\n\"generator\": 3}",
                "invalid type: integer `3`, expected a string at line 2",
            ),
        ] {
            let error = parse(Path::new("run.json"), text).unwrap_err().to_string();
            assert!(
                error.contains(words) && error.contains("run.json"),
                "{error}"
            );
        }
    }
}
