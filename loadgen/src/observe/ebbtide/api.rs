//! What is read of the status API's events. Other fields are passed over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::observe::collect::State;
use crate::observe::model::Replicas;

/// Scalers whose value is the length of a queue, or what a query finds to be done.
const QUEUES: [&str; 9] = [
    "azure-queue",
    "azure-servicebus",
    "kafka",
    "mysql",
    "nats-jetstream",
    "postgresql",
    "rabbitmq",
    "redis",
    "redis-streams",
];

/// The event `apps`.
#[derive(Debug, Deserialize)]
pub(super) struct Apps {
    pub(super) value: Vec<App>,
}

/// An app.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct App {
    pub(super) name: String,
    /// None without ingress.
    #[serde(default)]
    pub(super) url: Option<String>,
    pub(super) revisions: Vec<Revision>,
}

/// A revision of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Revision {
    pub(super) name: String,
    pub(super) traffic_weight: u32,
    pub(super) replicas: Replicas,
    pub(super) waiting_requests: u64,
    pub(super) rules: Vec<Rule>,
}

/// A scale rule of it.
#[derive(Debug, Deserialize)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) scaler: String,
    /// None when unknown.
    pub(super) value: Option<f64>,
}

/// The event `event`.
#[derive(Debug, Deserialize)]
pub(super) struct Happened {
    #[serde(deserialize_with = "time")]
    pub(super) time: Timestamp,
    pub(super) app: String,
    #[serde(default)]
    pub(super) revision: Option<String>,
    #[serde(default)]
    pub(super) replica: Option<String>,
    pub(super) reason: String,
    pub(super) message: String,
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(D::Error::custom)
}

/// An error's body.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    pub(super) detail: String,
}

impl Revision {
    pub(super) fn state(&self) -> State {
        let queues = self.rules.iter().filter(|rule| is_queue(&rule.scaler));
        let value = |rule: &Rule| Some((rule.name.clone(), rule.value?));
        State {
            replicas: self.replicas,
            waiting: Some(self.waiting_requests),
            queues: queues.filter_map(value).collect(),
        }
    }
}

fn is_queue(scaler: &str) -> bool {
    QUEUES.contains(&scaler)
}

impl Apps {
    /// The weights of all revisions that have one.
    pub(super) fn weights<'a>(apps: impl Iterator<Item = &'a App>) -> BTreeMap<String, f64> {
        let revisions = apps.flat_map(|app| &app.revisions);
        let weighted = revisions.filter(|revision| revision.traffic_weight > 0);
        weighted
            .map(|revision| (revision.name.clone(), f64::from(revision.traffic_weight)))
            .collect()
    }
}

/// Reads JSON. An error says where it is.
pub(super) fn read<T: DeserializeOwned>(data: &str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(data);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        match path.as_str() {
            "." | "?" => error.to_string(),
            path => format!("{path}: {error}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPS: &str = r#"{"value": [{"name": "a", "url": null, "more": {"b": []}, "revisions": [
        {"name": "a--1", "trafficWeight": 100, "waitingRequests": 3, "other": 1.5,
         "replicas": {"desired": 2, "ready": 1, "starting": 1, "draining": 0},
         "rules": [{"name": "orders", "scaler": "rabbitmq", "value": 42.5},
                   {"name": "lost", "scaler": "kafka", "value": null},
                   {"name": "http", "scaler": "http", "value": 7}]},
        {"name": "a--0", "trafficWeight": 0, "waitingRequests": 0, "rules": [],
         "replicas": {"desired": 0, "ready": 0, "starting": 0, "draining": 1}}]}]}"#;

    #[test]
    fn only_what_is_needed_is_read() {
        let apps: Apps = read(APPS).unwrap();
        let revisions = &apps.value[0].revisions;
        let expected = State {
            replicas: Replicas {
                desired: 2,
                ready: 1,
                starting: 1,
                draining: 0,
            },
            waiting: Some(3),
            queues: [("orders".to_owned(), 42.5)].into(),
        };
        assert_eq!(revisions[0].state(), expected);
        assert_eq!(revisions[1].state().replicas.draining, 1);
        let weights = [("a--1".to_owned(), 100.0)].into();
        assert_eq!(Apps::weights(apps.value.iter()), weights);
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let cases = [
            ("{", "EOF while parsing"),
            ("[]", "invalid length 0"),
            (
                &APPS.replace("\"ready\": 1", "\"ready\": -1"),
                "value[0].revisions[0].replicas.ready: invalid value",
            ),
            (
                &APPS.replace("\"trafficWeight\": 0,", ""),
                "value[0].revisions[1]: missing field `trafficWeight`",
            ),
        ];
        for (text, expected) in cases {
            let error = read::<Apps>(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = read::<Happened>(r#"{"time": "yesterday"}"#).unwrap_err();
        assert!(error.starts_with("time: "), "{error}");
    }
}
