//! Every ScaledObject that has asked: its triggers, what each was answered last, and why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_core::trigger::Trigger;
use ebbtide_proto::external_scaler::ScaledObjectRef;

use super::answer::Unanswered;
use super::metrics::Method;
use crate::api::model::{ScaledObjectCall, ScaledObjectStatus, ScaledObjectTrigger};
use crate::clock::SystemClock;

/// The most triggers of one ScaledObject that are remembered; an edited one is another one, and
/// the oldest goes.
const MAX_TRIGGERS: usize = 16;

/// A ScaledObject that has not asked for this long, and has no stream open, makes room for
/// another. KEDA's longest sensible polling interval is far below it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// The longest name of a namespace or of an object in Kubernetes, in bytes.
const LONGEST_NAME: usize = 253;

type Key = (String, String);

/// Every ScaledObject that has asked. Cheap to clone.
#[derive(Clone)]
pub struct ScaledObjects {
    objects: Arc<Mutex<BTreeMap<Arc<Key>, Vec<Entry>>>>,
    clock: Arc<SystemClock>,
}

/// One trigger of a ScaledObject.
///
/// There may be as many as [`ScaledObjects::LIMIT`], so it is kept small.
struct Entry {
    metadata: Arc<BTreeMap<String, String>>,
    trigger: Result<Arc<Trigger>, String>,
    seen: Timestamp,
    streams: usize,
    /// The last of each method, by method.
    calls: Vec<(Method, Call)>,
}

/// What was asked last, and answered.
struct Call {
    at: Timestamp,
    peer: String,
    answer: Result<String, String>,
    because: String,
}

/// Which trigger of which ScaledObject.
#[derive(Clone)]
pub(super) struct Caller {
    key: Arc<Key>,
    metadata: Arc<BTreeMap<String, String>>,
}

impl ScaledObjects {
    /// The most that are remembered.
    pub(super) const LIMIT: usize = 20_000;

    /// None yet.
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self {
            objects: Arc::default(),
            clock,
        }
    }

    /// Takes note of who asks, and reads the trigger if it is new or was edited.
    ///
    /// # Errors
    /// When its metadata is wrong, its names are no names, or there are too many ScaledObjects.
    pub(super) fn caller(
        &self,
        reference: ScaledObjectRef,
    ) -> Result<(Caller, Arc<Trigger>), Unanswered> {
        let ScaledObjectRef {
            name,
            namespace,
            scaler_metadata,
        } = reference;
        if name.is_empty() || name.len() > LONGEST_NAME || namespace.len() > LONGEST_NAME {
            let message = "the ScaledObject's name has to have 1 to 253 characters, and its \
                           namespace at most as many";
            return Err(Unanswered::Invalid(message.to_owned()));
        }
        let key = (namespace, name);
        let now = self.clock.now();
        let mut objects = self.lock();
        make_room(&mut objects, &key, now)?;
        let known = objects.get_key_value(&key).map(|(key, _)| Arc::clone(key));
        let key = known.unwrap_or_else(|| Arc::new(key));
        let entries = objects.entry(Arc::clone(&key)).or_default();
        let known = entries
            .iter()
            .position(|one| *one.metadata == scaler_metadata);
        let index = known.unwrap_or_else(|| {
            if entries.len() >= MAX_TRIGGERS {
                entries.remove(0);
            }
            entries.reserve_exact(1);
            entries.push(Entry::new(&key, scaler_metadata, now));
            entries.len() - 1
        });
        let entry = &mut entries[index];
        entry.seen = now;
        let metadata = Arc::clone(&entry.metadata);
        let caller = Caller { key, metadata };
        match &entry.trigger {
            Ok(trigger) => Ok((caller, Arc::clone(trigger))),
            Err(message) => Err(Unanswered::Invalid(message.clone())),
        }
    }

    /// Keeps what a call was answered, and logs it if it is not what the same call was answered
    /// before.
    pub(super) fn answered(
        &self,
        caller: &Caller,
        method: Method,
        peer: &str,
        answer: Result<(String, String), &Unanswered>,
    ) {
        let (answer, because) = match answer {
            Ok((answer, because)) => (Ok(answer), because),
            Err(error) => (Err(error.to_string()), error.to_string()),
        };
        self.change(caller, |entry, now| {
            let place = entry
                .calls
                .binary_search_by_key(&method, |(method, _)| *method);
            let before = place.ok().map(|place| &entry.calls[place].1);
            if before.is_none_or(|before| before.answer != answer) {
                log(&caller.key, method, peer, &answer, &because);
            }
            let peer = peer.to_owned();
            let call = Call {
                at: now,
                peer,
                answer,
                because,
            };
            match place {
                Ok(place) => entry.calls[place].1 = call,
                Err(place) => {
                    entry.calls.reserve_exact(1);
                    entry.calls.insert(place, (method, call));
                }
            }
        });
    }

    /// Counts a stream until what this returns is dropped.
    pub(super) fn open_stream(&self, caller: Caller, peer: String) -> OpenStream {
        self.change(&caller, |entry, _| entry.streams += 1);
        OpenStream {
            objects: self.clone(),
            caller,
            peer,
        }
    }

    /// Those that ask for `app`, or whose trigger is wrong; without an app, all of them. By
    /// namespace and name, at most `limit`.
    pub fn list(&self, app: Option<&str>, limit: usize) -> Vec<ScaledObjectStatus> {
        let objects = self.lock();
        let asks = |entry: &Entry| {
            let asked = entry.trigger.as_ref().map(|trigger| &trigger.subject.app);
            app.is_none_or(|app| asked.is_ok_and(|asked| asked.as_str() == app) || asked.is_err())
        };
        let status = |(key, entries): (&Arc<Key>, &Vec<Entry>)| ScaledObjectStatus {
            namespace: key.0.clone(),
            name: key.1.clone(),
            triggers: entries
                .iter()
                .filter(|entry| asks(entry))
                .map(|entry| self.status(entry))
                .collect(),
        };
        let of_app = objects
            .iter()
            .filter(|(_, entries)| entries.iter().any(asks));
        of_app.take(limit).map(status).collect()
    }

    /// How many there are, and how many streams they have open.
    pub(super) fn counts(&self) -> (usize, usize) {
        let objects = self.lock();
        let streams = objects.values().flatten().map(|entry| entry.streams);
        (objects.len(), streams.sum())
    }

    fn status(&self, entry: &Entry) -> ScaledObjectTrigger {
        let calls = entry.calls.iter().map(|(method, call)| ScaledObjectCall {
            method: method.name().to_owned(),
            time: self.clock.rfc3339(call.at),
            peer: call.peer.clone(),
            answer: call.answer.as_ref().ok().cloned(),
            error: call.answer.as_ref().err().cloned(),
            because: call.because.clone(),
        });
        let (trigger, error) = match &entry.trigger {
            Ok(trigger) => (Some(trigger), None),
            Err(error) => (None, Some(error.clone())),
        };
        ScaledObjectTrigger {
            subject: trigger.map(|trigger| trigger.subject.to_string()),
            warnings: trigger.map_or_else(Vec::new, |trigger| trigger.warnings.clone()),
            error,
            open_streams: entry.streams,
            calls: calls.collect(),
        }
    }

    /// Changes the entry of a caller, unless it has been forgotten.
    fn change(&self, caller: &Caller, change: impl FnOnce(&mut Entry, Timestamp)) {
        let now = self.clock.now();
        let mut objects = self.lock();
        let entries = objects.get_mut(&caller.key).into_iter().flatten();
        let mut entries = entries.filter(|entry| Arc::ptr_eq(&entry.metadata, &caller.metadata));
        if let Some(entry) = entries.next() {
            change(entry, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<Key>, Vec<Entry>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(key: &Key, metadata: BTreeMap<String, String>, now: Timestamp) -> Self {
        let trigger = Trigger::parse(&metadata).map(Arc::new).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            errors.join("; ")
        });
        let (namespace, name) = key;
        for warning in trigger.iter().flat_map(|trigger| &trigger.warnings) {
            tracing::warn!(namespace, scaled_object = name, "{warning}");
        }
        Self {
            metadata: Arc::new(metadata),
            trigger,
            seen: now,
            streams: 0,
            calls: Vec::new(),
        }
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.streams == 0 && now.since(self.seen) >= FORGOTTEN_AFTER
    }
}

/// Forgets those that have not asked for long, if there is no room for one more.
fn make_room(
    objects: &mut BTreeMap<Arc<Key>, Vec<Entry>>,
    key: &Key,
    now: Timestamp,
) -> Result<(), Unanswered> {
    if objects.len() < ScaledObjects::LIMIT || objects.contains_key(key) {
        return Ok(());
    }
    objects.retain(|_, entries| !entries.iter().all(|entry| entry.is_forgotten(now)));
    if objects.len() < ScaledObjects::LIMIT {
        return Ok(());
    }
    Err(Unanswered::Full(format!(
        "{} ScaledObjects ask already, and no more are answered; run another \
         Ebbtide for some of them",
        ScaledObjects::LIMIT
    )))
}

fn log(
    (namespace, name): &Key,
    method: Method,
    peer: &str,
    answer: &Result<String, String>,
    because: &str,
) {
    let method = method.name();
    match answer {
        Ok(answer) => {
            tracing::info!(
                peer,
                namespace,
                scaled_object = name,
                method,
                because,
                "{answer}"
            );
        }
        Err(error) => {
            tracing::warn!(peer, namespace, scaled_object = name, method, "{error}");
        }
    }
}

/// A stream that is open.
pub(super) struct OpenStream {
    objects: ScaledObjects,
    caller: Caller,
    peer: String,
}

impl OpenStream {
    /// A message of activity was sent.
    pub(super) fn sent(&self, active: bool) {
        let answer = if active { "active" } else { "not active" };
        let answer = Ok((
            answer.to_owned(),
            "as the subject's replicas are".to_owned(),
        ));
        let method = Method::StreamIsActive;
        self.objects
            .answered(&self.caller, method, &self.peer, answer);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.objects.change(&self.caller, |entry, now| {
            entry.streams = entry.streams.saturating_sub(1);
            entry.seen = now;
        });
    }
}
