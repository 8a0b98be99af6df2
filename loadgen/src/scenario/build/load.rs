//! When requests start.

use std::time::Duration;

use ebbtide_core::arrival::{Process, ScheduleSpec};

use super::super::document::{ClosedDocument, Document, StageDocument};
use super::Builder;
use super::words;
use crate::plan::{Load, Stage};
use crate::schedule::files_in;

/// The load of a run.
pub(super) struct Loaded {
    pub(super) load: Load,
    /// When the last request may be due.
    pub(super) until: Duration,
    pub(super) stages: Vec<Stage>,
    /// In words.
    pub(super) words: String,
    /// About how many requests it is; none of a closed loop.
    pub(super) expected: Option<f64>,
}

impl Builder<'_> {
    pub(super) fn load(&mut self, document: &Document) -> Option<Loaded> {
        let open = document.schedule.is_some() || document.burst.is_some();
        match (&document.closed, &document.stages, &document.schedule) {
            (Some(closed), None, None) if !open => self.closed(*closed),
            (Some(_), ..) => {
                let message =
                    "a closed loop has no schedule, stages or burst beside it: remove one of them";
                self.problems.add("closed", message);
                None
            }
            (None, Some(_), Some(_)) => {
                let message =
                    "a run has a `schedule` or `stages`, not both: make the schedule a stage";
                self.problems.add("schedule", message);
                None
            }
            (None, Some(stages), None) => self.stages(stages, document),
            (None, None, Some(schedule)) => {
                let process = self.process("schedule", schedule)?;
                Some(self.open(
                    &process,
                    document,
                    Vec::new(),
                    words::load(schedule, process.duration()),
                ))
            }
            (None, None, None) => self.burst(document),
        }
    }

    fn burst(&mut self, document: &Document) -> Option<Loaded> {
        let Some(burst) = document.burst else {
            let message =
                "it is missing: a run has a `schedule`, `stages`, a `burst` or a `closed` loop";
            self.problems.add("schedule", message);
            return None;
        };
        if burst == 0 {
            self.problems
                .add("burst", "it must be at least 1 where there is no schedule");
        }
        Some(Loaded {
            load: Load::Open {
                burst,
                schedule: None,
            },
            until: Duration::ZERO,
            stages: Vec::new(),
            words: format!("{burst} requests at once"),
            expected: Some(words::float(burst)),
        })
    }

    fn closed(&mut self, closed: ClosedDocument) -> Option<Loaded> {
        let clients = self.at_least_one("closed.clients", closed.clients);
        if closed.duration.0.is_zero() {
            self.problems
                .add("closed.duration", "it must be longer than 0");
        }
        Some(Loaded {
            words: words::closed(closed),
            load: Load::Closed {
                clients: clients?,
                duration: closed.duration.0,
                pause: closed.pause.0,
            },
            until: closed.duration.0,
            stages: Vec::new(),
            expected: None,
        })
    }

    fn stages(&mut self, documents: &[StageDocument], document: &Document) -> Option<Loaded> {
        if documents.is_empty() {
            self.problems
                .add("stages", "there must be at least one stage");
        }
        let mut stages: Vec<Stage> = Vec::new();
        for (index, stage) in documents.iter().enumerate() {
            let path = format!("stages[{index}]");
            self.check_name(
                &format!("{path}.name"),
                &stage.name,
                stages.iter().map(|s| &s.name),
            );
            let process = self.process(&format!("{path}.schedule"), &stage.schedule);
            let duration = process.map_or(Duration::ZERO, |process| process.duration());
            let from = stages.last().map_or(Duration::ZERO, |stage| stage.until);
            let until = from.saturating_add(duration);
            stages.push(Stage {
                name: stage.name.clone(),
                from,
                until,
            });
        }
        if !self.problems.is_empty() {
            return None;
        }
        let parts = documents.iter().map(|stage| stage.schedule.clone());
        let process = self.process("stages", &ScheduleSpec::Sequence(parts.collect()))?;
        let words = words::stages(&stages, documents);
        Some(self.open(&process, document, stages, words))
    }

    fn open(
        &mut self,
        process: &Process,
        document: &Document,
        stages: Vec<Stage>,
        mut words: String,
    ) -> Loaded {
        let burst = document.burst.unwrap_or(0);
        let schedule = process.schedule(document.seed);
        if burst == 0 && schedule.clone().next().is_none() {
            let field = if stages.is_empty() {
                "schedule"
            } else {
                "stages"
            };
            let message = "no request would be sent: raise the rate, or make it longer";
            self.problems.add(field, message);
        }
        if burst > 0 {
            words = format!("{burst} requests at once, then {words}");
        }
        Loaded {
            load: Load::Open {
                burst,
                schedule: Some(schedule),
            },
            until: process.duration(),
            stages,
            words,
            expected: Some(process.expected_requests() + words::float(burst)),
        }
    }

    /// Checks a schedule; its traces are read from the scenario's folder.
    fn process(&mut self, path: &str, spec: &ScheduleSpec) -> Option<Process> {
        match spec.process(files_in(self.folder.to_owned())) {
            Ok(process) => Some(process),
            Err(error) => {
                self.problems
                    .add(format!("{path}.{}", error.path), error.problem);
                None
            }
        }
    }

    /// A name must not be empty, nor be there before.
    pub(super) fn check_name<'n>(
        &mut self,
        path: &str,
        name: &str,
        mut others: impl Iterator<Item = &'n String>,
    ) {
        if name.trim().is_empty() {
            self.problems.add(path, "a name must not be empty");
        } else if others.any(|other| other == name) {
            self.problems.add(
                path,
                format!("`{name}` is there already: names must differ"),
            );
        }
    }
}
