//! What the rules of KEDA's scalers read: which sources there are to be, and what is known of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::{ContainerApp, EnvironmentValue, ScaleRule, Template};
use ebbtide_core::scale::{Metric, Reading};
use ebbtide_core::time::Timestamp;
use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{
    DocumentSecrets, EnvironmentSecrets, Lookup, Parameters, ReadError, SecretStore, SourceKey,
    SourceState, Sources, Wanted,
};
use tokio::sync::watch;
use tokio::time::sleep;

use super::app::{AppControl, Source};
use super::handle::RuleReadings;
use super::revision::RevisionControl;
use super::task::ControlTask;
use crate::clock::SystemClock;

/// Time from one look at what was read to the next: many sources may be read at about one time.
const LOOK: Duration = Duration::from_millis(20);

/// What sources are read with.
#[derive(Clone, Default)]
pub struct SignalOptions {
    /// Where secrets are that documents do not have, in the order in which they are asked.
    pub secrets: Vec<Arc<dyn SecretStore>>,
    /// Where rules of ScaledObjects' own may lead.
    pub reach: Arc<Reach>,
}

/// The sources of all rules.
pub(super) struct Signals {
    options: SignalOptions,
    sources: Sources,
    /// Changes when one was read.
    news: watch::Receiver<u64>,
    /// When to look at what was read, if something was.
    look_at: Option<Timestamp>,
    looked: Timestamp,
    /// Whether there may be other rules than before.
    pub(super) is_stale: bool,
}

impl Signals {
    /// No sources yet.
    pub(super) fn new(options: SignalOptions, clock: &Arc<SystemClock>, seed: u64) -> Self {
        let reach = Arc::clone(&options.reach);
        let sources = Sources::new(Arc::clone(clock) as _, reach, seed);
        Self {
            options,
            news: sources.news(),
            sources,
            look_at: None,
            looked: Timestamp::ORIGIN,
            is_stale: false,
        }
    }

    /// Ends when something was read and is to be looked at: at once, or soon if something was looked
    /// at only just now. Cancel safe.
    pub(super) async fn were_read(&mut self, now: Timestamp) {
        let at = match self.look_at {
            Some(at) => at,
            None if self.news.changed().await.is_ok() => *self.look_at.insert(self.looked + LOOK),
            None => std::future::pending().await,
        };
        sleep(at.since(now)).await;
    }

    /// Ends the reading of every source.
    pub(super) async fn shutdown(self) {
        self.sources.shutdown().await;
    }
}

/// What a rule reads from.
pub(super) enum RuleSource {
    /// Nothing that is read here: requests, CPU, or a scaler without a reader.
    Other,
    /// What it names cannot be read as it stands.
    Refused(ReadError),
    /// A source, which other rules may share.
    Followed {
        /// Which.
        key: Arc<SourceKey>,
        /// What is known of it; none until it is read at all.
        state: Option<watch::Receiver<SourceState>>,
        /// The error that was logged last.
        logged: Option<ReadError>,
    },
}

impl RuleSource {
    /// What is known, for a decision now; a number older than `allowed_age` is as good as none.
    pub(super) fn reading(&self, now: Timestamp, allowed_age: Duration) -> Reading {
        let because = match self {
            Self::Other => "this scaler is not read yet".to_owned(),
            Self::Refused(error) => error.to_string(),
            Self::Followed { state: None, .. } => "it is about to be read".to_owned(),
            Self::Followed {
                state: Some(state), ..
            } => {
                let state = state.borrow();
                match (&state.sample, &state.error) {
                    (Some(sample), error)
                        if error.is_none() || now.since(sample.at) <= allowed_age =>
                    {
                        return Reading::Known {
                            value: sample.value,
                            work: sample.work,
                            at: sample.at,
                        };
                    }
                    (_, Some(error)) => error.to_string(),
                    (_, None) => "it is being read for the first time".to_owned(),
                }
            }
        };
        Reading::Unknown { because }
    }

    /// Which source, if it is one.
    fn key(&self) -> Option<&Arc<SourceKey>> {
        match self {
            Self::Followed { key, .. } => Some(key),
            Self::Other | Self::Refused(_) => None,
        }
    }

    /// What is known of the source, if it is one that is read.
    pub(super) fn state(&self) -> Option<SourceState> {
        match self {
            Self::Followed {
                state: Some(state), ..
            } => Some(state.borrow().clone()),
            _ => None,
        }
    }

    /// Whether it was read since this was asked last. An error that is another one than before is
    /// handed to `log`.
    fn is_news(&mut self, log: impl FnOnce(&ReadError)) -> bool {
        let Self::Followed {
            state: Some(state),
            logged,
            ..
        } = self
        else {
            return false;
        };
        if !state.has_changed().unwrap_or(false) {
            return false;
        }
        let state = state.borrow_and_update();
        if let Some(error) = &state.error
            && logged.as_ref() != Some(error)
        {
            log(error);
        }
        logged.clone_from(&state.error);
        true
    }
}

impl ControlTask {
    /// Reads what the rules name now, and nothing else. Those of documents are looked through each
    /// time, since a secret may be another one than before.
    pub(super) fn follow_sources(&mut self) {
        let Signals {
            options,
            sources,
            is_stale,
            ..
        } = &mut self.signals;
        let mut changed = std::mem::take(is_stale);
        for control in self.apps.values_mut() {
            changed |= control.resolve_sources(options);
        }
        if !changed {
            return;
        }
        let mut wanted = Wanted::new();
        for control in self.adopted.apps.values_mut() {
            control.resolve_sources(options);
        }
        for control in self.apps.values().chain(self.adopted.apps.values()) {
            control.want_sources(&mut wanted);
        }
        sources.follow(wanted);
        let apps = self.apps.values_mut().chain(self.adopted.apps.values_mut());
        for one in apps.flat_map(|control| control.revisions.values_mut()) {
            one.attach(sources);
        }
    }

    /// Decides anew for the revisions whose rules were read.
    pub(super) fn look_at_sources(&mut self) {
        let now = self.now();
        self.signals.looked = now;
        self.signals.look_at = None;
        for one in self
            .apps
            .values_mut()
            .flat_map(|app| app.revisions.values_mut())
        {
            if one.take_news() {
                one.next_decision = now;
            }
        }
        let adopted = self.adopted.apps.values_mut();
        for one in adopted.flat_map(|app| app.revisions.values_mut()) {
            if one.take_news() {
                one.next_decision = now;
                self.adopted.next_look = now;
            }
        }
    }
}

impl AppControl {
    /// Finds out what the rules of the active revisions name now. Returns whether that is something
    /// else than before.
    fn resolve_sources(&mut self, options: &SignalOptions) -> bool {
        let is_bounded = matches!(self.source, Source::ScaledObject { .. });
        let mut changed = false;
        for (name, one) in &mut self.revisions {
            let known = self.app.revision(name);
            if !known.is_some_and(|revision| revision.active) {
                changed |= !one.sources.is_empty();
                one.sources.clear();
                continue;
            }
            // A trigger's rules have no secrets of their own that could change.
            if is_bounded && one.sources.len() == one.spec.rules.len() {
                continue;
            }
            let lookup = RuleLookup {
                document: self.app.document(),
                template: &one.template,
                options,
            };
            let rules = one.spec.rules.iter().enumerate();
            let found = rules.map(|(place, rule)| {
                let rule = Some(rule).filter(|rule| rule.metric == Metric::External);
                let rule = rule.and_then(|_| one.template.scale.rules.get(place));
                rule.map_or(RuleSource::Other, |rule| {
                    source_of(rule, &lookup, is_bounded, one.sources.get(place))
                })
            });
            let found: Vec<RuleSource> = found.collect();
            let is_same = |(a, b): (&RuleSource, &RuleSource)| a.key() == b.key();
            let same = found.len() == one.sources.len();
            changed |= !(same && found.iter().zip(&one.sources).all(is_same));
            one.sources = found;
        }
        changed
    }

    /// Adds the sources to those that are wanted.
    fn want_sources(&self, wanted: &mut Wanted) {
        for one in self.revisions.values() {
            let interval = one.spec.polling_interval;
            for key in one.sources.iter().filter_map(RuleSource::key) {
                let shortest = wanted.entry(Arc::clone(key)).or_insert(interval);
                *shortest = interval.min(*shortest);
            }
        }
    }
}

/// The source of a rule; as it was if it is the same.
fn source_of(
    rule: &ScaleRule,
    lookup: &RuleLookup<'_>,
    is_bounded: bool,
    before: Option<&RuleSource>,
) -> RuleSource {
    let parameters = match Parameters::resolve(rule, lookup) {
        None => return RuleSource::Other,
        Some(Err(error)) => return RuleSource::Refused(error),
        Some(Ok(parameters)) => parameters,
    };
    let key = SourceKey {
        parameters,
        is_bounded,
    };
    match before {
        Some(RuleSource::Followed {
            key: known,
            state,
            logged,
        }) if **known == key => RuleSource::Followed {
            key: Arc::clone(known),
            state: state.clone(),
            logged: logged.clone(),
        },
        _ => RuleSource::Followed {
            key: Arc::new(key),
            state: None,
            logged: None,
        },
    }
}

impl RevisionControl {
    /// Takes hold of what is known of its sources.
    fn attach(&mut self, sources: &Sources) {
        for source in &mut self.sources {
            if let RuleSource::Followed { key, state, .. } = source
                && state.is_none()
            {
                *state = sources.state(key);
            }
        }
    }

    /// How the sources of its rules are read, of those that have one.
    pub(super) fn readings_of_sources(&self) -> Vec<RuleReadings> {
        let rules = self.spec.rules.iter().zip(&self.sources);
        let readings = rules.filter_map(|(rule, source)| {
            Some(RuleReadings {
                rule: rule.name.clone(),
                state: source.state()?,
            })
        });
        readings.collect()
    }

    /// Whether one of its sources was read; what is wrong with it is logged, once.
    fn take_news(&mut self) -> bool {
        let mut is_news = false;
        for (rule, source) in self.spec.rules.iter().zip(&mut self.sources) {
            is_news |= source.is_news(|error| {
                let (revision, rule) = (&self.name, &rule.name);
                tracing::warn!(%revision, rule, "cannot be read: {error}");
            });
        }
        is_news
    }
}

/// Where the values come from that a rule of a document does not have itself.
struct RuleLookup<'a> {
    document: &'a ContainerApp,
    template: &'a Template,
    options: &'a SignalOptions,
}

impl Lookup for RuleLookup<'_> {
    fn secret(&self, name: &str) -> Result<String, String> {
        let found = secret(self.document, name, &self.options.secrets);
        found.map(|value| value.expose().to_owned()).ok_or_else(|| {
            let variable = EnvironmentSecrets::variable(name);
            format!(
                "the secret {name} has no value; give it in the document, in a file {name} of \
                 --secrets, or in the variable {variable}"
            )
        })
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        let containers = self.template.containers.iter();
        let mut variables = containers.flat_map(|container| &container.env);
        let found = variables.find(|variable| variable.name == name);
        match found.map(|variable| &variable.value) {
            Some(EnvironmentValue::Literal(value)) => Ok(value.clone()),
            Some(EnvironmentValue::SecretRef(name)) => self.secret(name),
            None => Err(format!("no container of the app has the variable {name}")),
        }
    }
}

/// The value of a secret of an app: the document's, or that of the first store that has it.
fn secret(
    document: &ContainerApp,
    name: &str,
    stores: &[Arc<dyn SecretStore>],
) -> Option<ebbtide_core::document::SecretValue> {
    let own = DocumentSecrets(&document.configuration.secrets);
    let own = own.secret(&document.name, name);
    own.or_else(|| {
        stores
            .iter()
            .find_map(|store| store.secret(&document.name, name))
    })
}

/// The values of an app's secrets that are known, by name.
pub(super) fn secrets_of(
    document: &ContainerApp,
    stores: &[Arc<dyn SecretStore>],
) -> BTreeMap<String, ebbtide_core::document::SecretValue> {
    let secrets = document.configuration.secrets.iter();
    let known = secrets.filter_map(|one| {
        let value = secret(document, &one.name, stores)?;
        Some((one.name.clone(), value))
    });
    known.collect()
}
