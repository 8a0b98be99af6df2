//! Why it cannot be read what pods use. Each reads as the end of a sentence.

use std::error::Error;
use std::time::Duration;

/// Why it cannot be read what pods use.
#[derive(Debug, thiserror::Error)]
pub enum PodUsageError {
    /// No cluster is configured, in the environment of a pod or by KUBECONFIG.
    #[error("no cluster to ask: {0}; run in a pod, or set KUBECONFIG")]
    Configuration(Box<kube::Error>),
    /// The role does not allow it.
    #[error(
        "Kubernetes does not let Ebbtide {verb} {resource}{place}; give its role the verb {verb} on \
         {resource}{group}"
    )]
    Forbidden {
        /// The verb, as a role has it.
        verb: &'static str,
        /// The resource, as a role has it.
        resource: String,
        /// ` of the API group metrics.k8s.io`, or nothing.
        group: String,
        /// ` in namespace default`, or nothing.
        place: String,
    },
    /// Who asks is not known to the API server.
    #[error(
        "Kubernetes does not know who asks (401); see whether the service account's token is mounted"
    )]
    Unauthorized,
    /// Nothing answers `metrics.k8s.io`.
    #[error(
        "there is no metrics.k8s.io in the cluster: metrics-server is not installed; install it, or \
         read the kubelets instead"
    )]
    NoMetricsServer,
    /// Something that was named is not there.
    #[error("there is no {what}")]
    Missing {
        /// What: `hello among the services in namespace default`.
        what: String,
    },
    /// Some other refusal.
    #[error("Kubernetes answers {status} when asked to {what}: {message}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What was asked for: `list pods in namespace default`.
        what: String,
        /// The beginning of what it said.
        message: String,
    },
    /// The request or its answer did not get through.
    #[error("Kubernetes cannot be asked to {what}: {}", root(source.as_ref()))]
    Unreachable {
        /// What was asked for.
        what: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The answer was cut off.
    #[error("the answer of Kubernetes broke off when asked to {what}: {because}")]
    BrokenOff {
        /// What was asked for.
        what: String,
        /// Why.
        because: String,
    },
    /// The answer is too large.
    #[error("the answer of Kubernetes to {what} has more than {most} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The most that is taken in.
        most: usize,
    },
    /// There are too many pods.
    #[error("more than {most} pods are selected; select fewer")]
    TooMany {
        /// The most that are looked at.
        most: usize,
    },
    /// The answer is not what was expected.
    #[error("the answer of Kubernetes to {what} cannot be read: {because}")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// Why.
        because: String,
    },
    /// The answer did not come in time.
    #[error("Kubernetes did not answer within {} s", .0.as_secs())]
    TooLate(Duration),
    /// What was named cannot be a name.
    #[error("{what} {name:?} is not a name of Kubernetes: lowercase letters, digits, - and .")]
    Name {
        /// Of what.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// It is not known which pods are meant.
    #[error("{what} selects no pods: {because}")]
    NoSelector {
        /// What should have selected some.
        what: String,
        /// Why it does not.
        because: &'static str,
    },
}

/// What an error comes from: those around it only say whom it befell.
fn root(error: &dyn Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}
