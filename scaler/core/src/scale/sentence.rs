//! A decision as one sentence.

use super::decision::{Decision, Limit, LimitKind, Recommendation};

/// What was decided; then what woke the revision or put it to rest, if something did; then the
/// arithmetic of each rule; then the limits in the order in which they were applied.
pub(super) fn sentence(decision: &Decision) -> String {
    let Decision {
        revision, from, to, ..
    } = decision;
    let what = if decision.changed() {
        format!("{revision} {from} → {to}")
    } else {
        format!("{revision} stays at {to}")
    };
    format!("{what}: {}", reasons(decision).join("; "))
}

fn reasons(decision: &Decision) -> Vec<String> {
    let recommendations = &decision.recommendations;
    let (causes, limits): (Vec<_>, Vec<_>) = decision.limits.iter().partition(|it| is_cause(it));
    let because = |limit: &Limit| limit.because.clone();
    let mut reasons: Vec<_> = causes.into_iter().map(because).collect();
    reasons.extend(recommendations.iter().map(clause));
    if recommendations.is_empty() {
        reasons.push("no scale rules".to_owned());
    }
    if recommendations
        .iter()
        .filter(|it| it.replicas.is_some())
        .count()
        > 1
    {
        reasons.push("max of rules".to_owned());
    }
    reasons.extend(limits.into_iter().map(because));
    reasons
}

/// Whether a limit, rather than a rule, is why there are replicas or none.
fn is_cause(limit: &Limit) -> bool {
    limit.kind == LimitKind::Activity || limit.kind == LimitKind::Cooldown && limit.to == 0
}

/// `queue orders 58 / target 10 = 6`, or `queue orders unknown: connection refused`.
fn clause(recommendation: &Recommendation) -> String {
    let Recommendation {
        value,
        replicas,
        because,
        ..
    } = recommendation;
    let rule = label(recommendation);
    match (value, replicas) {
        (None, _) => format!("{rule} unknown: {because}"),
        (Some(_), None) => format!("{rule}: {because}"),
        (Some(_), Some(_)) => format!("{rule} {because}"),
    }
}

/// The scaler and the rule's name, or only the name if it says the scaler already.
fn label(recommendation: &Recommendation) -> String {
    let Recommendation { scaler, rule, .. } = recommendation;
    if rule.to_lowercase().contains(&scaler.to_lowercase()) {
        rule.clone()
    } else {
        format!("{scaler} {rule}")
    }
}
