//! The arithmetic of `traffic set`: some weights are given, and the others share what is left in
//! the proportions they had, as `az containerapp ingress traffic set` does it.
//!
//! It starts from the entries as they are set, not from the shares in force: those have one row
//! for each revision, in which an entry that names a revision and one that follows the latest
//! cannot be told apart.

use std::collections::BTreeSet;
use std::str::FromStr;

use anyhow::{bail, ensure};

use crate::api::model::{AppStatus, TrafficEntry};

/// `NAME=WEIGHT`: a revision, a suffix, a label or `latest`, and its percentage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightChange {
    name: String,
    weight: u32,
}

impl FromStr for WeightChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, weight) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| "write NAME=WEIGHT, as in v2=10".to_owned())?;
        let weight = weight.parse().ok().filter(|weight| *weight <= 100);
        let weight = weight.ok_or_else(|| "the weight is a percentage, 0 to 100".to_owned())?;
        Ok(Self {
            name: name.to_owned(),
            weight,
        })
    }
}

/// All entries of the app's traffic, with `changes` made. They sum to 100; of those with no weight
/// only the ones with a label are left, because it still leads somewhere.
///
/// # Errors
/// When a name is not known or is meant twice, or the weights cannot sum to 100.
pub(super) fn plan(app: &AppStatus, changes: &[WeightChange]) -> anyhow::Result<Vec<TrafficEntry>> {
    let given: u32 = changes.iter().map(|change| change.weight).sum();
    ensure!(
        given <= 100,
        "the weights given sum to {given}; they may not exceed 100"
    );
    let mut entries = entries_as_set(app);
    let mut mentioned = BTreeSet::new();
    for change in changes {
        let mut weight = change.weight;
        for at in find_or_add(app, &mut entries, &change.name)? {
            ensure!(mentioned.insert(at), "{} is given twice", change.name);
            // A revision with several entries gets what was given for it once, not for each.
            entries[at].weight = std::mem::take(&mut weight);
        }
    }
    let others = (0..entries.len())
        .filter(|at| !mentioned.contains(at))
        .collect::<Vec<_>>();
    let weights: Vec<u32> = others.iter().map(|&at| entries[at].weight).collect();
    let Some(shares) = scaled(&weights, 100 - given) else {
        bail!(
            "the weights given sum to {given} and no other revision has requests to share the \
             rest; make them sum to 100"
        );
    };
    for (at, share) in others.into_iter().zip(shares) {
        entries[at].weight = share;
    }
    entries.retain(|entry| entry.weight > 0 || entry.label.is_some());
    Ok(entries)
}

fn entries_as_set(app: &AppStatus) -> Vec<TrafficEntry> {
    if app.traffic_entries.is_empty() {
        return vec![entry(None, 100)];
    }
    app.traffic_entries.clone()
}

/// The entries that `name` means, at least one; a revision without one gets one.
fn find_or_add(
    app: &AppStatus,
    entries: &mut Vec<TrafficEntry>,
    name: &str,
) -> anyhow::Result<Vec<usize>> {
    if name == "latest" {
        return Ok(leading_to(entries, None));
    }
    let labelled = entries
        .iter()
        .position(|entry| entry.label.as_deref() == Some(name));
    let full = if name.contains("--") {
        name.to_owned()
    } else {
        format!("{}--{name}", app.name)
    };
    let is_revision = app.revisions.iter().any(|revision| revision.name == full);
    let Some(at) = labelled else {
        ensure!(
            is_revision,
            "{name} is no revision or label of {}; there are {}",
            app.name,
            known(app)
        );
        return Ok(leading_to(entries, Some(full)));
    };
    let target = entries[at].revision_name.as_deref().unwrap_or("latest");
    ensure!(
        !is_revision || target == full,
        "{name} is the label of {target} and the suffix of {full}; write {target} or {full}"
    );
    Ok(vec![at])
}

/// The entries that name this revision, or with none follow the latest; a new one if there is none.
fn leading_to(entries: &mut Vec<TrafficEntry>, revision: Option<String>) -> Vec<usize> {
    let found: Vec<usize> = (0..entries.len())
        .filter(|&at| entries[at].revision_name == revision)
        .collect();
    if !found.is_empty() {
        return found;
    }
    entries.push(entry(revision, 0));
    vec![entries.len() - 1]
}

fn entry(revision_name: Option<String>, weight: u32) -> TrafficEntry {
    TrafficEntry {
        latest_revision: revision_name.is_none(),
        revision_name,
        weight,
        label: None,
    }
}

fn known(app: &AppStatus) -> String {
    let entries = app.traffic_entries.iter();
    let labels = entries.filter_map(|entry| entry.label.clone());
    let revisions = app.revisions.iter().map(|revision| revision.name.clone());
    let names: Vec<String> = revisions
        .chain(labels)
        .chain(["latest".to_owned()])
        .collect();
    names.join(", ")
}

/// The weights in the same proportions with another sum: the method of largest remainders, of
/// equal ones the first. Where all are zero, a single one gets everything; of several none has a
/// better claim, and the answer is None unless there is nothing to share.
fn scaled(weights: &[u32], sum: u32) -> Option<Vec<u32>> {
    let whole: u32 = weights.iter().sum();
    if whole == 0 {
        let single = weights.len() == 1;
        return (single || sum == 0).then(|| vec![sum; weights.len()]);
    }
    let mut shares: Vec<u32> = weights.iter().map(|weight| weight * sum / whole).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(weights[at] * sum % whole));
    let missing = sum - shares.iter().sum::<u32>();
    for at in order.into_iter().take(missing as usize) {
        shares[at] += 1;
    }
    Some(shares)
}

#[cfg(test)]
mod tests;
