//! The arithmetic of `traffic set`: some weights are given, and the others share what is left in
//! the proportions they had, as `az containerapp ingress traffic set` does it.

use std::collections::BTreeSet;
use std::str::FromStr;

use anyhow::{bail, ensure};

use crate::api::model::{AppStatus, TrafficEntry, TrafficStatus};

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

/// All entries of the app's traffic, with `changes` made. They sum to 100.
///
/// # Errors
/// When a name is not known or is meant twice, or the weights cannot sum to 100.
pub(super) fn plan(app: &AppStatus, changes: &[WeightChange]) -> anyhow::Result<Vec<TrafficEntry>> {
    let given: u32 = changes.iter().map(|change| change.weight).sum();
    ensure!(
        given <= 100,
        "the weights given sum to {given}; they may not exceed 100"
    );
    let mut entries: Vec<TrafficEntry> = app.traffic.iter().map(entry).collect();
    let mut mentioned = BTreeSet::new();
    for change in changes {
        let at = find_or_add(app, &mut entries, &change.name)?;
        ensure!(mentioned.insert(at), "{} is given twice", change.name);
        entries[at].weight = change.weight;
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
    Ok(entries)
}

fn entry(status: &TrafficStatus) -> TrafficEntry {
    TrafficEntry {
        revision_name: (!status.latest_revision).then(|| status.revision_name.clone()),
        latest_revision: status.latest_revision,
        weight: status.weight,
        label: status.label.clone(),
    }
}

/// The entry that `name` means; a revision without one gets one.
fn find_or_add(
    app: &AppStatus,
    entries: &mut Vec<TrafficEntry>,
    name: &str,
) -> anyhow::Result<usize> {
    if name == "latest" {
        let at = entries.iter().position(|entry| entry.latest_revision);
        return Ok(at.unwrap_or_else(|| added(entries, None)));
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
    let of_revision = entries
        .iter()
        .position(|e| e.revision_name.as_ref() == Some(&full));
    match labelled {
        Some(at) if is_revision && of_revision != Some(at) => {
            bail!("{name} is a label and a suffix; write {full}, or another name of the label's")
        }
        Some(at) => Ok(at),
        None if is_revision => Ok(of_revision.unwrap_or_else(|| added(entries, Some(full)))),
        None => bail!(
            "{name} is no revision or label of {}; there are {}",
            app.name,
            known(app)
        ),
    }
}

fn added(entries: &mut Vec<TrafficEntry>, revision_name: Option<String>) -> usize {
    entries.push(TrafficEntry {
        latest_revision: revision_name.is_none(),
        revision_name,
        weight: 0,
        label: None,
    });
    entries.len() - 1
}

fn known(app: &AppStatus) -> String {
    let labels = app.traffic.iter().filter_map(|entry| entry.label.clone());
    let revisions = app.revisions.iter().map(|revision| revision.name.clone());
    let names: Vec<String> = revisions
        .chain(labels)
        .chain(["latest".to_owned()])
        .collect();
    names.join(", ")
}

/// The weights in the same proportions with another sum: the method of largest remainders, of
/// equal ones the first. None when something is to be shared and nobody has any weight.
fn scaled(weights: &[u32], sum: u32) -> Option<Vec<u32>> {
    let whole: u32 = weights.iter().sum();
    if whole == 0 {
        return (sum == 0).then(|| weights.to_vec());
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
mod tests {
    use super::*;
    use crate::api::testing::{app, revision};

    /// An app with revisions v1 to v3; entries as `name:weight` or `name:weight:label`.
    fn status(entries: &str) -> AppStatus {
        let mut app = app("hello");
        app.revisions = ["v1", "v2", "v3"]
            .map(|s| revision(&format!("hello--{s}")))
            .into();
        for entry in entries.split_whitespace() {
            let mut parts = entry.split(':');
            let name = parts.next().unwrap();
            app.traffic.push(TrafficStatus {
                revision_name: format!("hello--{}", if name == "latest" { "v3" } else { name }),
                weight: parts.next().unwrap().parse().unwrap(),
                latest_revision: name == "latest",
                label: parts.next().map(str::to_owned),
                label_url: None,
                observed_percent: None,
                observed_requests: 0,
            });
        }
        app
    }

    fn planned(before: &str, changes: &str) -> Result<String, String> {
        let changes: Vec<WeightChange> = changes
            .split_whitespace()
            .map(|change| change.parse().unwrap())
            .collect();
        let entries = plan(&status(before), &changes).map_err(|error| error.to_string())?;
        assert_eq!(
            entries.iter().map(|entry| entry.weight).sum::<u32>(),
            100,
            "{before}"
        );
        let texts = entries.iter().map(|entry| {
            assert_ne!(entry.latest_revision, entry.revision_name.is_some());
            let name = entry.revision_name.as_deref().unwrap_or("hello--latest");
            let label = entry.label.as_ref().map(|label| format!(":{label}"));
            format!(
                "{}:{}{}",
                &name[7..],
                entry.weight,
                label.unwrap_or_default()
            )
        });
        Ok(texts.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_is_not_mentioned_shares_the_rest_as_before() {
        for (before, changes, after) in [
            ("v1:100", "v1=100", "v1:100"),
            ("v1:100", "v2=10", "v1:90 v2:10"),
            ("v1:80 v2:20", "v2=50", "v1:50 v2:50"),
            ("v1:80 v2:20", "hello--v2=100", "v1:0 v2:100"),
            ("v1:80 v2:20", "v3=50", "v1:40 v2:10 v3:50"),
            ("v1:50 v2:50", "v3=25", "v1:38 v2:37 v3:25"),
            ("v1:33 v2:33 latest:34", "latest=0", "v1:50 v2:50 latest:0"),
            ("v1:33 v2:67", "latest=1", "v1:33 v2:66 latest:1"),
            ("v1:100", "latest=100", "v1:0 latest:100"),
            ("latest:100", "v1=20", "latest:80 v1:20"),
            (
                "v1:100:blue v2:0:green",
                "green=100 blue=0",
                "v1:0:blue v2:100:green",
            ),
            (
                "v1:100:blue v2:0:green",
                "green=20",
                "v1:80:blue v2:20:green",
            ),
            ("v1:100:v1 v2:0", "v1=30 v2=70", "v1:30:v1 v2:70"),
            ("v1:1 v2:99", "v3=99", "v1:0 v2:1 v3:99"),
        ] {
            assert_eq!(
                planned(before, changes).as_deref(),
                Ok(after),
                "{before} {changes}"
            );
        }
    }

    #[test]
    fn what_cannot_sum_to_100_or_is_not_known_is_refused() {
        for (before, changes, expected) in [
            ("v1:80 v2:20", "v1=60 v2=60", "sum to 120"),
            ("v1:80 v2:20", "v1=60 v2=30", "sum to 90"),
            ("v1:100 v2:0", "v1=90", "sum to 90"),
            (
                "v1:100",
                "v9=10",
                "there are hello--v1, hello--v2, hello--v3, latest",
            ),
            ("v1:100", "other--v1=10", "is no revision"),
            ("v1:100", "v1=50 hello--v1=50", "given twice"),
            ("v1:100:v2 v2:0", "v2=50", "a label and a suffix"),
        ] {
            let error = planned(before, changes).unwrap_err();
            assert!(error.contains(expected), "{before} {changes}: {error}");
        }
    }

    #[test]
    fn a_change_is_a_name_and_a_percentage() {
        for bad in ["", "v1", "=1", "v1=", "v1=-1", "v1=101", "v1=1.5", "v1=a"] {
            assert!(bad.parse::<WeightChange>().is_err(), "{bad}");
        }
        let change = WeightChange {
            name: "v1".to_owned(),
            weight: 100,
        };
        assert_eq!("v1=100".parse(), Ok(change));
    }
}
