//! The decision itself.

use super::{Decision, Inputs, ScaleSpec, ScaleState};
use crate::name::RevisionName;

/// Decides how many replicas `revision` gets now.
pub fn decide(
    revision: &RevisionName,
    spec: &ScaleSpec,
    state: &ScaleState,
    inputs: &Inputs<'_>,
) -> (ScaleState, Decision) {
    let to = state.desired.clamp(spec.min_replicas, spec.max_replicas);
    let decision = Decision {
        revision: revision.clone(),
        at: inputs.now,
        from: state.desired,
        to,
        recommendations: Vec::new(),
        limits: Vec::new(),
    };
    let next = ScaleState {
        desired: to,
        ..state.clone()
    };
    (next, decision)
}
