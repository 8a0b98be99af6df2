//! Why a Deployment cannot be followed.

use std::error::Error;
use std::time::Duration;

use kube::runtime::watcher;
use thiserror::Error;

use super::{Deployment, FIRST};

/// Why a Deployment cannot be followed.
#[derive(Debug, Error)]
pub(crate) enum KubernetesError {
    /// No cluster is configured.
    #[error("no cluster to ask: {0}; set KUBECONFIG, or run in a pod")]
    Configuration(String),
    /// It is not there.
    #[error("there is no Deployment {name} in namespace {namespace}")]
    Missing { namespace: String, name: String },
    /// The role does not allow it.
    #[error(
        "Kubernetes does not allow to {what} in namespace {namespace}: {message}; the verbs get, list and watch on \
         deployments and pods are needed"
    )]
    Forbidden {
        what: &'static str,
        namespace: String,
        message: String,
    },
    /// The request or its answer did not get through.
    #[error("Kubernetes cannot be asked to {what}: {because}")]
    Unreachable { what: &'static str, because: String },
    /// It did not answer in time.
    #[error("Kubernetes did not tell of {what} within {} s", within.as_secs())]
    TooLate { what: String, within: Duration },
    /// It is not known which pods are meant.
    #[error("{0} has no selector for its pods")]
    Selector(String),
}

impl Deployment {
    pub(super) fn late(&self) -> KubernetesError {
        KubernetesError::TooLate {
            what: self.to_string(),
            within: FIRST,
        }
    }

    pub(super) fn unreachable(&self, what: &'static str, error: &kube::Error) -> KubernetesError {
        match error {
            kube::Error::Api(status) if status.code == 404 && what == "get deployments" => {
                KubernetesError::Missing {
                    namespace: self.namespace.clone(),
                    name: self.name.clone(),
                }
            }
            kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
                KubernetesError::Forbidden {
                    what,
                    namespace: self.namespace.clone(),
                    message: status.message.clone(),
                }
            }
            other => KubernetesError::Unreachable {
                what,
                because: root(other),
            },
        }
    }

    pub(super) fn broken(&self, what: &'static str, error: &watcher::Error) -> KubernetesError {
        KubernetesError::Unreachable {
            what,
            because: format!("{} ({self})", root(error)),
        }
    }
}

/// What an error comes from: those around it only say whom it befell.
fn root(error: &dyn Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}
