//! The pods of a Deployment, by what they can do.

use std::collections::BTreeMap;
use std::mem;

use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::Event as Change;

use crate::observe::model::Replicas;

/// What a pod can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PodState {
    Starting,
    Ready,
    /// Was ready, and is not at the moment.
    NotReady,
    Draining,
    /// Has ended, and is kept only to be looked at.
    Over,
}

/// What became of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    Started,
    Ready,
    NotReady,
    Draining,
    Stopped,
}

/// The pods by name.
#[derive(Debug, Default)]
pub(super) struct Pods {
    known: Option<BTreeMap<String, PodState>>,
    listing: BTreeMap<String, PodState>,
}

impl Became {
    /// As Ebbtide calls it, where it has such an event.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Started => "ReplicaStarted",
            Self::Ready => "ReplicaReady",
            Self::NotReady => "ReplicaNotReady",
            Self::Draining => "ReplicaDraining",
            Self::Stopped => "ReplicaStopped",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ready => "is ready",
            Self::NotReady => "is not ready any more",
            Self::Draining => "finishes its requests",
            Self::Stopped => "stopped",
        }
    }
}

impl Pods {
    /// Takes in a change. Returns what became of which pods; nothing of those that were there at first.
    pub(super) fn take_in(&mut self, change: Change<Pod>) -> Vec<(String, Became)> {
        match change {
            Change::Init => self.listing.clear(),
            Change::InitApply(pod) => {
                let (name, state) = of(&pod, self.state(&pod));
                self.listing.insert(name, state);
            }
            Change::InitDone => {
                let now = mem::take(&mut self.listing);
                return match self.known.replace(now) {
                    Some(before) => self.differences(&before),
                    None => Vec::new(),
                };
            }
            Change::Apply(pod) => {
                let (name, state) = of(&pod, self.state(&pod));
                let known = self.known.get_or_insert_default();
                let before = known.insert(name.clone(), state);
                return became(before, Some(state))
                    .map_or(Vec::new(), |became| vec![(name, became)]);
            }
            Change::Delete(pod) => {
                let name = pod.metadata.name.unwrap_or_default();
                let before = self.known.get_or_insert_default().remove(&name);
                return became(before, None).map_or(Vec::new(), |became| vec![(name, became)]);
            }
        }
        Vec::new()
    }

    fn state(&self, pod: &Pod) -> Option<PodState> {
        let name = pod.metadata.name.as_ref()?;
        self.known.as_ref()?.get(name).copied()
    }

    fn differences(&self, before: &BTreeMap<String, PodState>) -> Vec<(String, Became)> {
        let now = self.known.iter().flatten();
        let changed =
            now.map(|(name, state)| (name, became(before.get(name).copied(), Some(*state))));
        let known = |name| {
            self.known
                .as_ref()
                .is_some_and(|known| known.contains_key(name))
        };
        let gone = before.iter().filter(|(name, _)| !known(*name));
        let gone = gone.map(|(name, state)| (name, became(Some(*state), None)));
        (changed.chain(gone))
            .filter_map(|(name, became)| Some((name.clone(), became?)))
            .collect()
    }

    /// How many there are of each kind; none before they were listed.
    pub(super) fn counted(&self) -> Option<Replicas> {
        let mut counted = Replicas::default();
        for state in self.known.as_ref()?.values() {
            match state {
                PodState::Ready => counted.ready += 1,
                PodState::Starting | PodState::NotReady => counted.starting += 1,
                PodState::Draining => counted.draining += 1,
                PodState::Over => {}
            }
        }
        Some(counted)
    }
}

fn became(before: Option<PodState>, now: Option<PodState>) -> Option<Became> {
    if before == now {
        return None;
    }
    match now {
        Some(PodState::Starting) => Some(Became::Started),
        Some(PodState::Ready) => Some(Became::Ready),
        Some(PodState::NotReady) => Some(Became::NotReady),
        Some(PodState::Draining) => Some(Became::Draining),
        Some(PodState::Over) | None => (before != Some(PodState::Over)).then_some(Became::Stopped),
    }
}

/// The name and the state of a pod that had the state `before`.
fn of(pod: &Pod, before: Option<PodState>) -> (String, PodState) {
    let name = pod.metadata.name.clone().unwrap_or_default();
    let status = pod.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref());
    let conditions = status.and_then(|status| status.conditions.as_deref());
    let is_ready = (conditions.unwrap_or_default().iter())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let state = if matches!(phase, Some("Succeeded" | "Failed")) {
        PodState::Over
    } else if pod.metadata.deletion_timestamp.is_some() {
        PodState::Draining
    } else if is_ready {
        PodState::Ready
    } else if matches!(before, Some(PodState::Ready | PodState::NotReady)) {
        PodState::NotReady
    } else {
        PodState::Starting
    };
    (name, state)
}
