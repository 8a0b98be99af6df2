//! The arguments of what goes on until it is told to stop: `up`, `serve`, `ingress`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ebbtide_core::trigger::reach::{Allowed, Reach};

use super::door::{DoorArguments, Listen};
use super::setting;
use crate::api::ApiOptions;
use crate::keda::SourceBounds;
use crate::log::LogFormat;
use crate::telemetry::ScalerAddress;

const UP_EXAMPLES: &str = "\
Examples:
  ebbtide up                                    the bundled example
  ebbtide up apps/                              every .yaml, .yml and .json file of a folder
  ebbtide up app.yaml --set IMAGE_TAG=v2        fill the placeholder of a template
  ebbtide up app.yaml --listen 127.0.0.1:9080   if port 8080 is in use

Then:  curl http://APP.localhost:8080/   and open http://127.0.0.1:8081/

EBBTIDE_LOG sets what is logged: debug, or ebbtide_ingress=debug,info.";

const SERVE_EXAMPLES: &str = "\
Examples:
  ebbtide serve apps/                  decide for the apps of these documents
  ebbtide serve                        only for ScaledObjects that bring rules of their own
  ebbtide serve apps/ --pod-usage metrics-server
                                       with rules of cpu and memory, of the apps' pods
  ebbtide ingress apps/ --endpoints kubernetes --scaler 127.0.0.1:9091
                                       the front door that reports to it

See docs/keda.md for how KEDA carries out what is decided.";

const INGRESS_EXAMPLES: &str = "\
Examples:
  ebbtide ingress apps/ --endpoints kubernetes --scaler ebbtide-telemetry.ebbtide.svc:9091
  ebbtide ingress app.yaml --endpoints replicas.txt --scaler 127.0.0.1:9091

A file of endpoints has a service a line, and is followed:  hello: 10.0.0.1:8080 10.0.0.2:8080
A service is called as the app, or as the revision if the app's mode is Multiple.";

/// Where KEDA reaches Ebbtide, and how.
#[derive(Clone, Debug, Args)]
pub struct KedaArguments {
    /// Where KEDA reaches the external scaler, or off; 127.0.0.1:9090 if absent and not in use.
    /// An address that is not loopback needs TLS
    #[arg(long, value_name = "ADDRESS|off")]
    pub keda_listen: Option<Listen>,
    /// The external scaler's certificate in PEM; read again when it changes
    #[arg(long, value_name = "FILE", requires = "keda_tls_key")]
    pub keda_tls_certificate: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", requires = "keda_tls_certificate")]
    pub keda_tls_key: Option<PathBuf>,
    /// Roots in PEM of the certificates that KEDA has to show; without it anyone may ask
    #[arg(long, value_name = "FILE", requires = "keda_tls_certificate")]
    pub keda_tls_client_ca: Option<PathBuf>,
    /// Let the external scaler listen beyond loopback without TLS: what is answered can be read
    /// and changed on the way
    #[arg(long, conflicts_with = "keda_tls_certificate")]
    pub keda_plaintext: bool,
    /// A host or network that rules of a ScaledObject's own may name, as in *.prod.svc, 10.0.0.0/8 or
    /// 10.1.2.3:5672; may be repeated. Without any, all but this machine, link-local addresses and
    /// the metadata services of clouds
    #[arg(long, value_name = "HOST|NETWORK")]
    pub allow_address: Vec<Allowed>,
    /// Distinct sources (queues and the like) that the ScaledObjects of one namespace may name
    #[arg(long, value_name = "N", default_value_t = SourceBounds::PER_NAMESPACE)]
    pub sources_per_namespace: usize,
}

impl KedaArguments {
    /// What the authors of ScaledObjects may have Ebbtide connect to.
    pub(in crate::cli) fn bounds(&self) -> SourceBounds {
        SourceBounds {
            reach: Reach::new(self.allow_address.clone()),
            per_namespace: self.sources_per_namespace,
        }
    }
}

/// Which documents.
#[derive(Clone, Debug, Args)]
pub struct DocumentArguments {
    /// Documents, or folders of them; they are followed
    #[arg(value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// Fill a placeholder or a parameter of the documents; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// A folder with a file for each secret whose value the documents do not have: NAME, or APP/NAME
    /// for one app alone; it is followed. A variable `EBBTIDE_SECRET_NAME` does as well
    #[arg(long, value_name = "DIR")]
    pub secrets: Option<PathBuf>,
}

/// Where the status API is, and what is logged.
#[derive(Clone, Debug, Args)]
pub struct StatusArguments {
    /// Where the status API and the page are: an address of loopback, since whoever reaches it can
    /// change what runs
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub status_listen: SocketAddr,
    /// A further name that the status API answers to, besides localhost; may be repeated
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Where /healthz, /readyz and /metrics are for probes and Prometheus, and nothing else; off if
    /// absent
    #[arg(long, value_name = "ADDRESS")]
    pub health_listen: Option<SocketAddr>,
    /// How the log on standard error looks
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

impl StatusArguments {
    /// The options of the status API.
    pub(in crate::cli) fn api_options(&self) -> ApiOptions {
        ApiOptions {
            allowed_hosts: self.allow_host.clone(),
        }
    }
}

/// `ebbtide up`.
#[derive(Clone, Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct UpArguments {
    /// Documents; without any, the bundled example.
    #[command(flatten)]
    pub documents: DocumentArguments,
    /// The ingress.
    #[command(flatten)]
    pub door: DoorArguments,
    /// The status API.
    #[command(flatten)]
    pub status: StatusArguments,
    /// Where KEDA reaches Ebbtide, and how.
    #[command(flatten)]
    pub keda: KedaArguments,
}

/// Where ingresses report, and how.
#[expect(clippy::struct_field_names, reason = "they are the flags' names")]
#[derive(Clone, Debug, Args)]
pub struct TelemetryArguments {
    /// Where ingresses report what they count. An address that is not loopback needs TLS
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9091")]
    pub telemetry_listen: SocketAddr,
    /// The certificate of that service in PEM; read again when it changes
    #[arg(long, value_name = "FILE", requires = "telemetry_tls_key")]
    pub telemetry_tls_certificate: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", requires = "telemetry_tls_certificate")]
    pub telemetry_tls_key: Option<PathBuf>,
    /// Roots in PEM of the certificates that ingresses have to show; without it anyone may report
    #[arg(long, value_name = "FILE", requires = "telemetry_tls_certificate")]
    pub telemetry_tls_client_ca: Option<PathBuf>,
    /// Let it listen beyond loopback without TLS: whoever reaches it can have apps scaled
    #[arg(long, conflicts_with = "telemetry_tls_certificate")]
    pub telemetry_plaintext: bool,
}

/// Where it is read what the pods use that rules of cpu and memory are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PodUsageFrom {
    /// Nowhere: such rules are unknown.
    #[default]
    Off,
    /// The metrics server, by metrics.k8s.io.
    MetricsServer,
    /// The kubelets, by the API server's proxy to nodes.
    Kubelet,
}

/// What of Kubernetes is read.
#[derive(Clone, Debug, Args)]
pub struct PodArguments {
    /// Where it is read what pods use, for rules of cpu and memory. The last one given counts
    #[arg(long, value_enum, default_value_t, overrides_with = "pod_usage")]
    pub pod_usage: PodUsageFrom,
    /// The namespace of the apps' services and pods; that of this pod, or of the kubeconfig's
    /// context, if absent
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
}

/// `ebbtide serve`.
#[derive(Clone, Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct ServeArguments {
    /// Documents.
    #[command(flatten)]
    pub documents: DocumentArguments,
    /// Where KEDA reaches Ebbtide, and how.
    #[command(flatten)]
    pub keda: KedaArguments,
    /// Where ingresses report.
    #[command(flatten)]
    pub telemetry: TelemetryArguments,
    /// What of Kubernetes is read.
    #[command(flatten)]
    pub pods: PodArguments,
    /// The status API.
    #[command(flatten)]
    pub status: StatusArguments,
}

/// Where replicas are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointSource {
    /// In a cluster.
    Kubernetes,
    /// In a file.
    File(PathBuf),
}

impl FromStr for EndpointSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("write kubernetes, or the name of a file".to_owned()),
            "kubernetes" if cfg!(not(feature = "kubernetes")) => {
                Err("this ebbtide was built without kubernetes; name a file".to_owned())
            }
            "kubernetes" => Ok(Self::Kubernetes),
            file => Ok(Self::File(PathBuf::from(file))),
        }
    }
}

/// `ebbtide ingress`.
#[derive(Clone, Debug, Args)]
#[command(after_help = INGRESS_EXAMPLES)]
pub struct IngressArguments {
    /// Documents, of which there has to be one at least.
    #[command(flatten)]
    pub documents: DocumentArguments,
    /// The ingress.
    #[command(flatten)]
    pub door: DoorArguments,
    /// Where replicas are found: kubernetes (as its services have them), or a file
    #[arg(long, value_name = "kubernetes|FILE")]
    pub endpoints: EndpointSource,
    /// The namespace of the apps' services; that of this pod, or of the kubeconfig's context, if
    /// absent
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Where `ebbtide serve` takes reports: each address of the name is told; may be repeated
    #[arg(long, value_name = "HOST:PORT", required = true)]
    pub scaler: Vec<ScalerAddress>,
    /// Roots in PEM of the scaler's certificate; without it reports go in the clear
    #[arg(long, value_name = "FILE")]
    pub scaler_tls_ca: Option<PathBuf>,
    /// The certificate in PEM that this ingress shows the scaler
    #[arg(long, value_name = "FILE", requires_all = ["scaler_tls_ca", "scaler_tls_key"])]
    pub scaler_tls_certificate: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", requires = "scaler_tls_certificate")]
    pub scaler_tls_key: Option<PathBuf>,
    /// What this ingress is called in the scaler's log; the host's name and the port if absent
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The status API.
    #[command(flatten)]
    pub status: StatusArguments,
}
