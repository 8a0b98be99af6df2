//! Rules of a trigger's own.

use std::collections::BTreeSet;
use std::time::Duration;

use super::keys::{self, KEYS};
use super::reading::{Given, Reading};
use super::source::Own;
use super::{OwnRules, Scope};
use crate::document::ScaleRule;
use crate::document::fragment::{Fragment, Rules, Setting, read_scale};
use crate::scale::ScaleSpec;
use crate::scale::resolve::{Place, Stabilization, metadata_path};
use crate::scaler::{FROM_ENV, without_from_env};

/// The longest name of a rule, and of a scaler, in bytes.
const LONGEST_NAME: usize = 128;

/// The keys that a document's `scale` has too.
const LIMITS: [&str; 4] = [
    "minReplicas",
    "maxReplicas",
    "cooldownPeriod",
    "pollingInterval",
];

impl<'m> Reading<'m> {
    /// The rules and limits, for a target that counts the requests of `traffic`.
    pub(super) fn own_rules(
        &mut self,
        source: &Own<'m>,
        traffic: Option<Scope>,
        warnings: &mut Vec<String>,
    ) -> Option<OwnRules> {
        let limits = self.settings(LIMITS);
        let stabilization = self.stabilization();
        let rules = match source {
            Own::List(text) => Rules::List(text),
            Own::Flat(scaler) => Rules::One(scaler, self.rule_settings(scaler)),
        };
        let flat = FlatRule::of(&rules);
        let fragment = read_scale(&limits, &rules);
        for error in &fragment.errors {
            self.wrong(flat.key(&error.path), &error.message);
        }
        let said =
            |one: &crate::document::Diagnostic| format!("{}: {}", flat.key(&one.path), one.message);
        warnings.extend(fragment.warnings.iter().map(said));
        self.checked(fragment, stabilization, traffic, &flat, warnings)
    }

    fn checked(
        &mut self,
        fragment: Fragment,
        stabilization: Stabilization,
        traffic: Option<Scope>,
        flat: &FlatRule,
        warnings: &mut Vec<String>,
    ) -> Option<OwnRules> {
        let scale = fragment.scale?;
        self.check_traffic(&scale.rules);
        if !fragment.is_complete {
            return None;
        }
        if !flat.is_one {
            self.check_list(&scale.rules);
        }
        let place = |index, rule: &ScaleRule| flat.place(index, rule);
        let spec = match ScaleSpec::from_rules(&scale, stabilization, traffic.is_some(), &place) {
            Ok(spec) => spec,
            Err(errors) => {
                let new = |path: &str| {
                    !fragment
                        .errors
                        .iter()
                        .any(|one| flat.key(&one.path) == path)
                };
                for error in errors.iter().filter(|error| new(&error.path)) {
                    self.wrong(&error.path, &error.message);
                }
                return None;
            }
        };
        warnings.extend(spec.surprises(&scale, traffic.is_some()));
        Some(OwnRules {
            spec,
            traffic,
            rules: scale.rules,
        })
    }

    /// The values of `keys` that are given.
    fn settings(&mut self, keys: impl IntoIterator<Item = &'m str>) -> Vec<Setting<'m>> {
        let mut settings = Vec::new();
        for key in keys {
            settings.extend(self.text(key).map(|Given { value, is_shown }| Setting {
                key,
                text: value,
                hidden: !is_shown,
            }));
        }
        settings
    }

    /// The metadata of a flat rule: its scaler's keys, or all that are not Ebbtide's own.
    fn rule_settings(&mut self, scaler: &str) -> Vec<Setting<'m>> {
        if let Some(keys) = keys::of_scaler(scaler) {
            return self.settings(keys);
        }
        let keys = self.metadata.keys().map(|key| without_from_env(key));
        let is_own = |name: &str| KEYS.iter().any(|key| key.name == name);
        let names: BTreeSet<&str> = keys
            .filter(|name| !name.is_empty() && !is_own(name))
            .collect();
        self.settings(names)
    }

    fn stabilization(&mut self) -> Stabilization {
        Stabilization {
            scale_in: self.seconds("scaleInStabilizationSeconds"),
            scale_out: self.seconds("scaleOutStabilizationSeconds"),
        }
    }

    fn seconds(&mut self, key: &str) -> Option<Duration> {
        let given = self.text(key)?;
        let seconds: Option<u32> = given.value.parse().ok();
        if seconds.is_none() {
            let shown = given.shown();
            self.wrong(
                key,
                &format!("{shown} is not a whole number of seconds, as in 300"),
            );
        }
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    fn check_traffic(&mut self, rules: &[ScaleRule]) {
        let counts = |rule: &&ScaleRule| matches!(rule.scaler.as_str(), "http" | "tcp");
        if let Some(rule) = rules.iter().find(counts)
            && !self.has("app")
        {
            let message = format!(
                "is missing; the {} rule counts what comes through Ebbtide's ingress, so give the \
                 app whose traffic that is",
                rule.scaler
            );
            self.wrong("app", &message);
        }
    }

    /// What a document may have and a trigger's list may not.
    fn check_list(&mut self, rules: &[ScaleRule]) {
        for (index, rule) in rules.iter().enumerate() {
            let path = format!("rules[{index}]");
            for (key, text) in [("name", &rule.name), ("custom.type", &rule.scaler)] {
                let is_name = !text.is_empty() && !text.contains(char::is_control);
                if !is_name || text.len() > LONGEST_NAME {
                    let message = format!("give 1 to {LONGEST_NAME} characters, none of control");
                    self.wrong(&format!("{path}.{key}"), &message);
                }
            }
            let metadata = metadata_path(rule.form);
            if !rule.auth.is_empty() {
                let form = metadata.split('.').next().unwrap_or(metadata);
                let message = "there are no secrets that it could name; give the rule as keys of \
                               the trigger, and what is secret as in hostFromEnv";
                self.wrong(&format!("{path}.{form}.auth"), message);
            }
            for key in rule.metadata.keys().filter(|key| key.ends_with(FROM_ENV)) {
                let message = "KEDA fills in variables for keys of the trigger alone; give the \
                               rule as such keys";
                self.wrong(&format!("{path}.{metadata}.{key}"), message);
            }
        }
    }
}

/// How paths in the document's shape become keys of the trigger.
struct FlatRule {
    is_one: bool,
    hidden: BTreeSet<String>,
}

impl FlatRule {
    fn of(rules: &Rules<'_>) -> Self {
        let hidden = match rules {
            Rules::List(_) => BTreeSet::new(),
            Rules::One(_, settings) => {
                let hidden = settings.iter().filter(|setting| setting.hidden);
                hidden.map(|setting| setting.key.to_owned()).collect()
            }
        };
        let is_one = matches!(rules, Rules::One(..));
        Self { is_one, hidden }
    }

    fn key<'p>(&self, path: &'p str) -> &'p str {
        let parts = path.strip_prefix("rules[0].").filter(|_| self.is_one);
        let key = parts.and_then(|parts| parts.split_once(".metadata."));
        key.map_or(path, |(_, key)| key)
    }

    fn place(&self, index: usize, rule: &ScaleRule) -> Place {
        let prefix = if self.is_one {
            String::new()
        } else {
            format!("rules[{index}].{}.", metadata_path(rule.form))
        };
        Place {
            prefix,
            hidden: self.hidden.clone(),
        }
    }
}
