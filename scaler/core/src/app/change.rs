//! What happened to an app, for the log, the API and the control loop.

use std::fmt;

use crate::name::RevisionName;

/// One revision's part of an app's requests, as in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The revision.
    pub revision: RevisionName,
    /// Percent of the requests.
    pub weight: u32,
    /// The first label among its entries.
    pub label: Option<String>,
    /// Whether an entry that follows the latest revision leads to it.
    pub latest: bool,
}

/// Something that happened to an app. Displays as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A revision was made.
    RevisionCreated(RevisionName),
    /// A revision that existed before is the latest again.
    LatestRevisionChanged(RevisionName),
    /// A revision had as many ready replicas as it needed.
    RevisionProvisioned(RevisionName),
    /// No replica of a revision can start.
    RevisionFailed {
        /// The revision.
        revision: RevisionName,
        /// What is wrong.
        because: String,
    },
    /// A revision may have replicas again.
    RevisionActivated(RevisionName),
    /// A revision's replicas are to be drained.
    RevisionDeactivated(RevisionName),
    /// A revision's replicas are to be replaced by new ones.
    RevisionRestarted(RevisionName),
    /// An inactive revision was forgotten.
    RevisionPurged(RevisionName),
    /// Requests are split in another way.
    TrafficChanged {
        /// The weights in force; empty when no revision can take traffic.
        shares: Vec<Share>,
    },
    /// Something changed that applies to the app as a whole.
    ConfigurationChanged {
        /// The paths of what changed: `tags`, `properties.configuration.ingress.traffic`.
        what: Vec<String>,
    },
}

impl Change {
    /// The revision that it is about, if it is about one.
    pub fn revision(&self) -> Option<&RevisionName> {
        match self {
            Self::RevisionCreated(revision)
            | Self::LatestRevisionChanged(revision)
            | Self::RevisionProvisioned(revision)
            | Self::RevisionFailed { revision, .. }
            | Self::RevisionActivated(revision)
            | Self::RevisionDeactivated(revision)
            | Self::RevisionRestarted(revision)
            | Self::RevisionPurged(revision) => Some(revision),
            Self::TrafficChanged { .. } | Self::ConfigurationChanged { .. } => None,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RevisionCreated(name) => write!(f, "revision {name} was created"),
            Self::LatestRevisionChanged(name) => write!(f, "revision {name} is the latest again"),
            Self::RevisionProvisioned(name) => write!(f, "revision {name} is provisioned"),
            Self::RevisionFailed { revision, because } => {
                write!(f, "revision {revision} failed: {because}")
            }
            Self::RevisionActivated(name) => write!(f, "revision {name} was activated"),
            Self::RevisionDeactivated(name) => write!(f, "revision {name} was deactivated"),
            Self::RevisionRestarted(name) => write!(f, "revision {name} is being restarted"),
            Self::RevisionPurged(name) => write!(f, "inactive revision {name} was purged"),
            Self::TrafficChanged { shares } if shares.is_empty() => {
                f.write_str("no revision can take traffic")
            }
            Self::TrafficChanged { shares } => {
                let shares: Vec<String> = shares.iter().map(Share::to_string).collect();
                write!(f, "traffic goes to {}", shares.join(", "))
            }
            Self::ConfigurationChanged { what } => write!(f, "{} changed", what.join(", ")),
        }
    }
}

impl fmt::Display for Share {
    /// `hello--v1 80%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}%", self.revision, self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_one_sentence() {
        let name = RevisionName::parse("hello--v1").unwrap();
        let share = |weight| Share {
            revision: name.clone(),
            weight,
            label: None,
            latest: false,
        };
        let cases = [
            (
                Change::RevisionFailed {
                    revision: name.clone(),
                    because: "exit status 1".into(),
                },
                "revision hello--v1 failed: exit status 1",
            ),
            (
                Change::TrafficChanged { shares: vec![] },
                "no revision can take traffic",
            ),
            (
                Change::TrafficChanged {
                    shares: vec![share(80), share(20)],
                },
                "traffic goes to hello--v1 80%, hello--v1 20%",
            ),
            (
                Change::ConfigurationChanged {
                    what: vec!["tags".into(), "location".into()],
                },
                "tags, location changed",
            ),
        ];
        for (change, sentence) in cases {
            assert_eq!(change.to_string(), sentence);
        }
    }
}
