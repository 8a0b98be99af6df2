//! What a failed command says, and its exit code.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ebbtide_core::document::Diagnostic;
use thiserror::Error;

use super::client::{Refused, Unreachable};
use crate::documents::{self, InvalidDocument, Texts};

/// Anything that is not one of the others.
pub(super) const FAILURE: u8 = 1;
/// The command line itself was wrong.
pub(super) const USAGE: u8 = 2;
/// A document is not valid.
pub(super) const INVALID_DOCUMENT: u8 = 3;
/// The status API could not be reached.
pub(super) const UNREACHABLE: u8 = 4;

/// The codes, for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  failed; the message says why
  2  the command line is wrong
  3  a document is not valid
  4  the server cannot be reached";

/// Whoever read our output has gone. No reason to say anything.
#[derive(Debug, Error)]
#[error("standard output is closed")]
struct OutputClosed;

/// An error of writing to standard output.
pub(super) fn output_error(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => OutputClosed.into(),
        _ => anyhow::Error::new(error).context("writing to standard output failed"),
    }
}

/// The exit code that stands for `error`, as `ebbtide --help` lists them.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let refused = error.downcast_ref::<Refused>();
    if error.is::<OutputClosed>() {
        0
    } else if error.is::<Unreachable>() {
        UNREACHABLE
    } else if error.is::<InvalidDocument>() || refused.is_some_and(Refused::is_invalid_document) {
        INVALID_DOCUMENT
    } else {
        FAILURE
    }
}

/// Writes warnings to standard error, which may be closed.
pub(super) fn warn(warnings: &[Diagnostic]) {
    let mut stderr = io::stderr().lock();
    for warning in warnings {
        let _ = writeln!(stderr, "warning: {warning}");
    }
}

/// Says which keys of `--set` no document mentions.
pub(super) fn warn_of_unmentioned(texts: &Texts, set: &BTreeMap<String, String>) {
    for key in documents::unmentioned(texts, set) {
        let _ = writeln!(
            io::stderr(),
            "warning: --set {key}: no document mentions {key}, so its value is not used"
        );
    }
}

/// Writes `error` to standard error, which may be closed.
pub(super) fn report(error: &anyhow::Error) {
    if !error.is::<OutputClosed>() {
        let _ = writeln!(io::stderr(), "error: {error:#}");
    }
}
