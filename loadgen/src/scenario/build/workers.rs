//! How many threads send, and what each needs of its own.

use std::num::NonZeroUsize;

use super::super::document::TargetDocument;
use super::Builder;
use crate::plan::{Target, TargetKind};

/// More than there are processors in a machine send no more.
const MOST: usize = 1024;

impl Builder<'_> {
    pub(super) fn workers(&mut self, number: Option<usize>) -> Option<NonZeroUsize> {
        let number = number.unwrap_or(1);
        if number > MOST {
            let message = format!(
                "{number} are too many, it must be at most {MOST}: each is a thread, and more than the machine has \
                 processors send no more"
            );
            self.problems.add("workers", message);
            return None;
        }
        self.at_least_one("workers", number)
    }

    /// A worker has connections of its own, and of those that read a queue's completions there is one.
    pub(super) fn check_workers(
        &mut self,
        workers: NonZeroUsize,
        documents: &[TargetDocument],
        targets: &[Target],
    ) {
        for target in targets {
            let name = &target.name;
            if let TargetKind::Queue(_) = target.kind
                && workers.get() > 1
            {
                let message = format!(
                    "{workers} cannot load the queue `{name}`: one worker does, which reads all completions; remove \
                     `workers`"
                );
                self.problems.add("workers", message);
            }
            let connections = target.kind.http().map(|http| http.connections.most());
            let Some(connections) = connections.filter(|most| *most < workers) else {
                continue;
            };
            let is_it = |document: &TargetDocument| document.name.as_ref() == Some(name);
            let index = documents.iter().position(is_it).unwrap_or(0);
            let message = format!(
                "{connections} are too few for {workers} workers, each of which needs one of its own: give the target \
                 {workers} or more, or the run fewer workers"
            );
            let path = format!("targets[{index}].connections");
            self.problems.add(path, message);
        }
    }
}
