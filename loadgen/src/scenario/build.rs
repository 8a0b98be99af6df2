//! From a document to a checked run.

mod load;
mod queue;
mod target;
mod words;
mod workers;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::load::Loaded;
use super::document::{Document, KubernetesDocument, ObserveDocument, OutputsDocument};
use super::endpoint::Endpoint;
use super::problem::{Origin, Problems, ScenarioError};
use super::{Observe, Observed, Prepared};
use crate::cli::files::Files;
use crate::plan::{Plan, Target, Validity};
use crate::threshold::{Available, Threshold};

/// How long to wait for no replica to be left, where a threshold asks for the time to it.
const LOOK_FOR_ZERO: Duration = Duration::from_mins(2);

/// The name of a target that has none.
const MAIN: &str = "main";

/// Whether hosts are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolve {
    /// A run is to follow.
    Addresses,
    /// The scenario is only checked: hosts that DNS would have to be asked for get the address 0.0.0.0.
    Nothing,
}

/// Where the files of a scenario are, and what is wrong with it so far.
struct Builder<'a> {
    folder: &'a Path,
    resolve: Resolve,
    problems: Problems,
}

/// Checks a document and makes a run of it. Paths are relative to `folder`.
pub(crate) fn prepare(
    document: Document,
    folder: &Path,
    resolve: Resolve,
    origin: &Origin<'_>,
) -> Result<Prepared, ScenarioError> {
    let mut builder = Builder {
        folder,
        resolve,
        problems: Problems::default(),
    };
    let prepared = builder.prepared(document);
    match prepared {
        Some(prepared) if builder.problems.is_empty() => Ok(prepared),
        _ => Err(builder.problems.into_error(origin)),
    }
}

impl Builder<'_> {
    fn prepared(&mut self, document: Document) -> Option<Prepared> {
        let targets = self.targets(&document.targets);
        let loaded = self.load(&document);
        let workers = self.workers(document.workers);
        if let Some(workers) = workers {
            self.check_workers(workers, &document.targets, &targets);
        }
        let stages = document.stages.iter().flatten();
        let available = Available {
            stages: &stages.map(|stage| stage.name.clone()).collect::<Vec<_>>(),
            targets: &names(&document, &targets),
            queues: &queues(&document),
            observed: document.observe.is_some(),
        };
        let thresholds = self.thresholds(&document.thresholds, available);
        let observe = self.observe(&document, &thresholds);
        let validity = self.validity(&document);
        let Loaded {
            load,
            until,
            stages,
            words,
            expected,
        } = loaded?;
        let plan = Plan {
            name: document.name.unwrap_or_else(|| "scenario".to_owned()),
            seed: document.seed,
            load,
            until,
            stages,
            targets,
            workers: workers?,
            validity,
        };
        Some(Prepared {
            plan,
            load: words,
            expected_requests: expected,
            thresholds,
            observe,
            folder: document.outputs.folder.as_ref().map(PathBuf::from),
            outputs: self.outputs(document.outputs),
        })
    }

    fn at_least_one(&mut self, path: &str, number: usize) -> Option<NonZeroUsize> {
        let number = NonZeroUsize::new(number);
        self.problems
            .take(path, number.ok_or("it must be at least 1"))
    }

    fn thresholds(&mut self, expressions: &[String], available: Available<'_>) -> Vec<Threshold> {
        let mut thresholds = Vec::new();
        for (index, expression) in expressions.iter().enumerate() {
            let path = format!("thresholds[{index}]");
            let parsed = self.problems.take(&path, Threshold::parse(expression));
            let Some(threshold) = parsed else { continue };
            self.problems.take(&path, threshold.check(available));
            thresholds.push(threshold);
        }
        thresholds
    }

    fn observe(&mut self, document: &Document, thresholds: &[Threshold]) -> Option<Observe> {
        let document = document.observe.as_ref()?;
        let (what, after) = match document {
            ObserveDocument::Url(url) => (self.ebbtide("observe", url), None),
            ObserveDocument::Other(of) => {
                let what = match (&of.ebbtide, &of.kubernetes) {
                    (Some(url), None) => self.ebbtide("observe.ebbtide", url),
                    (None, Some(deployment)) => Some(self.deployment(deployment)),
                    _ => {
                        let message = "one of `ebbtide` and `kubernetes` says what to follow";
                        self.problems.add("observe", message);
                        None
                    }
                };
                (what, of.after)
            }
        };
        let to_zero = thresholds.iter().any(Threshold::asks_for_time_to_zero);
        let default = if to_zero {
            LOOK_FOR_ZERO
        } else {
            Duration::ZERO
        };
        let after = after.map_or(default, |after| after.0);
        what.map(|what| Observe { what, after })
    }

    fn deployment(&mut self, of: &KubernetesDocument) -> Observed {
        for (name, value) in [("namespace", &of.namespace), ("deployment", &of.deployment)] {
            if value.is_empty() {
                self.problems
                    .add(format!("observe.kubernetes.{name}"), "it is empty");
            }
        }
        Observed::Kubernetes {
            namespace: of.namespace.clone(),
            deployment: of.deployment.clone(),
        }
    }

    fn ebbtide(&mut self, path: &str, url: &str) -> Option<Observed> {
        let endpoint = self.problems.take(path, Endpoint::parse(url))?;
        if endpoint.tls || endpoint.web_socket || endpoint.path != "/" {
            let message = format!("`{url}`: the status API is at http://HOST:PORT, without a path");
            self.problems.add(path, message);
            return None;
        }
        Some(Observed::Ebbtide(format!("http://{}", endpoint.authority)))
    }

    fn outputs(&mut self, document: OutputsDocument) -> Files {
        let OutputsDocument {
            folder,
            json,
            csv,
            hgrm,
            html,
        } = document;
        let path = |file: Option<String>, name: &str| {
            let in_folder = folder.as_ref().map(|folder| Path::new(folder).join(name));
            file.map(PathBuf::from).or(in_folder)
        };
        let files = Files {
            json: path(json, "report.json"),
            csv: path(csv, "seconds.csv"),
            hgrm: path(hgrm, "response.hgrm"),
            html: path(html, "report.html"),
        };
        let named = [
            ("json", &files.json),
            ("csv", &files.csv),
            ("hgrm", &files.hgrm),
            ("html", &files.html),
        ];
        for (position, (name, file)) in named.iter().enumerate() {
            let mut before = named[..position].iter();
            let same = before.find(|(_, other)| file.is_some() && other == file);
            if let Some((other, _)) = same {
                let message = format!("`outputs.{other}` is the same file: name another one");
                self.problems.add(format!("outputs.{name}"), message);
            }
        }
        files
    }

    fn validity(&mut self, document: &Document) -> Validity {
        let lateness = document.validity.lateness_p99.map(|span| span.0);
        if lateness.is_some_and(|lateness| lateness.is_zero()) {
            self.problems
                .add("validity.latenessP99", "it must be longer than 0");
        }
        Validity {
            lateness_p99: lateness.unwrap_or(Duration::from_millis(1)),
        }
    }
}

/// Those of the targets that are there, and of those that are wrong: a threshold on one of them is not.
fn names(document: &Document, targets: &[Target]) -> Vec<String> {
    let given = document
        .targets
        .iter()
        .filter_map(|target| target.name.clone());
    let built = targets.iter().map(|target| target.name.clone());
    let mut names: Vec<_> = built.chain(given).collect();
    names.sort();
    names.dedup();
    names
}

/// Those of the targets that are queues, be they right or wrong.
fn queues(document: &Document) -> Vec<String> {
    let queues = document.targets.iter().filter(|of| of.queue.is_some());
    let names = queues.map(|of| of.name.clone().unwrap_or_else(|| MAIN.to_owned()));
    names.collect()
}
