//! What a container app document says, after parsing: Azure Container Apps' resource, typed.
//!
//! Defaults are applied and every value has been checked, so readers need not check again.
//! Properties that Ebbtide accepts but does not act on yet are kept as they were written.

mod access;
mod cors;
mod http_route;
mod ports;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::name::{AppName, RevisionName};

pub use access::{IpAction, IpSecurityRestriction};
pub use cors::CorsPolicy;

pub use http_route::*;
pub use ports::PortMapping;

/// A document that declares something: an app, an earlier revision of an app, or routes to apps.
#[derive(Clone, Debug, PartialEq)]
pub enum Declaration {
    /// `Microsoft.App/containerApps`: an app; its template is the app's latest revision.
    App(Box<ContainerApp>),
    /// `Microsoft.App/containerApps/revisions`, the shape `az containerapp revision show` prints:
    /// a revision that stands beside the app's latest one.
    Revision(Box<DeclaredRevision>),
    /// `Microsoft.App/managedEnvironments/httpRouteConfigs`: hosts whose requests go to apps by rules.
    Routes(Box<HttpRouteConfig>),
}

/// A revision declared by a document of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredRevision {
    /// `app--suffix`, from the document's `name`.
    pub name: RevisionName,
    /// `properties.active`, true if absent.
    pub active: bool,
    /// `properties.template`.
    pub template: Template,
    /// Properties accepted and not acted on, by their path, as written.
    pub accepted: BTreeMap<String, Value>,
}

/// A container app.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerApp {
    /// The app's name.
    pub name: AppName,
    /// `location`.
    pub location: Option<String>,
    /// `tags`; those that begin with `ebbtide.` set what the document has no property for.
    pub tags: BTreeMap<String, String>,
    /// `properties.configuration`: what applies to the app as a whole.
    pub configuration: Configuration,
    /// `properties.template`: what makes a revision.
    pub template: Template,
    /// Properties accepted and not acted on, by their path (`properties.environmentId`), as written.
    pub accepted: BTreeMap<String, Value>,
}

/// What applies to the app as a whole; a change of it makes no revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// `activeRevisionsMode`.
    pub active_revisions_mode: ActiveRevisionsMode,
    /// `maxInactiveRevisions`, 100 if absent.
    pub max_inactive_revisions: Option<u32>,
    /// `revisionTransitionThreshold`: percent of replicas ready before a switch; 100 if absent.
    pub revision_transition_threshold: Option<u32>,
    /// `secrets`.
    pub secrets: Vec<Secret>,
    /// `ingress`; none means that the app takes no requests.
    pub ingress: Option<Ingress>,
}

/// How many revisions may be active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActiveRevisionsMode {
    /// The latest one, as soon as it is ready.
    #[default]
    Single,
    /// As many as are not deactivated; traffic weights split requests between them.
    Multiple,
}

/// A named secret of the app.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// The name that `secretRef` uses.
    pub name: String,
    /// The value; none when the document leaves it out, as one in a vault (`keyVaultUrl`).
    pub value: Option<SecretValue>,
}

/// A text that never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

impl SecretValue {
    /// Keeps `value`.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The text itself, for the one place that has to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// `configuration.ingress`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ingress {
    /// `external`.
    pub external: bool,
    /// `targetPort`.
    pub target_port: Option<u16>,
    /// `allowInsecure`.
    pub allow_insecure: bool,
    /// `transport`.
    pub transport: Transport,
    /// `exposedPort`, for TCP.
    pub exposed_port: Option<u16>,
    /// `traffic`; empty means all to the latest ready revision.
    pub traffic: Vec<TrafficWeight>,
    /// Names of `customDomains`, lowercase.
    pub custom_domains: Vec<String>,
    /// `ipSecurityRestrictions`; empty means that all clients may ask.
    pub ip_security_restrictions: Vec<IpSecurityRestriction>,
    /// `corsPolicy`; none means that the app answers browsers itself.
    pub cors_policy: Option<CorsPolicy>,
    /// `clientCertificateMode`.
    pub client_certificate_mode: ClientCertificateMode,
    /// Whether `stickySessions.affinity` is `sticky`.
    pub sticky_sessions: bool,
    /// `additionalPortMappings`: ports for TCP beside the rest. No two are one port.
    pub additional_port_mappings: Vec<PortMapping>,
}

/// What becomes of certificates that clients have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificateMode {
    /// Clients are not asked for one.
    #[default]
    Ignore,
    /// Clients are asked for one, and the app is told of it.
    Accept,
    /// The same, and requests without one are refused.
    Require,
}

/// The protocol between ingress and app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// HTTP/1.1 or HTTP/2, found out.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http,
    /// HTTP/2.
    Http2,
    /// Plain TCP.
    Tcp,
}

/// One entry of `ingress.traffic`.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficWeight {
    /// The revision, or the latest ready one.
    pub target: TrafficTarget,
    /// Percent of the requests, 0 to 100.
    pub weight: u32,
    /// A label that has a host of its own, `app---label`.
    pub label: Option<String>,
}

/// Where an entry of `ingress.traffic` leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrafficTarget {
    /// `latestRevision: true`: the latest revision that is ready.
    LatestRevision,
    /// `revisionName`.
    Revision(RevisionName),
}

/// What makes a revision; any change of it makes a new one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// `revisionSuffix`; none when absent or empty, and then one is generated.
    pub revision_suffix: Option<String>,
    /// `terminationGracePeriodSeconds`, 30 s if absent.
    pub termination_grace_period: Option<Duration>,
    /// `initContainers`, run to their end in this order.
    pub init_containers: Vec<Container>,
    /// `containers`, at least one.
    pub containers: Vec<Container>,
    /// `scale`.
    pub scale: Scale,
    /// `volumes`.
    pub volumes: Vec<Volume>,
}

/// A container; on one machine, a child process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// `name`.
    pub name: String,
    /// `image`, which the process runtime does not run.
    pub image: Option<String>,
    /// `command`: program and first arguments.
    pub command: Vec<String>,
    /// `args`: further arguments.
    pub args: Vec<String>,
    /// `env`, in order; of two with one name the last counts.
    pub env: Vec<EnvironmentVariable>,
    /// `resources`.
    pub resources: Resources,
    /// `probes`, at most one of each kind; empty means the documented defaults.
    pub probes: Vec<Probe>,
    /// `volumeMounts`.
    pub volume_mounts: Vec<VolumeMount>,
}

/// One entry of `env`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentVariable {
    /// The variable's name.
    pub name: String,
    /// Where its value comes from.
    pub value: EnvironmentValue,
}

/// Where the value of an environment variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// `value`.
    Literal(String),
    /// `secretRef`: the name of one of the app's secrets.
    SecretRef(String),
}

/// `resources`: what a container may use, and what utilization is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resources {
    /// Cores.
    pub cpu: Option<f64>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// `volumeMounts[]`.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeMount {
    /// The volume's name.
    pub volume_name: String,
    /// Where the container sees it.
    pub mount_path: String,
    /// A folder inside it.
    pub sub_path: Option<String>,
}

/// `volumes[]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// The name that mounts use.
    pub name: String,
    /// `storageType`.
    pub storage_type: StorageType,
}

/// What a volume is kept on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageType {
    /// A folder that lives as long as the replica.
    #[default]
    EmptyDir,
    /// An Azure Files share over SMB.
    AzureFile,
    /// An Azure Files share over NFS.
    NfsAzureFile,
    /// The app's secrets as files.
    Secret,
}

/// A probe of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What it decides.
    pub kind: ProbeKind,
    /// What it does.
    pub action: ProbeAction,
    /// Wait before the first try.
    pub initial_delay: Duration,
    /// Time from one try to the next.
    pub period: Duration,
    /// How long a try may take.
    pub timeout: Duration,
    /// Failures in a row that count as failed.
    pub failure_threshold: u32,
    /// Successes in a row that count as succeeded.
    pub success_threshold: u32,
}

/// What a probe decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Whether the container has started; the others wait for it.
    Startup,
    /// Whether it may get requests.
    Readiness,
    /// Whether it must be restarted.
    Liveness,
}

/// What a probe does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeAction {
    /// `httpGet`: succeeds with a status from 200 to 399.
    HttpGet {
        /// The port in the document; the app's target port stands for the replica's own.
        port: u16,
        /// The path, `/` if absent.
        path: String,
        /// The `Host` header, if given.
        host: Option<String>,
        /// Whether `scheme` is HTTPS.
        https: bool,
        /// Further headers.
        headers: Vec<(String, String)>,
    },
    /// `tcpSocket`: succeeds when a connection is accepted.
    TcpSocket {
        /// The port in the document; the app's target port stands for the replica's own.
        port: u16,
    },
}

/// `template.scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// `minReplicas`, 0 if absent.
    pub min_replicas: u32,
    /// `maxReplicas`, 10 if absent.
    pub max_replicas: u32,
    /// `cooldownPeriod`, 300 s if absent.
    pub cooldown_period: Duration,
    /// `pollingInterval`, 30 s if absent.
    pub polling_interval: Duration,
    /// `rules`; empty means the default http rule if the app has ingress.
    pub rules: Vec<ScaleRule>,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            min_replicas: 0,
            max_replicas: 10,
            cooldown_period: Duration::from_secs(300),
            polling_interval: Duration::from_secs(30),
            rules: Vec::new(),
        }
    }
}

/// `scale.rules[]`. Its metadata may have passwords (in addresses, say), so it does not print.
#[derive(Clone, PartialEq)]
pub struct ScaleRule {
    /// The rule's name.
    pub name: String,
    /// Which property of the rule held it, so that it prints back as it was.
    pub form: RuleForm,
    /// The scaler, in KEDA's words: `http`, `tcp`, `cpu`, `azure-queue`, `azure-servicebus`, …
    pub scaler: String,
    /// The scaler's metadata; numbers and booleans as text.
    pub metadata: BTreeMap<String, String>,
    /// `auth`.
    pub auth: Vec<RuleAuth>,
    /// `identity`.
    pub identity: Option<String>,
}

impl fmt::Debug for ScaleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.metadata.keys().collect();
        f.debug_struct("ScaleRule")
            .field("name", &self.name)
            .field("form", &self.form)
            .field("scaler", &self.scaler)
            .field("metadata", &keys)
            .field("auth", &self.auth)
            .field("identity", &self.identity)
            .finish()
    }
}

/// Which property of a rule holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleForm {
    /// `http`.
    Http,
    /// `tcp`.
    Tcp,
    /// `azureQueue`.
    AzureQueue,
    /// `custom`.
    Custom,
}

/// `auth[]` of a rule: a parameter of the scaler taken from a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleAuth {
    /// The app's secret.
    pub secret_ref: String,
    /// The scaler's parameter.
    pub trigger_parameter: String,
}
