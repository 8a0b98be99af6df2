//! Every ScaledObject that has asked: its triggers, what each was answered last, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ebbtide_core::name::AppName;
use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_core::trigger::{MAX_METADATA, Trigger, metadata_size};
use ebbtide_proto::external_scaler::ScaledObjectRef;

use super::answer::Unanswered;
use super::asking::Asking;
use super::metrics::Method;
use crate::api::model::{ScaledObjectCall, ScaledObjectStatus, ScaledObjectTrigger};
use crate::clock::SystemClock;

/// The most triggers of one ScaledObject that are remembered; an edited one is another one, and
/// the oldest goes.
const MAX_TRIGGERS: usize = 16;

/// The most that the metadata of all of them may have, in bytes.
const MAX_METADATA_OF_ALL: usize = 256 * 1024 * 1024;

/// A ScaledObject that has not asked for this long, and has no stream open, makes room for
/// another. KEDA's longest sensible polling interval is far below it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// The longest name of a namespace or of an object in Kubernetes, in bytes.
const LONGEST_NAME: usize = 253;

type Key = (String, String);

/// Every ScaledObject that has asked. Cheap to clone.
#[derive(Clone)]
pub struct ScaledObjects {
    known: Arc<Mutex<Known>>,
    clock: Arc<SystemClock>,
}

#[derive(Default)]
struct Known {
    objects: BTreeMap<Arc<Key>, Vec<Entry>>,
    /// The bytes of all their metadata.
    metadata_bytes: usize,
}

/// One trigger of a ScaledObject.
///
/// There may be as many as [`ScaledObjects::LIMIT`], so it is kept small.
struct Entry {
    metadata: Arc<BTreeMap<String, String>>,
    asking: Result<Arc<Asking>, String>,
    seen: Timestamp,
    streams: usize,
    /// The last of each method, by method.
    calls: Vec<(Method, Call)>,
}

/// What was asked last, and answered.
struct Call {
    at: Timestamp,
    peer: Peer,
    answer: Answer,
    because: String,
}

/// What was answered in words, or the error.
type Answer = Result<String, String>;

/// From where, if that is known.
type Peer = Option<SocketAddr>;

/// Which trigger of which ScaledObject.
#[derive(Clone)]
pub(super) struct Caller {
    key: Arc<Key>,
    metadata: Arc<BTreeMap<String, String>>,
}

impl Caller {
    /// The ScaledObject's namespace and its name.
    pub(super) fn names(&self) -> (&str, &str) {
        (&self.key.0, &self.key.1)
    }
}

impl ScaledObjects {
    /// The most that are remembered.
    pub(super) const LIMIT: usize = 20_000;

    /// None yet.
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self {
            known: Arc::default(),
            clock,
        }
    }

    /// Takes note of who asks, and reads the trigger if it is new or was edited.
    ///
    /// # Errors
    /// When its metadata is wrong, its names are no names, or there is no room for it.
    pub(super) fn caller(
        &self,
        reference: ScaledObjectRef,
        peer: Peer,
    ) -> Result<(Caller, Arc<Asking>), Unanswered> {
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
        if let Some(known) = self.lock().find(&key, &scaler_metadata, now) {
            return known;
        }
        let entry = Entry::new(&key, scaler_metadata, now);
        log_new(&key, peer, &entry.asking);
        self.lock().add(key, entry, now)
    }

    /// Keeps what a call was answered, and logs it if it is not what the same call was answered
    /// before.
    pub(super) fn answered(
        &self,
        caller: &Caller,
        method: Method,
        peer: Peer,
        answer: Result<(String, String), &Unanswered>,
    ) {
        let (answer, because) = match answer {
            Ok((answer, because)) => (Ok(answer), because),
            Err(error) => (Err(error.to_string()), error.to_string()),
        };
        let call = Call {
            at: self.clock.now(),
            peer,
            answer,
            because,
        };
        let news = self.change(caller, |entry| entry.keep(method, call));
        // Not under the lock: whoever reads the log may be slow.
        if let Some(Some((answer, because))) = news {
            log(&caller.key, method, peer, &answer, &because);
        }
    }

    /// Counts a stream until what this returns is dropped.
    pub(super) fn open_stream(&self, caller: Caller, peer: Peer) -> OpenStream {
        self.change(&caller, |entry| entry.streams += 1);
        OpenStream {
            objects: self.clone(),
            caller,
            peer,
        }
    }

    /// Those that ask for `app`, or whose trigger is wrong; without an app, all of them. By
    /// namespace and name, at most `limit`.
    pub fn list(&self, app: Option<&str>, limit: usize) -> Vec<ScaledObjectStatus> {
        let known = self.lock();
        let asks = |entry: &Entry| {
            let asked = entry.asking.as_ref().map(|asking| &asking.scope.app);
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
        let of_app = known
            .objects
            .iter()
            .filter(|(_, entries)| entries.iter().any(asks));
        of_app.take(limit).map(status).collect()
    }

    /// The apps that stand for rules of those that have asked of late, or have a stream open.
    pub(super) fn apps_of_rules(&self) -> BTreeSet<AppName> {
        let now = self.clock.now();
        let known = self.lock();
        let entries = known.objects.values().flatten();
        let asking = entries.filter(|entry| !entry.is_forgotten(now));
        let own = asking.filter_map(|entry| entry.asking.as_ref().ok());
        own.filter(|asking| asking.own.is_some())
            .map(|asking| asking.scope.app.clone())
            .collect()
    }

    /// How many there are, and how many streams they have open.
    pub(super) fn counts(&self) -> (usize, usize) {
        let objects = &self.lock().objects;
        let streams = objects.values().flatten().map(|entry| entry.streams);
        (objects.len(), streams.sum())
    }

    fn status(&self, entry: &Entry) -> ScaledObjectTrigger {
        let calls = entry.calls.iter().map(|(method, call)| ScaledObjectCall {
            method: method.name().to_owned(),
            time: self.clock.rfc3339(call.at),
            peer: shown(call.peer),
            answer: call.answer.as_ref().ok().cloned(),
            error: call.answer.as_ref().err().cloned(),
            because: call.because.clone(),
        });
        let (asking, error) = match &entry.asking {
            Ok(asking) => (Some(asking), None),
            Err(error) => (None, Some(error.clone())),
        };
        ScaledObjectTrigger {
            subject: asking.map(ToString::to_string),
            warnings: asking.map_or_else(Vec::new, |asking| asking.warnings.clone()),
            error,
            open_streams: entry.streams,
            calls: calls.collect(),
        }
    }

    /// Changes the entry of a caller; none if it has been forgotten.
    fn change<T>(&self, caller: &Caller, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut known = self.lock();
        let entries = known.objects.get_mut(&caller.key).into_iter().flatten();
        let mut entries = entries.filter(|entry| Arc::ptr_eq(&entry.metadata, &caller.metadata));
        entries.next().map(change)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The entry of this trigger, if it has asked before.
    fn find(
        &mut self,
        key: &Key,
        metadata: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Option<Result<(Caller, Arc<Asking>), Unanswered>> {
        let (key, _) = self.objects.get_key_value(key)?;
        let key = Arc::clone(key);
        let mut entries = self.objects.get_mut(&key)?.iter_mut();
        let entry = entries.find(|entry| *entry.metadata == *metadata)?;
        entry.seen = now;
        Some(entry.asked_by(key))
    }

    /// Adds a trigger. One with more metadata than may be is refused without being kept.
    fn add(
        &mut self,
        key: Key,
        entry: Entry,
        now: Timestamp,
    ) -> Result<(Caller, Arc<Asking>), Unanswered> {
        // Another call of it may have come in between.
        if let Some(known) = self.find(&key, &entry.metadata, now) {
            return known;
        }
        let size = entry.size();
        if size > MAX_METADATA {
            return entry.asked_by(Arc::new(key));
        }
        self.make_room(&key, size, now)?;
        let known = self.objects.get_key_value(&key);
        let key = known.map_or_else(|| Arc::new(key.clone()), |(key, _)| Arc::clone(key));
        let entries = self.objects.entry(Arc::clone(&key)).or_default();
        if entries.len() >= MAX_TRIGGERS {
            self.metadata_bytes -= entries.remove(0).size();
        }
        let asked = entry.asked_by(key);
        entries.reserve_exact(1);
        entries.push(entry);
        self.metadata_bytes += size;
        asked
    }

    /// Forgets those that have not asked for long, if there is no room for one more.
    fn make_room(&mut self, key: &Key, size: usize, now: Timestamp) -> Result<(), Unanswered> {
        if self.has_room(key, size) {
            return Ok(());
        }
        let mut freed = 0;
        self.objects.retain(|_, entries| {
            let is_forgotten = entries.iter().all(|entry| entry.is_forgotten(now));
            if is_forgotten {
                freed += entries.iter().map(Entry::size).sum::<usize>();
            }
            !is_forgotten
        });
        self.metadata_bytes -= freed;
        if self.has_room(key, size) {
            return Ok(());
        }
        Err(Unanswered::Full(format!(
            "{} ScaledObjects with {} bytes of metadata ask already, and no more than {} with {} \
             are answered; run another Ebbtide for some of them",
            self.objects.len(),
            self.metadata_bytes,
            ScaledObjects::LIMIT,
            MAX_METADATA_OF_ALL
        )))
    }

    fn has_room(&self, key: &Key, size: usize) -> bool {
        let is_known = self.objects.contains_key(key);
        (is_known || self.objects.len() < ScaledObjects::LIMIT)
            && self.metadata_bytes + size <= MAX_METADATA_OF_ALL
    }
}

impl Entry {
    fn new((namespace, name): &Key, metadata: BTreeMap<String, String>, now: Timestamp) -> Self {
        let trigger = Trigger::parse(&metadata).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            errors.join("; ")
        });
        let asking = trigger.and_then(|trigger| {
            let asking = Asking::new(trigger, (namespace, name), &metadata);
            asking.map(Arc::new).map_err(|error| error.to_string())
        });
        Self {
            metadata: Arc::new(metadata),
            asking,
            seen: now,
            streams: 0,
            calls: Vec::new(),
        }
    }

    /// The bytes of its metadata.
    fn size(&self) -> usize {
        metadata_size(&self.metadata)
    }

    fn asked_by(&self, key: Arc<Key>) -> Result<(Caller, Arc<Asking>), Unanswered> {
        let metadata = Arc::clone(&self.metadata);
        match &self.asking {
            Ok(asking) => Ok((Caller { key, metadata }, Arc::clone(asking))),
            Err(message) => Err(Unanswered::Invalid(message.clone())),
        }
    }

    /// Keeps a call. Returns what was answered and why, if the one of this method before was answered
    /// otherwise.
    fn keep(&mut self, method: Method, call: Call) -> Option<(Answer, String)> {
        let place = self
            .calls
            .binary_search_by_key(&method, |(method, _)| *method);
        let before = place.ok().map(|place| &self.calls[place].1.answer);
        let is_news = before != Some(&call.answer);
        let news = is_news.then(|| (call.answer.clone(), call.because.clone()));
        match place {
            Ok(place) => self.calls[place].1 = call,
            Err(place) => {
                self.calls.reserve_exact(1);
                self.calls.insert(place, (method, call));
            }
        }
        news
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.streams == 0 && now.since(self.seen) >= FORGOTTEN_AFTER
    }
}

/// Says what is wrong with a new trigger, and what may surprise its author.
fn log_new((namespace, name): &Key, peer: Peer, asking: &Result<Arc<Asking>, String>) {
    let peer = shown(peer);
    match asking {
        Ok(asking) => {
            for warning in &asking.warnings {
                tracing::warn!(peer, namespace, scaled_object = name, "{warning}");
            }
        }
        Err(error) => tracing::warn!(peer, namespace, scaled_object = name, "{error}"),
    }
}

fn log((namespace, name): &Key, method: Method, peer: Peer, answer: &Answer, because: &str) {
    let (method, peer) = (method.name(), shown(peer));
    match answer {
        Ok(answer) => {
            // One for each change of each ScaledObject: too many for whoever did not ask.
            tracing::debug!(
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

fn shown(peer: Peer) -> String {
    peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string())
}

/// A stream that is open.
pub(super) struct OpenStream {
    objects: ScaledObjects,
    caller: Caller,
    peer: Peer,
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
            .answered(&self.caller, method, self.peer, answer);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let now = self.objects.clock.now();
        self.objects.change(&self.caller, |entry| {
            entry.streams = entry.streams.saturating_sub(1);
            entry.seen = now;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(streams: usize, seen: Timestamp) -> Entry {
        let metadata = [("app".to_owned(), "hello".to_owned())].into();
        Entry {
            streams,
            ..Entry::new(&("default".to_owned(), "hello".to_owned()), metadata, seen)
        }
    }

    fn key(index: usize) -> Key {
        ("apps".to_owned(), index.to_string())
    }

    #[test]
    fn room_is_made_of_those_that_have_not_asked_for_long_and_listen_to_nothing() {
        let (long_ago, now) = (Timestamp::ORIGIN, Timestamp::ORIGIN + FORGOTTEN_AFTER);
        let mut known = Known::default();
        for index in 0..ScaledObjects::LIMIT {
            known.add(key(index), entry(1, long_ago), now).unwrap();
        }
        let full = known.make_room(&key(usize::MAX), 1, now).unwrap_err();
        assert!(full.to_string().contains("no more than 20000"), "{full}");
        assert_eq!(known.make_room(&key(7), 1, now), Ok(()), "it is known");
        let too_much = known.make_room(&key(7), MAX_METADATA_OF_ALL, now);
        assert!(too_much.is_err(), "even so");

        for (index, seen) in [(1, now), (3, long_ago), (4, long_ago)] {
            known
                .objects
                .insert(Arc::new(key(index)), vec![entry(0, seen)]);
        }
        let two = vec![entry(0, long_ago), entry(1, long_ago)];
        known.objects.insert(Arc::new(key(2)), two);
        assert_eq!(known.make_room(&key(usize::MAX), 1, now), Ok(()));
        assert_eq!(known.objects.len(), ScaledObjects::LIMIT - 2);
        assert_eq!(
            known.metadata_bytes,
            known.objects.len() * entry(0, now).size()
        );
        assert!(!known.objects.contains_key(&key(3)));
    }

    #[test]
    fn metadata_that_is_too_long_is_not_kept() {
        let objects = ScaledObjects::new(Arc::new(SystemClock::start()));
        let reference = ScaledObjectRef {
            name: "hello".to_owned(),
            namespace: "apps".to_owned(),
            scaler_metadata: [("app".to_owned(), "x".repeat(MAX_METADATA))].into(),
        };
        let error = objects.caller(reference, None).err().unwrap();
        assert!(error.to_string().contains("at most 65536"), "{error}");
        assert_eq!(objects.counts(), (0, 0));
    }

    #[test]
    fn of_a_trigger_that_is_edited_again_and_again_the_newest_are_kept() {
        let objects = ScaledObjects::new(Arc::new(SystemClock::start()));
        for edit in 0..100 {
            let reference = ScaledObjectRef {
                name: "hello".to_owned(),
                namespace: "apps".to_owned(),
                scaler_metadata: [("app".to_owned(), format!("hello{edit}"))].into(),
            };
            objects.caller(reference, None).unwrap();
        }
        let triggers = &objects.list(None, 9)[0].triggers;
        assert_eq!(triggers.len(), MAX_TRIGGERS);
        assert_eq!(
            triggers[MAX_TRIGGERS - 1].subject.as_deref(),
            Some("app hello99")
        );
    }

    #[test]
    fn names_have_bounds() {
        let objects = ScaledObjects::new(Arc::new(SystemClock::start()));
        for name in [String::new(), "x".repeat(254)] {
            let reference = ScaledObjectRef {
                name,
                ..ScaledObjectRef::default()
            };
            let error = objects.caller(reference, None).err().unwrap();
            assert!(error.to_string().contains("1 to 253 characters"), "{error}");
        }
    }
}
