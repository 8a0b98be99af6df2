//! What was decided, and everything that led to it.

use serde::Serialize;

use super::sentence;
use crate::name::RevisionName;
use crate::time::Timestamp;

/// What one rule recommends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// The rule's name.
    pub rule: String,
    /// The scaler in KEDA's words.
    pub scaler: String,
    /// The value read; none when it is unknown. (Zero, with no `replicas`, when it is a resource's
    /// and no replica is ready to be measured.)
    pub value: Option<f64>,
    /// How much of the metric one replica is there for.
    pub target: f64,
    /// The replicas recommended; none when the value is unknown or there was nothing to measure.
    pub replicas: Option<u32>,
    /// The arithmetic, or why the value is unknown.
    pub because: String,
}

/// Something that changed the number on its way from the recommendations to the decision.
///
/// The end of a cooldown (`Cooldown`, to 0) takes away the replicas that there are, whatever the
/// rules recommend, so its `from` is their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Which.
    pub kind: LimitKind,
    /// The replicas before it.
    pub from: u32,
    /// The replicas after it.
    pub to: u32,
    /// In words, with its numbers: `capped by maxReplicas 6`.
    pub because: String,
}

/// Which limit changed a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LimitKind {
    /// `minReplicas`.
    Min,
    /// `maxReplicas`.
    Max,
    /// The step of scaling out.
    Step,
    /// A stabilization window.
    Stabilization,
    /// `cooldownPeriod`.
    Cooldown,
    /// There is activity, so the last replica stays or the first one starts; or there is none, so
    /// the revision stays at zero.
    Activity,
    /// A rule's value is unknown, so nothing is taken away.
    Unknown,
    /// A revision that takes over starts with as many replicas as the one it replaces.
    Takeover,
}

/// How many replicas a revision gets, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The revision.
    pub revision: RevisionName,
    /// When; converted to the wall clock at the edge.
    #[serde(skip)]
    pub at: Timestamp,
    /// The replicas decided before.
    pub from: u32,
    /// The replicas decided now.
    pub to: u32,
    /// Every rule's recommendation, in the document's order.
    pub recommendations: Vec<Recommendation>,
    /// Every limit that changed the number, in the order in which they were applied.
    pub limits: Vec<Limit>,
}

impl Decision {
    /// Whether the number of replicas is another than before.
    pub fn changed(&self) -> bool {
        self.from != self.to
    }

    /// The decision and its reasons in one sentence, as logs, the API and the page show it.
    pub fn sentence(&self) -> String {
        sentence::sentence(self)
    }
}
