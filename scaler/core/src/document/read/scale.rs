//! `template.scale`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::document::model::{Scale, ScaleRule};
use crate::document::node::NodeValue;
use crate::document::reader::{Field, HIDDEN, Reader};

use super::rule;
use super::secrets::SecretNames;

/// The most replicas that Azure's command line takes.
const MOST_REPLICAS: u32 = 1000;

/// Reads the limits and rules. None if it is not a mapping, which is reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    secrets: Option<&SecretNames>,
) -> Option<Scale> {
    let mut object = reader.object(field)?;
    let default = Scale::default();
    let min = object.integer(reader, "minReplicas", 0..=MOST_REPLICAS);
    let max = object.integer(reader, "maxReplicas", 1..=MOST_REPLICAS);
    let cooldown = object.integer(reader, "cooldownPeriod", 1..=u32::MAX);
    let polling = object.integer(reader, "pollingInterval", 1..=u32::MAX);
    let rules = object.list(reader, "rules");
    let limits = [object.get("minReplicas"), object.get("maxReplicas")];
    object.finish(reader);

    let rules = read_rules(reader, &rules, secrets);
    let min_replicas = min.unwrap_or(default.min_replicas);
    let max_replicas = max.unwrap_or(default.max_replicas);
    if min_replicas > max_replicas
        && let Some(field) = limits.iter().flatten().next()
    {
        let [low, high] = [(0, min_replicas), (1, max_replicas)]
            .map(|(index, number)| shown(limits[index].as_ref(), number));
        let absent = if max.is_none() { ", its default" } else { "" };
        reader.error(
            field,
            format!("{low} is more than maxReplicas, {high}{absent}"),
        );
    }
    let seconds = |number: Option<u32>, default| {
        number.map_or(default, |number| Duration::from_secs(number.into()))
    };
    Some(Scale {
        min_replicas,
        max_replicas,
        cooldown_period: seconds(cooldown, default.cooldown_period),
        polling_interval: seconds(polling, default.polling_interval),
        rules,
    })
}

/// A limit as messages show it.
fn shown(field: Option<&Field<'_>>, number: u32) -> String {
    match field.map(|field| &field.node.value) {
        Some(NodeValue::Scalar(scalar)) if scalar.hidden => HIDDEN.to_owned(),
        _ => number.to_string(),
    }
}

fn read_rules(
    reader: &mut Reader<'_>,
    fields: &[Field<'_>],
    secrets: Option<&SecretNames>,
) -> Vec<ScaleRule> {
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for field in fields {
        if let Some(rule) = rule::read(reader, field, secrets) {
            if !names.insert(rule.name.clone()) {
                let message = format!("a second rule has the name `{}`", rule.name);
                reader.error(field, message);
            }
            rules.push(rule);
        }
    }
    rules
}
