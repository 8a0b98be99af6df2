//! Whether an app's traffic goes with its revisions.

use std::collections::BTreeSet;

use super::shares::WHOLE;
use super::{App, AppError, Problem};
use crate::document::{TrafficTarget, TrafficWeight};
use crate::name::RevisionName;

/// Where traffic is in a document.
pub(super) const TRAFFIC: &str = "properties.configuration.ingress.traffic";

impl App {
    /// Everything that is wrong with the document's traffic. None at all is right: it all goes to
    /// the latest revision.
    pub(super) fn check_traffic(&self) -> Result<(), AppError> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut labels = BTreeSet::new();
        for (index, entry) in self.traffic().iter().enumerate() {
            let path = format!("{TRAFFIC}[{index}]");
            problems.extend(self.target_problem(entry, &path));
            problems.extend(label_problem(entry, &path, &mut labels));
        }
        problems.extend(sum_problem(self.traffic()));
        if problems.is_empty() {
            return Ok(());
        }
        Err(AppError::Invalid(problems))
    }

    fn target_problem(&self, entry: &TrafficWeight, path: &str) -> Option<Problem> {
        let TrafficTarget::Revision(name) = &entry.target else {
            return None;
        };
        if self.is_single() {
            let message = "activeRevisionsMode is Single, where all traffic goes to the latest \
                           revision; write latestRevision: true, weight: 100, or make the mode \
                           Multiple";
            return Some(Problem::new(path, message));
        }
        let message = self.revision_problem(name, entry.weight)?;
        Some(Problem::new(format!("{path}.revisionName"), message))
    }

    fn revision_problem(&self, name: &RevisionName, weight: u32) -> Option<String> {
        match self.revision(name) {
            None => Some(format!(
                "there is no revision {name}; {} has {}",
                self.name(),
                self.revision_list()
            )),
            Some(revision) if weight > 0 && !revision.active => Some(format!(
                "revision {name} is not active; activate it before it gets traffic"
            )),
            Some(_) => None,
        }
    }
}

fn label_problem<'a>(
    entry: &'a TrafficWeight,
    path: &str,
    seen: &mut BTreeSet<&'a str>,
) -> Option<Problem> {
    let label = entry.label.as_deref()?;
    let message = if !is_label(label) {
        format!(
            "{label:?} is not a label: use 1 to 64 lowercase letters, digits and '-', begin with \
             a letter, end with a letter or digit, and do not write '--'"
        )
    } else if !seen.insert(label) {
        format!("label {label} is used twice; a label leads to one revision")
    } else {
        return None;
    };
    Some(Problem::new(format!("{path}.label"), message))
}

fn sum_problem(traffic: &[TrafficWeight]) -> Option<Problem> {
    let sum: u64 = traffic.iter().map(|entry| u64::from(entry.weight)).sum();
    if traffic.is_empty() || sum == u64::from(WHOLE) {
        return None;
    }
    Some(Problem::new(TRAFFIC, sum_message(sum)))
}

/// That weights sum to `sum` and must not.
pub(super) fn sum_message(sum: u64) -> String {
    format!("the weights sum to {sum}, and must sum to {WHOLE}")
}

fn is_label(label: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    label.len() <= 64
        && label.starts_with(|c: char| c.is_ascii_lowercase())
        && label.bytes().all(allowed)
        && !label.ends_with('-')
        && !label.contains("--")
}
