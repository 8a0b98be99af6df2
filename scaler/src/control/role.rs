//! What a process does of all that Ebbtide does.

use ebbtide_ingress::Publisher;
use ebbtide_runtime::Runtime;

/// What a control task is there for.
pub enum Role {
    /// Everything on one machine: it decides, runs the replicas, and gives the ingress its table.
    Machine {
        /// Runs the replicas.
        runtime: Runtime,
        /// The way to the ingress.
        publisher: Publisher,
    },
    /// It gives the ingress its table. Something else runs the replicas, and a scaler elsewhere
    /// decides.
    Ingress {
        /// The way to the ingress.
        publisher: Publisher,
    },
    /// It decides, by what ingresses elsewhere report. Something else carries it out.
    Scaler,
}

/// The same, without what is worked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Machine,
    Ingress,
    Scaler,
}

impl Kind {
    /// Whether it decides how many replicas there are to be.
    pub(super) fn decides(self) -> bool {
        self != Self::Ingress
    }

    /// Whether it runs the replicas.
    pub(super) fn runs_replicas(self) -> bool {
        self == Self::Machine
    }
}

impl Role {
    /// Its parts: what it is, what runs replicas, and the way to the ingress.
    pub(super) fn into_parts(self) -> (Kind, Option<Runtime>, Option<Publisher>) {
        match self {
            Self::Machine { runtime, publisher } => (Kind::Machine, Some(runtime), Some(publisher)),
            Self::Ingress { publisher } => (Kind::Ingress, None, Some(publisher)),
            Self::Scaler => (Kind::Scaler, None, None),
        }
    }
}
